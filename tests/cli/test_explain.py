from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from darknet_py.cli.explain import METHODS
from darknet_py.tasks import explain
from tests.cli.conftest import Model, Run


def test_the_methods_are_those_that_there_are() -> None:
    """The command line names them itself, so that help need not wait for the network."""
    assert METHODS == explain.METHODS


@pytest.mark.parametrize("method", METHODS)
def test_an_overlay_and_a_heat_map_of_each_class(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path, method: str
) -> None:
    folder = tmp_path / "new/heat"
    options = ("--method", method, "-t", 2, "--steps", 4, "-o", folder)
    code, out, err = darknet("explain", "-q", *model, pictures / "a.png", *options)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 2
    drawn = sorted(path.name for path in folder.iterdir())
    assert len(drawn) == 4
    assert all(name.startswith("a_") and method in name for name in drawn)
    for line in out.splitlines():
        overlay = Path(line.rsplit("; ", 1)[1])
        with (
            Image.open(overlay) as one,
            Image.open(overlay.with_stem(f"{overlay.stem}_heat")) as two,
        ):
            assert one.size == two.size == (250, 300)


def test_numbers(darknet: Run, model: Model, pictures: Path, tmp_path: Path) -> None:
    where = (*model, pictures / "b.png", "-o", tmp_path / "heat")
    code, out, _ = darknet("explain", "-q", *where, "--json", "--box", "0,0,25,60", "--class", 7)
    assert code == 0
    found = json.loads(out)
    assert (found["index"], found["name"], found["method"]) == (7, "7", "gradcam")
    assert 0 < found["probability"] < 1
    assert isinstance(found["layer"], int)
    assert len(found["grid"]) == len(found["grid"][0]) == 8
    left = sum(sum(row[:4]) for row in found["grid"])
    assert found["box"]["share"] == pytest.approx(left, abs=0.01)
    assert Path(found["overlay"]).is_file()
    assert Path(found["heat"]).is_file()
    _, out, _ = darknet("explain", "-q", *where, "--json", "--method", "integrated")
    found = json.loads(out)
    assert found["sum"] == pytest.approx(found["rise"], rel=0.05, abs=1e-3)
    assert found["layer"] is None
    _, out, _ = darknet("explain", "-q", *where, "--box", "0,0,50,60")
    assert "100.0% of the heat in the box" in out or "0.0% of the heat in the box" in out


def test_pictures_of_one_name_are_both_kept(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.png").write_bytes((pictures / "b.png").read_bytes())
    both = (pictures / "a.png", other / "a.png")
    code, out, _ = darknet("explain", "-q", *model, *both, "-o", tmp_path / "heat", "--class", 1)
    assert code == 0
    assert len(set(out.splitlines())) == 2
    assert sorted(path.name for path in (tmp_path / "heat").iterdir()) == [
        *("a_1_gradcam-2.png", "a_1_gradcam-2_heat.png", "a_1_gradcam.png", "a_1_gradcam_heat.png")
    ]


def test_a_bad_picture_does_not_stop_the_others(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path
) -> None:
    (pictures / "bad.png").write_text("no picture")
    code, out, err = darknet("explain", "-q", *model, pictures, "-o", tmp_path / "heat")
    assert code == 1
    assert len(out.splitlines()) == 3
    assert err.startswith(f"darknet: {pictures / 'bad.png'}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        (["--class", "dog"], 1, "there is no class 'dog'"),
        (["--layer", "99"], 1, "layer 99 is not before the scores"),
        (["--layer", "1", "--method", "saliency"], 2, "--layer is for gradcam and gradcam++"),
        (["--class", "1", "-t", "2"], 2, "Give --class or --top, not both."),
        (["--box", "1,2,3"], 2, "is not LEFT,TOP,RIGHT,BOTTOM"),
        (["--box", "5,5,5,9"], 2, "is empty"),
        (["--method", "magic"], 2, "is not one of"),
        (["--names", "none.list"], 1, "none.list"),
    ],
)
def test_what_cannot_be(
    darknet: Run,
    model: Model,
    pictures: Path,
    tmp_path: Path,
    options: list[str],
    code: int,
    line: str,
) -> None:
    folder = tmp_path / "heat"
    result = darknet("explain", "-q", *model, pictures / "a.png", "-o", folder, *options)
    assert (result.code, result.out) == (code, "")
    assert line in result.err
    assert not folder.exists()


def test_a_folder_that_is_a_file(darknet: Run, model: Model, pictures: Path) -> None:
    taken = pictures / "a.png"
    assert darknet("explain", "-q", *model, taken, "-o", taken).code == 2
    code, _, err = darknet("explain", "-q", *model, taken, "-o", taken / "heat")
    assert code == 1
    line = f"{taken / 'heat'}: cannot be a folder for pictures: {taken} is a file"
    assert err == f"darknet: {line}\n"
    assert darknet("explain", "-q", *model).code == 2


def test_a_network_of_vectors(
    darknet: Run, connected_model: Model, pictures: Path, tmp_path: Path
) -> None:
    where = (*connected_model, pictures, "-o", tmp_path / "heat")
    code, out, err = darknet("explain", "-q", *where)
    assert (code, out) == (1, "")
    assert "has no layer with a map before its scores: expected the method integrated" in err
    for method in ("integrated", "occlusion", "saliency"):
        code, out, _ = darknet("explain", "-q", *where, "--method", method, "--steps", 4)
        assert (code, len(out.splitlines())) == (0, 3)


def test_the_network_that_comes_with_the_program(darknet: Run, tmp_path: Path) -> None:
    names = ("--names", "data/cifar.labels.list", "-o", tmp_path / "heat")
    where = ("cfg/cifar_res.cfg", "data/cifar.weights", "data/samples/ship.png")
    code, out, _ = darknet("explain", "-q", *where, *names)
    assert code == 0
    assert "ship.png: ship: 0." in out
    assert (tmp_path / "heat/ship_ship_gradcam.png").is_file()

"""Every command that writes: checked before the work, and nothing replaced in silence."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from darknet_py.cli.files import check_output, check_output_folder, free_path, free_stem
from darknet_py.errors import DarknetError
from tests.cli.conftest import Model, Run
from tests.support.shapes import CFG, draw_shapes

COMMANDS = {
    "explain": ("explain", "MODEL", "PICTURE", "-o"),
    "activations": ("activations", "MODEL", "PICTURE", "-o"),
    "features": ("features", "MODEL", "PICTURE", "--layer", "0", "-o"),
    "filters": ("filters", "MODEL", "-o"),
    "report": ("report", "MODEL", "PICTURE", "-o"),
    "nightmare": ("nightmare", "MODEL", "PICTURE", "0", "--iters", "1", "-octaves", "1", "-o"),
    "valid": ("classifier", "valid", "FOLDER", "MODEL", "--confusion"),
    "lr-find": ("lr-find", "FOLDER", "CFG", "-o"),
    "show": ("classifier", "show", "FOLDER", "CFG", "-o"),
    "plot": ("plot", "FOLDER", "-o"),
    "reset": ("reset", "MODEL"),
}
FOLDERS = {"explain", "activations"}


def words(name: str, model: Model, pictures: Path) -> list[object]:
    files: dict[str, list[object]] = {
        "MODEL": list(model),
        "CFG": [model.cfg],
        "PICTURE": [pictures / "a.png"],
        "FOLDER": [pictures],
    }
    return [each for word in COMMANDS[name] for each in files.get(word, [word])]


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - FOLDERS))
def test_a_folder_that_is_not_there_is_said_before_the_work(
    darknet: Run,
    model: Model,
    pictures: Path,
    tmp_path: Path,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def build(*_: object) -> None:
        raise AssertionError("the work has begun")

    monkeypatch.setattr("darknet_py.network.network.Network.from_cfg", build)
    monkeypatch.setattr("darknet_py.tasks.metrics.read_metrics", build)
    out = tmp_path / "nothing" / "x.png"
    code, printed, err = darknet(*words(name, model, pictures), out)
    assert (code, printed) == (1, "")
    assert err == (
        f"darknet: {out}: cannot be written: there is no folder {out.parent}: make it first\n"
    )


@pytest.mark.parametrize("name", ["filters", "nightmare", "valid", "lr-find", "show", "plot"])
def test_what_pictures_are_not_written_as_is_said_before_the_work(
    darknet: Run,
    model: Model,
    pictures: Path,
    tmp_path: Path,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("darknet_py.network.network.Network.from_cfg", None)
    out = tmp_path / "x.gif"
    code, printed, err = darknet(*words(name, model, pictures), out)
    assert (code, printed) == (1, "")
    assert err.startswith(f"darknet: {out}: cannot be written: end the name in ")
    assert ".png, .jpg, .jpeg" in err


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_animations_bear_the_name_of_what_they_are(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "x.png"
    code, _, err = darknet("nightmare", *model, pictures / "a.png", 0, f"--{kind}", out)
    assert code == 1
    assert err == f"darknet: {out}: cannot be written: end the name in .{kind}\n"
    assert not out.exists()


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_folders_for_pictures(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").touch()
    code, printed, err = darknet(*words(name, model, pictures), tmp_path / "file" / "in")
    assert (code, printed) == (1, "")
    assert err == (
        f"darknet: {tmp_path}/file/in: cannot be a folder for pictures: {tmp_path}/file is a file\n"
    )


@pytest.mark.parametrize("long", ["a" * 300, "b/" * 3000 + "c"], ids=["name", "path"])
def test_names_that_are_too_long_for_a_file(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path, long: str
) -> None:
    """Are said in one line, whatever they stand for."""
    data, picture = draw_shapes(tmp_path / "data", 2), pictures / "a.png"
    for command in (
        ("classify", "-q", *model, long),
        ("classify", "-q", *model, picture, "--names", long),
        ("explain", "-q", *model, picture, "-o", long),
        ("activations", "-q", *model, picture, "-o", long),
        ("filters", "-q", *model, "-o", f"{long}.png"),
        ("report", "-q", *model, picture, "--valid", long),
        ("classifier", "valid", "-q", long, *model),
        ("classifier", "check", long),
        ("train", "-q", long, model.cfg, "--backup", tmp_path / "backup"),
        ("train", "-q", data, model.cfg, "--backup", long),
        ("finetune", "-q", data, *model, "-o", long),
        ("lr-find", "-q", long, model.cfg),
        ("plot", long),
        ("dataset", "mean", long),
        ("dataset", "prepare", data, long),
        ("nightmare", "-q", *model, picture, 0, "-prefix", long),
        ("nightmare", "-q", "--replay", long),
        ("rgbgr", "-q", *model, long),
        ("reset", "-q", model.cfg, long, tmp_path / "out"),
    ):
        code, out, err = darknet(*command)
        assert (code, out) == (1, ""), command
        assert err.startswith("darknet: "), command
        assert err.count("\n") == 1, command


@pytest.mark.parametrize("inside", ["", "in"])
@pytest.mark.parametrize("target", ["nowhere", "nothing/deep", "link", "file"])
def test_folders_that_are_links_where_no_folder_is(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path, target: str, inside: str
) -> None:
    """Each that writes into a folder says so, and makes nothing where the link points."""
    data, link = tmp_path / "data", tmp_path / "link"
    draw_shapes(data, 2, 4)
    (tmp_path / "file").touch()
    link.symlink_to(target)
    before = sorted(tmp_path.rglob("*"))
    picture, out = pictures / "a.png", link / inside
    for command in (
        ("train", data, model.cfg, "--backup"),
        ("finetune", data, *model, "-o"),
        ("dataset", "prepare", data),
        ("explain", *model, picture, "-o"),
        ("activations", *model, picture, "-o"),
        ("nightmare", *model, picture, 0, "-prefix"),
    ):
        if target == "file" and not inside and command[0] not in ("dataset", "nightmare"):
            continue  # click says it as well: Directory 'link' is a file
        code, printed, err = darknet(*command, out)
        assert (code, printed) == (1, ""), command
        what = "results" if command[0] in ("train", "finetune") else "pictures"
        assert err.splitlines()[-1] == (
            f"darknet: {out}: cannot be a folder for {what}: "
            f"{link} is a link to {target}, where no folder is"
        )
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_places_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DarknetError, match="may not be written to"):
        check_output(tmp_path / "x.png")
    with pytest.raises(DarknetError, match="may not be written to"):
        check_output_folder(tmp_path / "new" / "one")


def test_what_can_be_written(tmp_path: Path) -> None:
    there = tmp_path / "there.png"
    there.touch()
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "nowhere" / "x.png")
    for path in (there, tmp_path / "new.PNG", Path("/dev/null")):
        check_output(path)
    check_output(tmp_path / "new.PNG", (".png",))
    with pytest.raises(DarknetError, match="there is no folder"):
        check_output(link)
    with pytest.raises(DarknetError, match="is a folder: name a file in it"):
        check_output(tmp_path)
    with pytest.raises(DarknetError, match="is no folder"):
        check_output(there / "x.png")
    check_output_folder(tmp_path / "a" / "b")


def test_the_next_name_that_is_free(tmp_path: Path) -> None:
    assert free_path(tmp_path / "f.png") == tmp_path / "f.png"
    (tmp_path / "f.png").touch()
    (tmp_path / "f-2.png").symlink_to("nowhere")
    assert free_path(tmp_path / "f.png") == tmp_path / "f-3.png"
    assert free_stem(tmp_path, "f", ["_1.png", "_2.png"]) == "f"
    (tmp_path / "f_2.png").touch()
    assert free_stem(tmp_path, "f", ["_1.png", "_2.png"]) == "f-2"


def test_names_that_commands_choose_replace_nothing(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    a = pictures / "a.png"
    dream = ("nightmare", "-q", *model, a, 0, "--iters", 1, "-octaves", 1, "-rounds", 2)
    for command in (
        ("filters", "-q", *model),
        ("features", "-q", *model, a, "--layer", 0),
        ("report", "-q", *model, a),
        ("explain", "-q", *model, a, "--class", 1),
        ("activations", "-q", *model, a, "--layer", 0),
        dream,
    ):
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        first, second = darknet(*command), darknet(*command)
        assert (first.code, second.code) == (0, 0)
        assert all(path.read_bytes() == content for path, content in before.items())
        assert first.out != second.out
        assert "-2" in second.out.replace(str(tmp_path), "")
        assert "-2" not in first.out.replace(str(tmp_path), "")
    assert sorted(path.name for path in tmp_path.glob("a_*_0*")) == [
        *("a_tiny_like_0-2_000000.png", "a_tiny_like_0-2_000001.png"),
        *("a_tiny_like_0_000000.png", "a_tiny_like_0_000001.png"),
    ]


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - FOLDERS))
def test_what_is_there_stays(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "x.png"
    out.write_text("old")
    code, printed, err = darknet(*words(name, model, pictures), out)
    assert (code, printed) == (1, "")
    assert err == f"darknet: {out}: is there already: name another file, or add --overwrite\n"
    assert out.read_text() == "old"


def test_overwrite(darknet: Run, model: Model, tmp_path: Path) -> None:
    sheet = tmp_path / "f.png"
    sheet.write_text("old")
    assert darknet("filters", "-q", *model, "-o", sheet, "--overwrite").code == 0
    with Image.open(sheet) as drawn:
        assert min(drawn.size) > 90
    assert list(tmp_path.glob("f*.png")) == [sheet]


def test_a_table_for_a_pipe(darknet: Run, tmp_path: Path) -> None:
    """/dev/stdout is written to, not replaced."""
    shapes, cfg = draw_shapes(tmp_path / "shapes", 6), tmp_path / "s.cfg"
    cfg.write_text(CFG)
    darknet("train", "-q", shapes, cfg, "--max-iter", 1, "--backup", tmp_path / "b")
    where = (shapes, cfg, tmp_path / "b/s.weights")
    code, out, _ = darknet(
        "classifier", "valid", "-q", *where, "--json", "--confusion", "/dev/null"
    )
    assert code == 0
    assert json.loads(out)["classes"] == ["circle", "cross", "square"]
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize(
    ("command", "end"),
    [
        ("report -q MODEL PICTURE -o WEIGHTS", "is read by this command: name another file"),
        ("features -q MODEL PICTURE --layer 0 -o PICTURE", "is read by this command"),
        ("features -q MODEL FOLDER --layer 0 -o PICTURE", "is read by this command"),
        ("classifier valid FOLDER MODEL --confusion PICTURE", "is read by this command"),
        ("report -q MODEL PICTURE --names NAMES -o NAMES", "is read by this command"),
        ("filters MODEL -o LONG", "File name too long"),
    ],
)
def test_what_is_read_is_not_written_over(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path, command: str, end: str
) -> None:
    (tmp_path / "a.names").write_text("a\nb\nc\n")
    files: dict[str, list[object]] = {
        "MODEL": list(model),
        "CFG": [model.cfg],
        "WEIGHTS": [model.weights],
        "PICTURE": [pictures / "a.png"],
        "FOLDER": [pictures],
        "NAMES": [tmp_path / "a.names"],
        "LONG": [tmp_path / f"{'a' * 300}.png"],
    }
    before = [Path(str(each)).read_bytes() for each in (*model, pictures / "a.png")]
    given = [each for word in command.split() for each in files.get(word, [word])]
    code, out, err = darknet(*given)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert end in err
    assert [Path(str(each)).read_bytes() for each in (*model, pictures / "a.png")] == before


@pytest.mark.parametrize("option", ["-zoom", "-rotate", "--tv", "-rate", "-thresh", "--memory"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_options_are_finite(
    darknet: Run, model: Model, pictures: Path, option: str, value: str
) -> None:
    code, _, err = darknet("nightmare", *model, pictures / "a.png", 0, option, value)
    assert code == 2
    assert f"{value} is not a finite number" in err or "is not in the range" in err

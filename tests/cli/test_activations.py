from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Model, Run


def test_a_sheet_of_each_of_a_few_layers(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new/seen"
    code, out, err = darknet("activations", "-q", *model, pictures / "a.png", "-o", folder)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) > 1
    for line in lines:
        path, title = line.split(": ", 1)
        assert title.startswith("Layer ")
        with Image.open(path) as sheet:
            assert min(sheet.size) > 90
    assert len(list(folder.iterdir())) == len(lines)


def test_chosen_layers_and_the_strongest_channels(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path
) -> None:
    where = (*model, pictures / "a.png", "-o", tmp_path / "seen")
    options = ("--layer", 0, "--layer", 2, "--top", 3, "--json")
    code, out, _ = darknet("activations", "-q", *where, *options)
    assert code == 0
    first, second = (json.loads(line) for line in out.splitlines())
    assert (first["layer"], second["layer"]) == (0, 2)
    for found in (first, second):
        assert len(found["channels"]) == len(found["means"]) == 3
        assert found["means"] == sorted(found["means"], reverse=True)
        assert Path(found["path"]).name == f"a_layer{found['layer']}.png"


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        (["--layer", "99"], 1, "there is no layer 99"),
        (["--top", "0"], 2, "--top"),
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
    folder = tmp_path / "seen"
    result = darknet("activations", "-q", *model, pictures / "a.png", "-o", folder, *options)
    assert (result.code, result.out) == (code, "")
    assert line in result.err
    assert not folder.exists()


def test_a_picture_that_is_none(darknet: Run, model: Model, tmp_path: Path) -> None:
    code, _, err = darknet("activations", "-q", *model, tmp_path / "none.png")
    assert code == 1
    assert err == f"darknet: {tmp_path / 'none.png'}: no such file: check the name\n"


def test_a_network_without_maps_to_choose(darknet: Run, tmp_path: Path, pictures: Path) -> None:
    """Is said, and not passed over without a word."""
    cfg, weights = tmp_path / "n.cfg", tmp_path / "n.weights"
    cfg.write_text(
        "[net]\nwidth=4\nheight=4\nchannels=3\n"
        "[convolutional]\nfilters=2\nsize=1\nactivation=linear\n[avgpool]\n[softmax]\n"
    )
    weights.write_bytes(bytes(16 + 4 * (2 + 6)))
    where = ("activations", "-q", cfg, weights, pictures / "a.png", "-o", tmp_path / "out")
    code, out, err = darknet(*where)
    assert (code, out) == (1, "")
    assert err.endswith(": has no map but those of its classes: say which by --layer N\n")
    assert darknet(*where, "--layer", 0).code == 0

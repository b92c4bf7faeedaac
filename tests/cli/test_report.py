from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Model, Run
from tests.support.pages import Page
from tests.support.shapes import CFG, draw_shapes


def test_one_file(darknet: Run, model: Model, pictures: Path, tmp_path: Path) -> None:
    file = tmp_path / "r.html"
    code, out, err = darknet("report", "-q", *model, pictures, "-o", file)
    assert (code, err) == (0, "")
    assert out == f"{file}: 3 pictures, {file.stat().st_size:,} bytes\n"
    page = Page(file.read_text(encoding="utf-8"))
    assert page.faults == []
    for name in ("a.png", "b.png", "c.jpg"):
        assert name in page.text
    assert "Validation" not in page.text


def test_with_a_validation(darknet: Run, tmp_path: Path) -> None:
    """Names come from the data, and a network that knows nothing makes mistakes to show."""
    shapes = draw_shapes(tmp_path / "shapes", 20)
    cfg, weights, file = tmp_path / "s.cfg", tmp_path / "s.weights", tmp_path / "r.html"
    cfg.write_text(CFG)
    darknet("train", shapes, cfg, "--max-iter", 1, "--backup", tmp_path)
    where = (cfg, weights, shapes / "cross/7.png", "--valid", shapes)
    code, _, err = darknet("report", "-q", *where, "--worst", 2, "-o", file)
    assert code == 0
    assert f"evaluated: {shapes}: 60 pictures of 3 classes\n" in err
    page = Page(file.read_text(encoding="utf-8"))
    assert page.faults == []
    assert "of 60 pictures right" in page.text
    assert all(shape in page.text for shape in ("circle", "cross", "square"))
    mistakes = [each for each in page.all("img") if "taken for" in (each["alt"] or "")]
    assert 1 <= len(mistakes) <= 2


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        (["--valid", "nowhere"], 1, "nowhere"),
        (["-o", "none/r.html"], 1, "none/r.html: cannot be written: there is no folder none"),
        (["--worst", "-1"], 2, "--worst"),
    ],
)
def test_what_cannot_be(
    darknet: Run, model: Model, pictures: Path, options: list[str], code: int, line: str
) -> None:
    result = darknet("report", "-q", *model, pictures / "a.png", *options)
    assert (result.code, result.out) == (code, "")
    assert line in result.err


def test_no_pictures(darknet: Run, model: Model) -> None:
    assert darknet("report", *model).code == 2


def test_classes_of_any_name(darknet: Run, tmp_path: Path) -> None:
    """Are text in the page, and one that no text can hold is said in one line."""
    names = ['"><script>alert(1)<', "$x_{^", "\x1b[31m\u202e"]
    data, cfg, weights = tmp_path / "data", tmp_path / "n.cfg", tmp_path / "n.weights"
    draw_shapes(data, 1)
    for shape, name in zip(("circle", "cross", "square"), names, strict=True):
        (data / shape).rename(data / name)
    cfg.write_text(
        "[net]\nwidth=4\nheight=4\nchannels=3\n"
        "[convolutional]\nfilters=3\nsize=1\nactivation=linear\n[avgpool]\n[softmax]\n"
    )
    weights.write_bytes(bytes(16 + 4 * (3 + 9)))
    picture, file = data / names[1] / "0.png", tmp_path / "r.html"
    where = ("report", "-q", cfg, weights, picture, "--valid", data, "-o", file)
    code, _, err = darknet(*where)
    assert code == 0, err
    page = Page(file.read_text(encoding="utf-8"))
    assert page.faults == []
    assert not page.all("script")
    assert all(shown in page.text for shown in (*names[:2], "\\x1b[31m\\u202e"))
    file.unlink()
    try:
        (data / names[1]).rename(data / "caf\udce9")
    except OSError:
        pytest.skip("this file system has no such names")
    where = ("report", "-q", cfg, weights, data / "caf\udce9/0.png", "--valid", data, "-o", file)
    code, _, err = darknet(*where)
    assert (code, file.exists()) == (1, False)
    fault = "the name of a class is not in UTF-8: rename the folder"
    assert err == f"darknet: {data}/caf\\xe9: {fault}\n"

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

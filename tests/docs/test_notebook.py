"""docs/colab.ipynb: sound, without outputs, and its cells run in order."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from tests.support.site import DOCS, Block, Reader, set_up

NOTEBOOK = json.loads((DOCS / "colab.ipynb").read_text())
CELLS = NOTEBOOK["cells"]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def test_it_is_a_notebook_of_format_4() -> None:
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    assert NOTEBOOK["metadata"]["kernelspec"] == {"display_name": "Python 3", "name": "python3"}
    assert len({cell["id"] for cell in CELLS}) == len(CELLS)
    keys = {"cell_type", "id", "metadata", "source"}
    for cell in CELLS:
        is_code = cell["cell_type"] == "code"
        assert set(cell) == keys | ({"execution_count", "outputs"} if is_code else set())
        assert is_code or cell["cell_type"] == "markdown"
        assert all(isinstance(line, str) for line in cell["source"])


def test_it_has_no_outputs() -> None:
    cells = [cell for cell in CELLS if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in cells] == [[]] * len(cells)
    assert {cell["execution_count"] for cell in cells} == {None}


def test_its_cells_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[bytes] = []
    display: Any = types.ModuleType("IPython.display")
    display.Image = lambda name: Path(name).read_bytes()
    shell: Any = types.ModuleType("IPython")
    shell.version_info = (9, 0)  # matplotlib asks for it
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", display)

    set_up(tmp_path, photos=False)
    monkeypatch.setenv("DARKNET_WEIGHTS_DIR", str(tmp_path / "fetched"))
    reader = Reader(tmp_path, namespace={"display": shown.append})
    for number, cell in enumerate(CELLS):
        text = source(cell)
        if cell["cell_type"] == "markdown" or text.startswith("%pip install -q darknet-toolkit"):
            continue
        language = "sh" if text.startswith("!") else "python"
        more = cell["metadata"].get("run")
        orders = {"run": [more]} if more else {}
        reader.read(Block(language, text.removeprefix("!"), number, orders))
        if "classify" in text:
            assert reader.printed is not None
            assert ": 0." in reader.printed
    assert len(shown) == 5
    assert all(picture.startswith(b"\x89PNG") for picture in shown)

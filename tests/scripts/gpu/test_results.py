"""Figures that are kept beside a report."""

from __future__ import annotations

from pathlib import Path

import pytest

from darknet_py.errors import DarknetError
from scripts.gpu.results import Result, read_results, write_results
from tests.scripts.gpu.rows import ROWS


def test_rows_come_back_from_json(tmp_path: Path) -> None:
    results = {"speed": Result(["a machine"], ROWS)}
    write_results(tmp_path / "rows.json", results)
    assert read_results(tmp_path / "rows.json") == results
    assert read_results(tmp_path / "none.json") == {}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"speed": 3}', '{"speed": {"machine": [], "rows": [{"type": "X"}]}}']
)
def test_figures_that_are_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(text)
    with pytest.raises(DarknetError, match=r"rows\.json: is not what this program has written"):
        read_results(path)

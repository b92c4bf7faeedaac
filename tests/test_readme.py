"""The README: its code runs as it stands, its links lead somewhere, and it stays short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.site import Reader, blocks, set_up

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


def test_a_reader_can_work_through_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(tmp_path)
    monkeypatch.setenv("DARKNET_WEIGHTS_DIR", str(tmp_path / "fetched"))
    reader = Reader(tmp_path)
    for block in blocks(TEXT):
        reader.read(block)


def test_it_is_read_in_a_minute() -> None:
    assert len(TEXT.splitlines()) <= 180


def test_links_lead_to_what_is_there() -> None:
    named = re.findall(r"\]\(([^)]+)\)", TEXT)
    there = [link for link in named if not link.startswith(("http", "#"))]
    assert len(there) > 20
    assert [link for link in there if not (ROOT / link).is_file()] == []
    headings = {line.lstrip("# ").lower() for line in TEXT.splitlines() if line.startswith("#")}
    assert {link[1:] for link in named if link.startswith("#")} <= headings

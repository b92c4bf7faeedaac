from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]


def test_counts_tiny_as_its_page(darknet: Run) -> None:
    code, out, err = darknet("ops", ROOT / "cfg/tiny.cfg", ROOT / "cfg/darknet.cfg")
    assert (code, err) == (0, "")
    head, tiny, darknet_reference = out.splitlines()
    assert head.split() == ["Model", "Ops", "Parameters", "Size"]
    assert tiny.split()[1:] == ["0.98", "Bn", "1,046,488", "4.0", "MB"]
    assert darknet_reference.split()[1:3] == ["0.96", "Bn"]


def test_json(darknet: Run) -> None:
    _, out, _ = darknet("ops", "--json", ROOT / "cfg/tiny.cfg")
    counts = json.loads(out)
    del counts["cfg"]
    assert counts == {"operations": 983048192, "parameters": 1046488, "bytes": 4185972}

"""What parts have found, kept as JSON beside the report, so that parts measured one by one stand in
one report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from darknet_py.atomic import write_text
from darknet_py.errors import DarknetError
from scripts.gpu.rows import Row, from_json, to_json


class Result(NamedTuple):
    """A part's: where it was measured, in lines, and its rows."""

    machine: list[str]
    rows: list[Row]


Results = dict[str, Result]
"""By the names of the parts."""


def read_results(path: Path) -> Results:
    """None where there is no file. Raises DarknetError for a file that is not one of results."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DarknetError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        return {
            part: Result(found["machine"], [from_json(row) for row in found["rows"]])
            for part, found in json.loads(text).items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DarknetError(f"{path}: is not what this program has written: move it away") from error


def write_results(path: Path, results: Results) -> None:
    """Whole or not at all. Raises DarknetError."""
    kept = {
        part: {"machine": found.machine, "rows": [to_json(row) for row in found.rows]}
        for part, found in results.items()
    }
    write_text(path, json.dumps(kept, indent=1) + "\n")

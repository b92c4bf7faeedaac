"""docs/cfg-reader.md: the keys that are refused are those of the program."""

from __future__ import annotations

import re

from darknet_py.cfg.keys import UNCOMPUTED
from tests.support.site import DOCS


def test_the_page_has_all_keys_that_are_refused() -> None:
    page = (DOCS / "cfg-reader.md").read_text()
    table = page.split("## Keys that are refused")[1].split("\n## ")[0]
    told: set[tuple[str, str]] = set()
    for sections, keys in re.findall(r"^\| (all|`\[.*?) \| (.*) \|$", table, re.MULTILINE):
        for section in re.findall(r"\[(\w+)\]", sections) or ["*"]:
            names = re.findall(r"[a-z_]+", re.sub(r"\(.*?\)", "", keys))
            told |= {(section, name) for name in names if name != "and"}
    assert told == {(section, key) for section, keys in UNCOMPUTED.items() for key in keys}

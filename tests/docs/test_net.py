"""docs/reference/net.md: every key of [net] that is read, and the default that it has."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from darknet_py.layers.base import LAYERS
from darknet_py.network.builder import build
from darknet_py.network.optimiser import METHODS
from darknet_py.network.schedule import Schedule
from darknet_py.network.settings import read_settings
from tests.support.sections import RecordingSection
from tests.support.site import DOCS

PAGE = (DOCS / "reference" / "net.md").read_text()
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE, re.MULTILINE))
SIZE = {"height": "48", "width": "64", "channels": "3"}
EXTRA = {
    "steps": {"steps": "1", "scales": "1"},
    "poly": {"max_batches": "9"},
    "onecycle": {"max_batches": "9"},
    "sgdr": {"sgdr_cycle": "9"},
}
"""What a policy cannot be without."""


def asked() -> dict[str, Any]:
    """All keys that are read with any of the policies, and their defaults."""
    found: dict[str, Any] = {}
    for policy in Schedule.POLICIES:
        keys = {**SIZE, "policy": policy, **EXTRA.get(policy, {})}
        section = RecordingSection("net", keys)
        read_settings(section)
        for key, default in section.asked.items():
            assert found.setdefault(key, default) == default or key == "sgdr_cycle"
    return found | {"sgdr_cycle": "max_batches"}


ASKED = asked()


def test_the_page_has_the_keys_that_are_read() -> None:
    assert sorted(ROWS) == sorted(ASKED)
    assert len(re.findall(r"^\| `\w+` \|", PAGE, re.MULTILINE)) == len(ROWS)


@pytest.mark.parametrize("key", sorted(ASKED))
def test_the_page_has_the_default(key: str) -> None:
    told, default = ROWS[key], ASKED[key]
    if isinstance(default, (bool, int, float)):
        sizes = {name: int(text) for name, text in SIZE.items()}
        assert eval(told, {}, sizes) == pytest.approx(float(default))
    else:
        assert told == (default or "none")


def test_the_page_of_layers_has_the_keys_of_every_layer() -> None:
    net = RecordingSection("net", SIZE | {"clip": "5"})
    convolutional = RecordingSection("convolutional", {"batch_normalize": "1"})
    softmax = RecordingSection("softmax", {})
    build([net, convolutional, softmax], "<text>")
    own = " ".join(inspect.getdoc(LAYERS[each]) or "" for each in ("convolutional", "softmax"))
    asked = convolutional.asked | softmax.asked
    common = {key: default for key, default in asked.items() if f"{key} (" not in own}

    page = (DOCS / "reference" / "layers.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", page, re.MULTILINE))
    assert rows.pop("clip") == "clip of `[net]`"
    assert common.pop("clip") == 5
    assert {key: float(told) for key, told in rows.items()} == common


def test_the_page_has_all_policies_and_optimisers() -> None:
    for key, words in (("policy", Schedule.POLICIES), ("optimizer", METHODS)):
        (row,) = re.findall(rf"^\| `{key}` \|.*", PAGE, re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row)) == {key, *words}


def test_the_guide_to_learning_rates_has_all_policies() -> None:
    guide = (DOCS / "howto" / "learning-rate.md").read_text()
    table = guide.split("| `policy=` |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == sorted(
        Schedule.POLICIES, key=table.index
    )

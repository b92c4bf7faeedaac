from __future__ import annotations

import json
import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.text import as_json, counted, joined_bytes


def test_one_is_one() -> None:
    assert counted(1, "picture") == "1 picture"
    assert counted(0, "picture") == "0 pictures"
    assert counted(1200, "class", "classes") == "1,200 classes"
    assert counted(1, "class", "classes") == "1 class"


def test_bytes_that_are_characters_after_all() -> None:
    assert joined_bytes("\udcc3\udca9.png") == "é.png"  # as the C locale has "é"
    assert joined_bytes("caf\udce9 猫") == "caf\udce9 猫"


@given(st.binary(min_size=1))
def test_json_keeps_every_name_of_a_file(name: bytes) -> None:
    text = as_json({"path": os.fsdecode(name), "猫": [1.5, None]})
    text.encode()  # valid UTF-8, and so valid JSON
    assert "猫" in text
    assert os.fsencode(json.loads(text)["path"]) == name


@given(st.text(st.characters(codec=None)))
def test_json_of_any_text(text: str) -> None:
    as_json(text).encode()
    assert isinstance(json.loads(as_json(text)), str)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_json_has_no_numbers_that_are_none(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json({"loss": [value]})

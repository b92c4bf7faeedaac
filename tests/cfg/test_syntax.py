"""What the reader makes of any text is what the C program makes of it."""

from __future__ import annotations

import math
import re

from hypothesis import example, given
from hypothesis import strategies as st

from darknet_py.cfg import syntax
from darknet_py.cfg.sections import MAX_INT, Section, parse_sections
from darknet_py.errors import CfgError
from tests.support import c_reader

WORDS = [
    "layers",
    "pad",
    "18#255",
    "3G",
    ".1,,10",
    "1,",
    "0x10",
    "1e-3",
    "# a, b",
    "#why",
    "=",
    ",",
]
PIECES = st.one_of(
    st.sampled_from(WORDS), st.text(st.sampled_from("ab19.-+e=#;,[] \t"), max_size=5)
)
KEYS = st.sampled_from(["pad", "pad ", "p ad", "layers", "", "#", ";a"])
LINES = st.one_of(
    st.builds("{}={}{}".format, KEYS, PIECES, PIECES),
    st.builds("{} = {} {}".format, KEYS, PIECES, PIECES),
    st.sampled_from(["[max]", " [ max ]", "pad", "pad=", "[conv]\t# first", ""]),
    PIECES,
)


def text_of(lines: list[str], end: str) -> str:
    return end.join(["[net]", *lines])


@given(st.lists(LINES, max_size=8), st.sampled_from(["\n", "\r\n"]))
@example(["pad", "pad=1"], "\n")
@example(["pad=", "pad=2", "pad=1"], "\n")
@example(["pad==1", "=pad"], "\n")
@example(["layers=-1,8 # a,b"], "\n")
def test_sections_and_values_are_the_c_programs(lines: list[str], end: str) -> None:
    text = text_of(lines, end)
    theirs = c_reader.read_cfg(text)
    assert theirs is not None
    try:
        ours = parse_sections(text)
    except CfgError:
        # a section that is none: the C program goes on, and ends at a layer that it does not know
        names = [section.type for section in theirs]
        assert any(
            name[-1] != "]" or len(name) < 3 or "[" in name[1:] or "]" in name[:-1]
            for name in names
        )
        return
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        # only behind a section's name is a comment one to us alone
        assert f"[{our.name}]" == their.type.partition("]#")[0].rstrip("]") + "]"
        keys = {key for key, _ in their.options if key}
        for key in keys:
            same_value(our, their, key)
        assert our.values.keys() <= keys


def same_value(our: Section, their: c_reader.CSection, key: str) -> None:
    value = their.find(key)
    if value is None:
        assert key not in our
        return
    read = our.values[key].text
    assert read == value or is_commented(key, read, value)
    assert our.get_int(key, -7) == max(-MAX_INT, min(c_reader.atoi(value), MAX_INT))
    number = c_reader.atof(value)
    if math.isfinite(number):
        assert our.get_float(key, -7) == number
    assert our.get_flag(key) == (c_reader.atoi(value) != 0)
    listed = (value if key == "layers" else read).split(",")
    if all(math.isfinite(c_reader.atof(part)) for part in listed):
        assert our.get_floats(key) == [c_reader.atof(part) for part in listed]


def is_commented(key: str, read: str, value: str) -> bool:
    """Whether a value is numbers that `read` has all of, and a comment, which is no part of them to
    atoi and atof. Of all keys only layers= has as many numbers as there are commas in it: in other
    lists AlexeyAB's program stops at `#`, and more than are asked for do not count."""
    numbers_alone = all(re.fullmatch(r"[-+.0-9eE]+", part) for part in read.split(","))
    counted = key == "layers" and value.count(",") != read.count(",")
    return value.startswith(f"{read}#") and numbers_alone and not counted


@given(st.text(st.sampled_from("0123456789+-.eExXpPaAfFiInNtTyY#, \v_\u0663"), max_size=12))
@example("0x1.8p3z")
@example("1e+")
@example("-0x")
@example("infinitys")
@example("9" * 5000)
@example("-2147483649")
def test_numbers_are_the_c_programs(text: str) -> None:
    number, whole = syntax.atoi(text)
    value = c_reader.atoi(text[:4000])
    assert number == max(-MAX_INT - 1, min(value, MAX_INT))
    assert not whole or int(text) == number
    real, whole = syntax.atof(text[:400])
    expected = c_reader.atof(text[:400])
    assert real == expected or (math.isnan(real) and math.isnan(expected))
    if whole and "x" not in text.lower():
        assert float(text) == real or math.isnan(real)


@given(st.lists(LINES, max_size=8))
def test_what_was_not_read_as_it_stands_is_said(lines: list[str]) -> None:
    """Of each line that is no comment: its key and value were read, there or before, or a warning
    names it."""
    try:
        sections = parse_sections(text_of(lines, "\n"))
    except CfgError:
        return
    for section in sections:
        for key in section.values:
            section.get_text(key, "")
    said = {line for section in sections for line, _ in section.warnings()}
    for number, line in enumerate(lines, start=2):
        bare = c_reader.strip(line)
        if not bare or bare[0] in "#;[":
            continue
        key, _, text = bare.partition("=")
        (section,) = [each for each in sections if each.line < number][-1:]
        value = section.values.get(key)
        kept = value is not None and (
            (value.text == text and value.line <= number)
            or (value.line == number and is_commented(key, value.text, text))
        )
        joins_two = re.search(r"=[^#]*[\w.]\s+[\w.]", line) is not None
        assert (number in said) == (not kept or joins_two)

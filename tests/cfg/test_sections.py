from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darknet_py.cfg.sections import MAX_INT, Section, Value, parse_sections, read_sections
from darknet_py.errors import CfgError


def section(text: str) -> Section:
    """The one section of `[some]` and these lines."""
    (only,) = parse_sections(f"[some]\n{text}", "my.cfg")
    return only


def mistake(act: Callable[[], Any]) -> str:
    with pytest.raises(CfgError) as caught:
        act()
    return str(caught.value)


# The grammar


def test_sections_in_order_with_their_lines() -> None:
    sections = parse_sections("# a net\n[net]\nbatch=1\n\n[max]\n[max]\nsize=2\n", "my.cfg")
    assert [(s.name, s.line) for s in sections] == [("net", 2), ("max", 5), ("max", 6)]
    assert [s.values for s in sections] == [
        {"batch": Value("1", 3)},
        {},
        {"size": Value("2", 7)},
    ]
    assert all(s.path == "my.cfg" for s in sections)


@pytest.mark.parametrize(
    "line",
    ["key=a b", "key = a b", "  key\t=  a b  ", "key=a b # why", "key=a b\t#", "key= a b\r"],
)
def test_blanks_and_comments_do_not_matter(line: str) -> None:
    assert section(line).get_text("key", "") == "a b"


@pytest.mark.parametrize("head", ["[net]", " [net] ", "[ net ]", "[net] # why"])
def test_blanks_around_a_sections_name(head: str) -> None:
    (only,) = parse_sections(head)
    assert only.name == "net"


def test_a_value_may_hold_anything_else() -> None:
    assert section("key=a=b;c#d").get_text("key", "") == "a=b;c#d"


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "my.cfg"
    path.write_bytes(b"\xef\xbb\xbf[net]\r\nbatch = 8 # of 8\r\n\r\n; old\r\n[softmax]\r\n")
    net, softmax = read_sections(path)
    assert net.get_int("batch", 1) == 8
    assert (softmax.name, softmax.line, softmax.path) == ("softmax", 5, path)


def test_nothing_is_no_section() -> None:
    assert parse_sections("# nothing\n\n") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batch=1", "1: batch=1 stands before any section: expected [net] first"),
        ("\n[net\n", "2: [net: expected a section like [convolutional]"),
        ("[]", "1: []: expected a section like [convolutional]"),
        ("[ ]", "1: [ ]: expected a section like [convolutional]"),
        ("[a]b", "1: [a]b: expected a section like [convolutional]"),
        ("[a] [b]", "1: [a] [b]: expected a section like [convolutional]"),
        ("[[a]]", "1: [[a]]: expected a section like [convolutional]"),
        ("[a]\nbatch", "2: batch: expected key=value or [section]"),
        ("[a]\n=1", "2: =1: expected key=value or [section]"),
        ("[a]\nbatch=", "2: [a] batch= has no value"),
        ("[a]\nbatch= # 8", "2: [a] batch= has no value"),
        ("[a]\nx=1\ny=1\nx=1", "4: [a] x= is given twice (first on line 2)"),
        ("[a]\n" + "x" * 99, "2: " + "x" * 57 + "...: expected key=value or [section]"),
        ("[a]\nx\x07y", "2: x?y: expected key=value or [section]"),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    assert mistake(lambda: parse_sections(text, "my.cfg")) == f"my.cfg:{message}"


def test_an_error_knows_its_place() -> None:
    with pytest.raises(CfgError) as caught:
        parse_sections("[a]\n\nbad", "my.cfg")
    assert (caught.value.path, caught.value.line) == ("my.cfg", 3)


# Getters


def test_a_key_that_is_not_there_has_its_default() -> None:
    empty = section("")
    assert empty.get_text("a", "b") == "b"
    assert empty.get_int("a", -5, minimum=1) == -5
    assert empty.get_float("a", -0.5, minimum=1) == -0.5
    assert empty.get_flag("a") is False
    assert empty.get_flag("a", True) is True
    assert empty.get_choice("a", "other", ["one"]) == "other"
    assert empty.get_ints("a") == []
    assert empty.get_ints("a", [1]) == [1]
    assert empty.get_floats("a") == []
    assert empty.get_floats("a", [0.5]) == [0.5]
    assert "a" not in empty


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("+7", 7), ("-12", -12), ("007", 7), (str(MAX_INT), MAX_INT)]
)
def test_get_int(text: str, value: int) -> None:
    found = section(f"a={text}").get_int("a", 1)
    assert found == value
    assert type(found) is int


@pytest.mark.parametrize(
    "text",
    ["1.0", "1e3", "0x10", "1 2", "1,2", "٣", "1_000", "--1", "one", "2147483648", "9" * 50],
)
def test_what_is_no_int(text: str) -> None:
    assert mistake(lambda: section(f"a={text}").get_int("a", 1)) == (
        f"my.cfg:2: [some] a={text}: expected a whole number"
    )


@pytest.mark.parametrize(
    ("limits", "range_"),
    [
        ({"minimum": 2}, " of 2 or more"),
        ({"maximum": 0}, " of at most 0"),
        ({"minimum": -1, "maximum": 0}, " from -1 to 0"),
    ],
)
def test_ranges_of_ints(limits: dict[str, int], range_: str) -> None:
    for value in (limits.get("minimum"), limits.get("maximum")):
        if value is not None:
            assert section(f"a={value}").get_int("a", 9, **limits) == value
    outside = limits["minimum"] - 1 if "minimum" in limits else limits["maximum"] + 1
    assert mistake(lambda: section(f"a={outside}").get_int("a", 9, **limits)) == (
        f"my.cfg:2: [some] a={outside}: expected a whole number{range_}"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [(".1", 0.1), ("1.", 1.0), ("-1.5", -1.5), ("+2", 2.0), ("1e-3", 1e-3), ("5E+2", 500.0)],
)
def test_get_float(text: str, value: float) -> None:
    found = section(f"a={text}").get_float("a", 1)
    assert found == value
    assert type(found) is float


@pytest.mark.parametrize(
    "text", [".", "e5", "nan", "inf", "-infinity", "1e999", "1,5", "1f", "1_0", "٣"]
)
def test_what_is_no_float(text: str) -> None:
    assert mistake(lambda: section(f"a={text}").get_float("a", 1)) == (
        f"my.cfg:2: [some] a={text}: expected a number"
    )


@pytest.mark.parametrize(
    ("limits", "inside", "outside", "range_"),
    [
        ({"minimum": 0.5}, "0.5", "0.4", " of 0.5 or more"),
        ({"maximum": 1e-6}, "1e-6", "1.1e-6", " of at most 1e-06"),
        ({"minimum": 0, "maximum": 1}, "1", "1.001", " from 0 to 1"),
    ],
)
def test_ranges_of_floats(limits: dict[str, float], inside: str, outside: str, range_: str) -> None:
    assert section(f"a={inside}").get_float("a", 9, **limits) == float(inside)
    assert mistake(lambda: section(f"a={outside}").get_float("a", 9, **limits)) == (
        f"my.cfg:2: [some] a={outside}: expected a number{range_}"
    )


def test_get_flag() -> None:
    assert section("a=1").get_flag("a") is True
    assert section("a=0").get_flag("a", True) is False
    for text in ("2", "-1", "true", "yes", "1.0"):
        some = section(f"a={text}")
        expected = f"my.cfg:2: [some] a={text}: expected 0 or 1"
        assert mistake(partial(some.get_flag, "a")) == expected


def test_get_choice() -> None:
    assert section("a=two").get_choice("a", "one", {"two": 2, "one": 1}) == "two"
    assert mistake(lambda: section("a=Two").get_choice("a", "one", ["two", "one"])) == (
        "my.cfg:2: [some] a=Two: expected one of one, two"
    )


def test_lists() -> None:
    assert section("a=1").get_ints("a") == [1]
    assert section("a=1,-2, 3 ,").get_ints("a") == [1, -2, 3]
    assert section("a=.1,2,1e3,").get_floats("a") == [0.1, 2, 1000]
    for text in ("1,,2", ",", "1;2", "1 2", "1.5", "1,a"):
        some = section(f"a={text}")
        expected = f"my.cfg:2: [some] a={text}: expected whole numbers separated by commas"
        assert mistake(partial(some.get_ints, "a")) == expected
    for text in (".1,,2", ",", "nan", "1,a"):
        some = section(f"a={text}")
        expected = f"my.cfg:2: [some] a={text}: expected numbers separated by commas"
        assert mistake(partial(some.get_floats, "a")) == expected


def test_a_default_list_is_not_handed_on_to_be_changed() -> None:
    empty = section("")
    empty.get_ints("a").append(1)
    assert empty.get_ints("a") == []


def test_unread() -> None:
    some = section("a=1\nb=2\n\nc=3")
    assert some.unread() == [(2, "a"), (3, "b"), (5, "c")]
    some.get_int("b", 0)
    some.get_int("d", 0)
    assert "a" in some
    assert some.unread() == [(2, "a"), (5, "c")]


def test_a_key_that_cannot_be_read_was_read() -> None:
    some = section("a=x")
    mistake(lambda: some.get_int("a", 0))
    assert some.unread() == []


def test_fail() -> None:
    some = section("\na=1")
    assert mistake(lambda: some.fail("is wrong")) == "my.cfg:1: [some] is wrong"
    assert mistake(lambda: some.fail("is wrong", "a")) == "my.cfg:3: [some] is wrong"
    assert mistake(lambda: some.fail("is wrong", "b")) == "my.cfg:1: [some] is wrong"


# Any text

NAMES = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters="[]=#;"), min_size=1, max_size=8
)
VALUES = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters="#;"), min_size=1, max_size=8
)


@given(
    st.lists(st.tuples(NAMES, st.dictionaries(NAMES, VALUES, max_size=4)), max_size=5),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["=", " = ", "\t="]),
    st.sampled_from(["", " ", "\t# why", " # [a]"]),
)
def test_what_is_printed_is_parsed(
    printed: list[tuple[str, dict[str, str]]], end: str, equals: str, after: str
) -> None:
    lines = []
    for name, keys in printed:
        lines.append(f"[{name}]{after}")
        lines += [f"{key}{equals}{text}{after}" for key, text in keys.items()]
    parsed = [
        (some.name, {key: value.text for key, value in some.values.items()})
        for some in parse_sections(end.join(lines))
    ]
    assert parsed == printed


def read_every_way(sections: list[Section]) -> list[str]:
    """What the getters say of every value, and the warnings that a builder makes of keys."""
    messages = []
    for some in sections:
        for key in some.values:
            for getter in ("get_int", "get_float", "get_flag", "get_ints", "get_floats"):
                try:
                    getattr(some, getter)(key, 0)
                except CfgError as error:
                    messages.append(str(error))
    return messages


@given(
    st.one_of(
        st.text(max_size=60),
        st.text(st.sampled_from("[]=#; ,ab01.-e\n\r\t\x1b\x85\u2028\u202e"), max_size=60),
        st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
    )
)
@example("[a]\n\x1b[31m=1\n\x1b[31m=2")
@example("[\x1b]2;a\x07]\nb=")
@example("[a\u2028b]\nc")
@example("[a\x1bb]\nc=")
@example("[a]\nc\u2028d=1")
@example("[a]\n" + "k" * 5000 + "=x")
def test_any_text_is_parsed_or_an_error_of_one_line(text: str) -> None:
    messages = []
    try:
        messages = read_every_way(parse_sections(text, "my.cfg"))
    except CfgError as error:
        messages = [str(error)]
    for message in messages:
        assert message.startswith("my.cfg:")
        assert message.isprintable()
        assert len(message) < 300


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_what_python_reads(number: float) -> None:
    assert section(f"a={number!r}").get_float("a", 0) == number
    assert math.isfinite(number)


@given(st.integers(-MAX_INT, MAX_INT))
def test_ints_are_what_python_reads(number: int) -> None:
    assert section(f"a={number}").get_int("a", 0) == number

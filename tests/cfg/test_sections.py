from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darknet_py.cfg import sections as sections_module
from darknet_py.cfg.sections import (
    MAX_INT,
    Section,
    Value,
    parse_sections,
    read_sections,
    shown,
)
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
    "line", ["key=ab", "key=a b", "key = a b", "  k ey\t=  a b  ", "key= a\tb\r", "key=a\rb"]
)
def test_blanks_do_not_matter(line: str) -> None:
    assert section(line).get_text("key", "") == "ab"


@pytest.mark.parametrize("line", ["key=3 # why", "key = 3\t#", "key=3 #a, #b", "key= 3 # # 4"])
def test_a_comment_behind_a_number_does_not_matter(line: str) -> None:
    some = section(line)
    assert some.values == {"key": Value("3", 2)}
    assert (some.get_int("key", 0), some.warnings()) == (3, [])


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("key=leaky # why", "leaky#why"),
        ("layers=1,2 # a, b", "1,2#a,b"),
        ("layers=1 # a,", "1#a,"),
        ("key=18#255", "18#255"),
        ("key= # 8", "#8"),
        ("key=1x # y", "1x#y"),
    ],
)
def test_elsewhere_a_comment_is_part_of_the_value(line: str, value: str) -> None:
    (read,) = section(line).values.values()
    assert read == Value(value, 2)


@pytest.mark.parametrize("head", ["[net]", " [net] ", "[ n et ]", "[net] # why"])
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
        ("[ ]", "1: []: expected a section like [convolutional]"),
        ("[net]#why", "1: [net]#why: expected a section like [convolutional]"),
        ("[net]\n[net", "2: [net: expected a section like [convolutional]"),
        ("[a]b", "1: [a]b: expected a section like [convolutional]"),
        ("[a] [b]", "1: [a][b]: expected a section like [convolutional]"),
        ("[[a]]", "1: [[a]]: expected a section like [convolutional]"),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    assert mistake(lambda: parse_sections(text, "my.cfg")) == f"my.cfg:{message}"


def test_an_error_knows_its_place() -> None:
    with pytest.raises(CfgError) as caught:
        parse_sections("[a]\n\n[bad", "my.cfg")
    assert (caught.value.path, caught.value.line) == ("my.cfg", 3)


@pytest.mark.parametrize(
    ("text", "values", "warnings"),
    [
        ("batch 8", {}, [(2, "batch8 is no key=value: passed over")]),
        ("=1", {}, [(2, "=1 is no key=value: passed over")]),
        ("x= ", {}, [(2, "x= has no value: passed over")]),
        ("x=\nx=2", {"x": Value("2", 3)}, [(2, "x= has no value: passed over")]),
        (
            "x=1\ny=1\nx=2",
            {"x": Value("1", 2), "y": Value("1", 3)},
            [(4, "x=2 does not count: x=1 on line 2 comes first")],
        ),
        ("x=1\ny=1\nx = 1", {"x": Value("1", 2), "y": Value("1", 3)}, []),
        (
            "x\nx=1",
            {},
            [
                (2, "x is no key=value: passed over"),
                (3, "x=1 does not count: x on line 2 comes first, and has no value"),
            ],
        ),
        ("x=1\nx", {"x": Value("1", 2)}, [(3, "x is no key=value: passed over")]),
        ("<<<<<<< HEAD", {}, [(2, "<<<<<<<HEAD is no key=value: passed over")]),
        ("x" * 99, {}, [(2, "x" * 57 + "... is no key=value: passed over")]),
        ("x\x07y", {}, [(2, "x\\x07y is no key=value: passed over")]),
    ],
)
def test_what_the_c_program_passes_over_is_said(
    text: str, values: dict[str, Value], warnings: list[tuple[int, str]]
) -> None:
    some = section(text)
    assert some.values == values
    for key in values:
        some.get_text(key, "")
    assert some.warnings() == [(line, f"[some] {message}") for line, message in warnings]


def test_the_name_of_a_section_is_cut_in_messages() -> None:
    (some,) = parse_sections(f"[{'x' * 1000}]\nsize=\nsize=x\n", "my.cfg")
    assert len(mistake(lambda: some.fail("is no layer"))) < 200
    assert len(mistake(lambda: some.get_int("size", 1, minimum=2))) < 200
    assert all(len(message) < 200 for _, message in some.warnings())


@pytest.mark.parametrize("piece", ["1", "=", "1 ", " ", ",", "1,", "#", " #", ".", "e", "\v", "["])
def test_a_long_line_is_read_in_time_that_grows_with_it(piece: str) -> None:
    text = f"[some]\na=1{piece * 100_000}x # b"
    start = time.process_time()
    (some,) = parse_sections(text)
    some.get_int("a", 0)
    some.get_floats("a", training=True)
    assert time.process_time() - start < 3


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
def test_lines_end_in_lf_with_or_without_cr_or_all_in_cr(end: str) -> None:
    (some,) = parse_sections(end.join(["[some]", "", "a=1", "b=2"]))
    assert some.values == {"a": Value("1", 3), "b": Value("2", 4)}


def test_bytes_that_are_no_utf_8_are_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "latin.cfg"
    path.write_bytes(b"# Gr\xf6\xdfe\n[net]\nbatch=8 # f\xfcr\nn\xe4me=\xff\n")
    (net,) = read_sections(path)
    assert net.get_int("batch", 1) == 8
    assert net.warnings() == [(4, "[net] n\xe4me= is not used")]


def test_zero_bytes_are_no_cfg(tmp_path: Path) -> None:
    path = tmp_path / "some.weights"
    path.write_bytes(bytes(20))
    assert mistake(lambda: read_sections(path)).startswith(f"{path}")


def test_what_is_too_large_for_a_cfg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.cfg"
    path.write_bytes(b"#" * 1025)
    monkeypatch.setattr(sections_module, "MAX_BYTES", 1 << 20)
    assert read_sections(path) == []
    path.write_bytes(b"#" * ((1 << 20) + 1))
    too_large = f"{path}: is larger than 1 MiB: is it the right file?"
    assert mistake(lambda: read_sections(path)) == too_large
    monkeypatch.setattr(sections_module, "MAX_LINE", 20)
    assert mistake(lambda: parse_sections("[a]\nb=" + "1" * 30, "my.cfg")) == (
        "my.cfg:2: is longer than 20 letters: is this a cfg?"
    )
    monkeypatch.undo()
    monkeypatch.setattr(sections_module, "MAX_SECTIONS", 3)
    assert len(parse_sections("[a]\n" * 3)) == 3
    assert mistake(lambda: parse_sections("[a]\n" * 4, "my.cfg")) == (
        "my.cfg:4: has more than 3 sections: is it a cfg?"
    )
    monkeypatch.setattr(sections_module, "MAX_LINES", 5)
    assert len(parse_sections("[a]\n" + "\n" * 9)) == 1
    assert mistake(lambda: parse_sections("[a]\n" + "b=1\n" * 5, "my.cfg")) == (
        "my.cfg: has more than 5 lines: is it a cfg?"
    )


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
    ("text", "value"),
    [
        *(("5.7", 5), ("1e3", 1), ("0x10", 0), ("1,2", 1), ("\u0663", 0), ("1_000", 1), ("--1", 0)),
        *(("one", 0), ("18#255", 18), ("3G", 3), ("#8", 0), ("-7-", -7), ("+", 0), ("\v5", 5)),
        *((str(MAX_INT + 1), MAX_INT), ("9" * 50, MAX_INT), ("9" * 5000, MAX_INT)),
        ("-9999999999", -MAX_INT - 1),
    ],
)
def test_ints_are_read_as_atoi_does(text: str, value: int) -> None:
    some = section(f"a={text}")
    assert some.get_int("a", 1, minimum=-MAX_INT - 1) == value
    said = [(2, f"[some] a={shown(text)} is read as {value}")]
    assert some.warnings() == (said if text != "\v5" else [])


def test_a_blank_that_parts_two_numbers_is_lost_and_that_is_said() -> None:
    some = section("a= 1 2 # 3\nb= + 5\nc=1 , 2 ,\t3\nd=.1\t.2 # a b\ne=-1 \t8")
    assert (some.get_int("a", 0), some.get_int("b", 0)) == (12, 5)
    assert (some.get_ints("c"), some.get_float("d", 0), some.get_ints("e")) == (
        [1, 2, 3],
        0.1,
        [-18],
    )
    assert some.warnings() == [
        (2, "[some] a= 1 2 # 3 is read as a=12"),
        (5, "[some] d=.1\\t.2 # a b is read as d=.1.2#ab"),
        (5, "[some] d=.1.2#ab is read as 0.1"),
        (6, "[some] e=-1 \\t8 is read as e=-18"),
    ]


def test_a_warning_is_said_once() -> None:
    some = section("a=5x\nb=2")
    for _ in range(3):
        some.get_int("a", 1)
        some.get_flag("b")
    assert some.warnings() == [
        (2, "[some] a=5x is read as 5"),
        (3, "[some] b=2 is read as 1"),
    ]


@pytest.mark.parametrize(
    ("limits", "range_"),
    [
        ({"minimum": 2}, " of 2 or more"),
        ({"maximum": 0}, " of at most 0"),
        ({"minimum": -1, "maximum": 0}, " from -1 to 0"),
    ],
)
def test_ranges_of_ints(limits: dict[str, Any], range_: str) -> None:
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
    ("text", "value"),
    [
        *((".", 0), ("e5", 0), ("1,5", 1), ("1f", 1), ("1_0", 1), ("\u0663", 0), ("1e", 1)),
        *((".1.2", 0.1), ("1e-3x", 0.001), ("x", 0), ("0x10z", 16), ("2.5#why", 2.5)),
    ],
)
def test_floats_are_read_as_atof_does(text: str, value: float) -> None:
    some = section(f"a={text}")
    assert some.get_float("a", 9) == value
    assert some.warnings() == [(2, f"[some] a={text} is read as {value:g}")]


@pytest.mark.parametrize(("text", "value"), [("0x10", 16), ("0x.8p1", 1)])
def test_floats_of_other_spellings(text: str, value: float) -> None:
    some = section(f"a={text}")
    assert (some.get_float("a", 9), some.warnings()) == (value, [])


@pytest.mark.parametrize("text", ["nan", "inf", "-infinity", "1e999", "0x1p9999"])
def test_what_is_no_finite_number(text: str) -> None:
    some = section(f"a={text}")
    for read in (partial(some.get_float, "a", 1), partial(some.get_floats, "a")):
        assert mistake(read).startswith(f"my.cfg:2: [some] a={text}: expected ")


@pytest.mark.parametrize(
    ("limits", "inside", "outside", "range_"),
    [
        ({"minimum": 0.5}, "0.5", "0.4", " of 0.5 or more"),
        ({"maximum": 1e-6}, "1e-6", "1.1e-6", " of at most 1e-06"),
        ({"minimum": 0, "maximum": 1}, "1", "1.001", " from 0 to 1"),
    ],
)
def test_ranges_of_floats(limits: dict[str, Any], inside: str, outside: str, range_: str) -> None:
    assert section(f"a={inside}").get_float("a", 9, **limits) == float(inside)
    assert mistake(lambda: section(f"a={outside}").get_float("a", 9, **limits)) == (
        f"my.cfg:2: [some] a={outside}: expected a number{range_}"
    )


def test_get_flag() -> None:
    assert section("a=1").get_flag("a") is True
    assert section("a=0").get_flag("a", True) is False
    for text, value in (("2", 1), ("-1", 1), ("true", 0), ("yes", 0), ("1.0", 1), ("0#1", 0)):
        some = section(f"a={text}")
        assert some.get_flag("a") is bool(value)
        assert some.warnings() == [(2, f"[some] a={text} is read as {value}")]


def test_get_choice() -> None:
    assert section("a=two").get_choice("a", "one", {"two": 2, "one": 1}) == "two"
    assert mistake(lambda: section("a=Two").get_choice("a", "one", ["two", "one"])) == (
        "my.cfg:2: [some] a=Two: expected one of one, two"
    )
    some = section("a=Two")
    assert some.get_choice("a", "one", ["two", "one"], fallback="two") == "two"
    assert some.warnings() == [
        (2, "[some] a=Two is unknown and read as two: expected one of one, two")
    ]


@pytest.mark.parametrize(
    ("text", "value", "read"),
    [
        ("1", [1], None),
        ("1,-2, 3", [1, -2, 3], None),
        ("1,-2,", [1, -2, 0], "1,-2,0"),
        ("1,,2", [1, 0, 2], "1,0,2"),
        (",", [0, 0], "0,0"),
        ("1;2", [1], "1"),
        ("1.5,a", [1, 0], "1,0"),
        ("1,2 # three", [1, 2], None),
        ("1,2 # a, b", [1, 2], None),
        ("1,2#a, b", [1, 2, 0], "1,2,0"),
    ],
)
def test_get_ints(text: str, value: list[int], read: str | None) -> None:
    some = section(f"a={text}")
    assert some.get_ints("a") == value
    stands = some.values["a"].text
    assert some.warnings() == ([(2, f"[some] a={stands} is read as {read}")] if read else [])


@pytest.mark.parametrize("text", ["1,2x # a, b", "1,2#a,b", "1,2#"])
def test_a_comment_ends_a_list_where_it_may(text: str) -> None:
    some = section(f"a={text}")
    assert some.get_floats("a", comment=True) == [1, 2]
    assert [message for _, message in some.warnings()] == [
        f"[some] a={some.values['a'].text} is read as 1,2"
    ]


def test_get_floats() -> None:
    some = section("a=.1,2,1e3\nb=.1,,10")
    assert some.get_floats("a") == [0.1, 2, 1000]
    assert some.get_floats("b") == [0.1, 0, 10]
    assert some.warnings() == [(3, "[some] b=.1,,10 is read as 0.1,0,10")]


def test_what_only_matters_in_training_waits_for_it() -> None:
    some = section("a=-1\nb=inf\nc=two\nd=3\ne=1,nan")
    assert some.get_int("a", 5, minimum=0, training=True) == 0
    assert some.get_float("b", 5, training=True) == 5
    assert some.get_choice("c", "one", ["one"], training=True) == "one"
    assert some.get_float("d", 1, maximum=1, training=True) == 1
    assert some.get_floats("e", training=True) == []
    messages = [
        "a=-1: expected a whole number of 0 or more",
        "b=inf: expected a number",
        "c=two: expected one of one",
        "d=3: expected a number of at most 1",
        "e=1,nan: expected numbers separated by commas",
    ]
    assert some.warnings() == [
        (line, f"[some] {message}: it cannot be trained")
        for line, message in enumerate(messages, start=2)
    ]
    assert mistake(some.check_trainable) == f"my.cfg:2: [some] {messages[0]}"
    section("a=1").check_trainable()


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
    mistake(lambda: some.get_int("a", 0, minimum=1))
    assert some.unread() == []


def test_keys_that_are_skipped_are_no_news() -> None:
    some = section("a=1\nb=1")
    some.skip(["a", "c"])
    assert some.warnings() == [(3, "[some] b= is not used")]
    assert (some.is_read("a"), some.is_read("b")) == (True, False)


def test_an_error_of_a_section_names_the_line_that_was_passed_over() -> None:
    some = section("layers: -1\nother")
    assert mistake(lambda: some.fail("layers= is missing")) == (
        "my.cfg:1: [some] layers= is missing (line 2 is no key=value, and was passed over)"
    )


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
    st.sampled_from(["", " ", "\t"]),
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
        messages += [f"my.cfg:{line}: {message}" for line, message in some.warnings()]
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

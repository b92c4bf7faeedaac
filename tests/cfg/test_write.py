from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darknet_py.cfg.sections import Section, Value, parse_sections, read_sections
from darknet_py.cfg.write import changed, write_sections
from darknet_py.errors import CfgError

CFG = Path(__file__).parents[2] / "cfg"

_pieces = st.text(st.sampled_from("ab1.,-=;#[] \t\u00e9\u2003"), max_size=6)
_lines = st.one_of(
    st.builds("[{}]".format, _pieces), st.builds("{}={}".format, _pieces, _pieces), _pieces
)


def contents(sections: list[Section]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What sections say, without the lines where they say it."""
    return [
        (section.name, [(key, value.text) for key, value in section.values.items()])
        for section in sections
    ]


def convolution() -> Section:
    text = "[net]\n\n[convolutional]\nfilters=8\nbatch_normalize = 1 # norm\nsize=3\n"
    return parse_sections(text, "my.cfg")[1]


def parsed(lines: list[str]) -> list[Section]:
    """The sections of those of the lines that a cfg may have."""
    kept = ["[first]"]
    for line in lines:
        try:
            parse_sections("\n".join([*kept, line]))
        except CfgError:
            continue
        kept.append(line)
    return parse_sections("\n".join(kept))


@given(st.lists(_lines, max_size=12))
@example(["[net]", "a=b=c;d#e"])
def test_what_is_written_reads_back(lines: list[str]) -> None:
    sections = parsed(lines)
    text = write_sections(sections)
    assert contents(parse_sections(text)) == contents(sections)
    assert write_sections(parse_sections(text)) == text


@pytest.mark.parametrize("path", sorted(CFG.glob("*.cfg")), ids=lambda path: path.stem)
def test_the_networks_read_back(path: Path) -> None:
    sections = read_sections(path)
    assert contents(parse_sections(write_sections(sections))) == contents(sections)


def test_the_text() -> None:
    sections = parse_sections("# mine\n[net]\nheight = 4 # rows\nwidth=4\n[softmax]\n")
    assert write_sections(sections) == "[net]\nheight=4\nwidth=4\n\n[softmax]\n"
    assert write_sections([]) == ""


def test_keys_change_in_place_and_come_last_where_they_are_new() -> None:
    section = convolution()
    other = changed(section, filters=10, batch_normalize=None, scale=0.1, activation="leaky")
    assert list(other.values.items()) == [
        ("filters", Value("10", 4)),
        ("size", Value("3", 6)),
        ("scale", Value("0.1", 3)),
        ("activation", Value("leaky", 3)),
    ]
    assert (other.name, other.path, other.line) == ("convolutional", "my.cfg", 3)
    assert other.get_float("scale", 0) == 0.1


def test_the_section_stays_and_no_key_of_the_copy_counts_as_read() -> None:
    section = convolution()
    section.get_int("size", 1)
    other = changed(section, size=None, filters=2)
    assert contents([section]) == contents([convolution()])
    assert other.unread() == [(4, "filters"), (5, "batch_normalize")]


def test_what_is_not_there_is_easily_removed() -> None:
    assert contents([changed(convolution(), pad=None)]) == contents([convolution()])


@pytest.mark.parametrize("value", ["", " a", "a ", "a b", "a\nb", "3 #b", "a\r[net]"])
def test_a_value_must_read_back(value: str) -> None:
    for key in ("size", "new"):
        with pytest.raises(ValueError, match="cannot stand in a cfg"):
            changed(convolution(), **{key: value})

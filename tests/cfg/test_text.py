from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.cfg import text as text_module
from darknet_py.cfg.text import listed_lines, meaningful_lines, read_text, text_lines
from darknet_py.errors import CfgError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.cfg"


def mistake(path: Path | str) -> str:
    with pytest.raises(CfgError) as caught:
        read_text(path)
    return str(caught.value)


def test_text_is_utf_8(file: Path) -> None:
    file.write_bytes("naïve\n".encode())
    assert read_text(file) == "naïve\n"
    assert read_text(str(file)) == "naïve\n"


def test_a_byte_order_mark_is_left_out(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf[net]\n")
    assert read_text(file) == "[net]\n"


def test_what_is_no_text_is_an_error_with_its_line(file: Path) -> None:
    file.write_bytes(b"[net]\nbatch=1\n\xff\xfe\n")
    assert (
        mistake(file)
        == f"{file}:3: is not text in UTF-8: is it the right file? If so, save it as UTF-8"
    )
    file.write_bytes(b"[net]\nbatch=\0\n")
    assert mistake(file) == f"{file}:2: is not text (a zero byte): is it the right file?"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_the_encoding_of_some_editors_is_named(file: Path, encoding: str) -> None:
    file.write_text("cat\nsch\u00e4ferhund\n", encoding=encoding)
    assert mistake(file) == f"{file}: it is UTF-16: save as UTF-8"
    file.write_text("cat\n", encoding="utf-32")
    assert mistake(file) == f"{file}: it is UTF-32: save as UTF-8"


def test_bytes_of_names_of_files_may_stay(file: Path) -> None:
    file.write_bytes(b"caf\xe9.png\n")
    assert read_text(file, "surrogateescape") == "caf\udce9.png\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n", [(1, "")]),
        ("a\n\n# b\n ; c \r\n", [(1, "a"), (2, ""), (3, "# b"), (4, "; c")]),
        ("a\rb # c", [(1, "a"), (2, "b # c")]),
    ],
)
def test_all_lines(text: str, expected: list[tuple[int, str]]) -> None:
    assert list(text_lines(text)) == expected


def test_lines_of_a_list_are_whole() -> None:
    text = "a #0.png\n\n# all\n;b.png\n  #c\n./#d.png"
    assert list(listed_lines(text)) == [(1, "a #0.png"), (4, ";b.png"), (6, "./#d.png")]


def test_a_file_that_is_too_large_is_an_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "MAX_BYTES", 1 << 20)
    file.write_bytes(b"a" * (1 << 20))
    assert len(read_text(file)) == 1 << 20
    file.write_bytes(b"a" * ((1 << 20) + 1))
    assert mistake(file) == f"{file}: is larger than 1 MiB: is it the right file?"


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    assert mistake(tmp_path / "none.cfg") == f"{tmp_path}/none.cfg: no such file"
    assert mistake(tmp_path) == f"{tmp_path}: is a folder, not a file"
    assert mistake(tmp_path / "a" / ".." / "none.cfg").endswith(": no such file")
    assert mistake("a\0b") == "a\\x00b: embedded null byte"


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.cfg"
    path.write_bytes(raw)
    try:
        text = read_text(path)
    except CfgError as error:
        text, line = "", error.line
        found = [line is None or 1 <= line <= raw.count(b"\n") + 1]
    else:
        found = [text.encode() == raw.removeprefix(b"\xef\xbb\xbf")]
    assert found == [True]
    assert "\0" not in text


def lines(text: str) -> list[tuple[int, str]]:
    return list(meaningful_lines(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a\nb", [(1, "a"), (2, "b")]),
        ("\n\n  a b \t\n\n", [(3, "a b")]),
        ("# a\n  #b\n#\na", [(4, "a")]),
        ("; a\n  ;b\n;\na", [(4, "a")]),
        ("a # b\na\t#b\na #", [(1, "a"), (2, "a"), (3, "a")]),
        ("a#b\na;b\na ;b", [(1, "a#b"), (2, "a;b"), (3, "a ;b")]),
        ("a\r\nb\rc\n\rd", [(1, "a"), (2, "b"), (3, "c"), (5, "d")]),
        # what else str.splitlines takes for the end of a line is none here
        ("a\x0bb\x0cc\x1cd\x85e\u2028f", [(1, "a\x0bb\x0cc\x1cd\x85e\u2028f")]),
        ("\ufeffa", [(1, "\ufeffa")]),
    ],
)
def test_meaningful_lines(text: str, expected: list[tuple[int, str]]) -> None:
    assert lines(text) == expected


@given(st.text(st.sampled_from("ab #;=[]\n\r\t"), max_size=30))
def test_lines_are_pieces_of_the_text(text: str) -> None:
    all_lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = lines(text)
    assert [number for number, _ in found] == sorted({number for number, _ in found})
    for number, line in found:
        assert line
        assert line == line.strip()
        assert line[0] not in "#;"
        assert " #" not in line
        assert all_lines[number - 1].strip().startswith(line)
    left_out = set(range(1, len(all_lines) + 1)) - {number for number, _ in found}
    assert all(
        not all_lines[n - 1].strip() or all_lines[n - 1].strip()[0] in "#;" for n in left_out
    )


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), max_size=8))
def test_line_ends_do_not_matter(entries: list[str]) -> None:
    assert lines("\n".join(entries)) == lines("\r\n".join(entries)) == lines("\r".join(entries))

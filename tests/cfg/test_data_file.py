from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darknet_py.cfg.data_file import (
    DataFile,
    fault_of_name,
    is_data_file,
    names_text,
    read_data,
    read_lines,
    read_list,
)
from darknet_py.errors import CfgError

CFG = Path(__file__).parents[2] / "cfg"


def data(folder: Path, text: str | bytes) -> DataFile:
    path = folder / "my.data"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_data(path)


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(CfgError) as caught:
        data(folder, text)
    return str(caught.value).replace(f"{folder}/", "")


def test_every_key(tmp_path: Path) -> None:
    assert data(
        tmp_path,
        "classes=10\ntrain  = data/train.list\nvalid=data/a test.list # of 100\nlabels=l.txt\n"
        "names = n.txt\nbackup=/tmp/b/\ntop=2\n",
    ) == DataFile(
        path=tmp_path / "my.data",
        classes=10,
        train="data/train.list",
        valid="data/a test.list",
        labels="l.txt",
        names="n.txt",
        backup="/tmp/b/",
        top=2,
    )


def test_defaults(tmp_path: Path) -> None:
    assert data(tmp_path, "# nothing\n") == DataFile(
        path=tmp_path / "my.data",
        classes=2,
        train=None,
        valid=None,
        labels=None,
        names=None,
        backup=None,
        top=1,
    )


def test_labels_are_names_where_there_are_none(tmp_path: Path) -> None:
    assert data(tmp_path, "labels=l.txt").names == "l.txt"
    assert data(tmp_path, "names=n.txt").labels is None


def test_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    found = data(tmp_path, b"\xef\xbb\xbfclasses=3\r\n\r\n; old\r\ntop=2\r\n")
    assert (found.classes, found.top) == (3, 2)


def test_keys_of_any_hand(tmp_path: Path) -> None:
    """What the C program takes, and what people write."""
    found = data(
        tmp_path,
        "Classes = 5\t\t# how many\nTRAIN=data\\my.txt\nvalid =\nnames= n.txt\nclasses=80\n"
        "the end\n=3\nclases=4\neval=coco\ntop = 2;\n",
    )
    assert (found.classes, found.train, found.valid) == (5, "data\\my.txt", None)
    assert (found.names, found.backup, found.top) == ("n.txt", None, 2)
    assert [note.replace(f"{tmp_path}/", "") for note in found.notes] == [
        "my.data:5: classes= is given twice: the first counts, 5",
        "my.data:6: the end is passed over: expected key=value, as in classes=10",
        "my.data:7: =3 is passed over: expected key=value, as in classes=10",
        "my.data:8: clases= is a key that nobody reads",
        "my.data:10: top=2; is taken as 2",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("classes=0", "my.data:1: classes=0: expected a whole number of 1 or more"),
        ("\nclasses=ten", "my.data:2: classes=ten: expected a whole number of 1 or more"),
        ("top=0", "my.data:1: top=0: expected a whole number of 1 or more"),
        ("classes=99999999999999", "my.data:1: classes=99999999999999: expected a whole number"),
    ],
)
def test_mistakes_are_named(text: str, message: str, tmp_path: Path) -> None:
    assert mistake(tmp_path, text).startswith(message)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.data", b"", True),
        ("A.DATA", b"x", True),
        ("my.txt", b"# mine\nClasses = 3\n", True),
        ("my", b"train=x\n", True),
        ("my.txt", b"cat/1.png 0\n", False),
        ("my.txt", b"size=3.png\n", False),
        ("my.txt", b"\xff\xfe", False),
        ("my.txt", b"", False),
    ],
)
def test_what_is_a_data_file(name: str, content: bytes, expected: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert is_data_file(tmp_path / name) == expected


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for read in (read_data, read_lines):
        with pytest.raises(CfgError) as caught:
            read(tmp_path / "none")
        assert str(caught.value) == f"{tmp_path}/none: no such file"


def test_the_datasets_of_the_checkout() -> None:
    paths = sorted(CFG.glob("*.data"))
    assert len(paths) >= 2
    for path in paths:
        found = read_data(path)
        assert found.notes == []
        assert found.names
        for name in {found.names, found.labels or found.names}:  # a detector's has no labels
            assert len(read_lines(CFG.parent / name)) == found.classes


# Names and lists


def test_line_i_is_class_i(tmp_path: Path) -> None:
    path = tmp_path / "some.names"
    path.write_bytes(b"\xef\xbb\xbfcat\r\n\r\n# fox\r\n; owl \r\nhot dog # 2")
    assert read_lines(path) == ["cat", "", "# fox", "; owl", "hot dog # 2"]
    path.write_bytes(b"cat\ndog\n")
    assert read_lines(path) == ["cat", "dog"]


def test_entries_of_a_list(tmp_path: Path) -> None:
    path = tmp_path / "some.list"
    path.write_bytes(b"\xef\xbb\xbfdata/a b.jpg\r\n\r\n# data/d.jpg\r\ncat #0.png\r\ncaf\xe9")
    assert read_list(path) == [(1, "data/a b.jpg"), (4, "cat #0.png"), (5, "caf\udce9")]
    path.write_bytes(b"\n# nothing\n")
    assert read_list(path) == []


@example([" "])
@example(["# 1", "; x", "", "\ufeffa"])
@given(st.lists(st.text(st.sampled_from("a #;\n\r\t\ufeff\udce9\u3000"), max_size=4)))
def test_names_come_back_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.names"
    if any(fault_of_name(name) for name in names):
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            names_text(names)
        assert str(caught.value).isprintable()
        return
    path.write_text(names_text(names), encoding="utf-8", newline="")
    assert read_lines(path) == names


@example("\x1b=1\n\x1b=2")
@given(st.one_of(st.binary(max_size=80), st.text("a=# \n\x1b\x85\u2028", max_size=80)))
def test_any_file_is_read_or_an_error_of_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes | str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.data"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = f"{path}:"
    try:
        read_lines(path)
        read_data(path)
    except CfgError as error:
        message = str(error)
    assert message.startswith(f"{path}:")
    assert message.isprintable()

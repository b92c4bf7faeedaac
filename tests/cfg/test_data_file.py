from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darknet_py.cfg.data_file import DataFile, read_data, read_lines
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
        unread=[],
    )


def test_defaults(tmp_path: Path) -> None:
    assert data(tmp_path, "# nothing\n") == DataFile(
        path=tmp_path / "my.data",
        classes=2,
        train=None,
        valid=None,
        labels=None,
        names=None,
        backup="backup",
        top=1,
        unread=[],
    )


def test_labels_are_names_where_there_are_none(tmp_path: Path) -> None:
    assert data(tmp_path, "labels=l.txt").names == "l.txt"
    assert data(tmp_path, "names=n.txt").labels is None


def test_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    found = data(tmp_path, b"\xef\xbb\xbfclasses=3\r\n\r\n; old\r\ntop=2\r\n")
    assert (found.classes, found.top) == (3, 2)


def test_unread_keys_are_told(tmp_path: Path) -> None:
    assert data(tmp_path, "classes=3\nclases=4\neval=coco").unread == [(2, "clases"), (3, "eval")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("classes=0", "my.data:1: [data] classes=0: expected a whole number of 1 or more"),
        ("\nclasses=ten", "my.data:2: [data] classes=ten: expected a whole number of 1 or more"),
        ("top=0", "my.data:1: [data] top=0: expected a whole number of 1 or more"),
        ("classes", "my.data:1: 'classes': expected key=value, as in classes=10"),
        ("classes=", "my.data:1: 'classes=': expected key=value, as in classes=10"),
        ("=2", "my.data:1: '=2': expected key=value, as in classes=10"),
        ("[net]", "my.data:1: '[net]': expected key=value, as in classes=10"),
    ],
)
def test_mistakes_are_named(text: str, message: str, tmp_path: Path) -> None:
    assert mistake(tmp_path, text) == message


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
        assert found.unread == []
        assert found.names
        names, labels = (
            read_lines(CFG.parent / (name or "")) for name in (found.names, found.labels)
        )
        assert len(names) == len(labels) == found.classes


# Names and lists


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "some.list"
    path.write_bytes(
        b"\xef\xbb\xbfdata/a b.jpg\r\n\r\n  data/c#1.jpg  # the first\r\n# data/d.jpg\r\n;e\r\nf;g"
    )
    assert read_lines(path) == ["data/a b.jpg", "data/c#1.jpg", "f;g"]


def test_an_empty_list(tmp_path: Path) -> None:
    path = tmp_path / "some.list"
    path.write_bytes(b"\n# nothing\n")
    assert read_lines(path) == []


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

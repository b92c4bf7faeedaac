"""Names of files that are no text, in every command, form and locale."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

from darknet_py.cli.console import prepare_streams
from tests.cli.conftest import Model

LOCALES: list[dict[str, str]] = [
    {"PYTHONUTF8": "1"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
]
NAMES = [b"caf\xe9.png", "hé 猫.png".encode(), b"two\nlines.png"]


@pytest.fixture
def odd(pictures: Path, tmp_path: Path) -> Path:
    """A folder with the names above."""
    folder = tmp_path / "odd"
    folder.mkdir()
    for name in NAMES:
        place = os.path.join(os.fsencode(folder), name)
        try:
            with open(place, "wb") as file:
                file.write((pictures / "a.png").read_bytes())
        except OSError:
            pytest.skip("this file system has no such names")
    return folder


# All commands of a test in one process, whose start takes longer than they do.
_RUN = """
import io, json, sys
from darknet_py.cli import main
out, err = sys.stdout, sys.stderr
for number, words in enumerate(json.load(open("commands"))):
    files = [open(f"{number}.{end}", "wb") for end in ("out", "err")]
    sys.stdout = io.TextIOWrapper(files[0], out.encoding, out.errors)
    sys.stderr = io.TextIOWrapper(files[1], err.encoding, err.errors)
    sys.argv = ["darknet", *words]
    try:
        main()
    except SystemExit as end:
        code = end.code
    print(code, file=out, flush=True)
    sys.stdout.close()
"""


class Done(NamedTuple):
    code: int
    out: bytes
    err: bytes


def run(
    *commands: Sequence[object], env: Mapping[str, str], folder: Path, stdin: bytes = b""
) -> list[Done]:
    (folder / "commands").write_text(json.dumps([list(map(str, words)) for words in commands]))
    done = subprocess.run(
        [sys.executable, "-c", _RUN],
        input=stdin,
        capture_output=True,
        cwd=folder,
        env={**os.environ, **env, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return [
        Done(int(code), *((folder / f"{k}.{end}").read_bytes() for end in ("out", "err")))
        for k, code in enumerate(done.stdout.split())
    ]


@pytest.mark.parametrize("env", LOCALES)
def test_classify(odd: Path, model: Model, env: dict[str, str]) -> None:
    where = ("classify", "-q", "-t", 1, *model, "odd")
    text, found, table = run(
        *(where, (*where, "--json"), (*where, "--csv")), env=env, folder=odd.parent
    )
    assert [text.code, found.code, table.code] == [0, 0, 0]
    heads = text.out.decode().splitlines()[::2]
    assert [head.split(": ")[0] for head in heads] == [
        *("odd/caf\\xe9.png", "odd/hé 猫.png", "odd/two\\nlines.png")
    ]
    paths = [json.loads(line)["path"] for line in found.out.decode().splitlines()]
    assert [Path(path).name.encode("utf-8", "surrogateescape") for path in paths] == NAMES
    rows = csv.DictReader(io.StringIO(table.out.decode("utf-8", "surrogateescape")))
    names = [Path(row["path"]).name.encode("utf-8", "surrogateescape") for row in rows]
    assert names == NAMES


@pytest.mark.parametrize("env", LOCALES[:2])
def test_names_of_written_files_keep_their_bytes(
    odd: Path, model: Model, env: dict[str, str]
) -> None:
    (odd / "two\nlines.png").unlink()
    picture = os.fsdecode(b"odd/caf\xe9.png")
    dream = os.fsdecode(b"caf\xe9_tiny_like_0_000000.png")
    explained, *others, again = run(
        ("explain", "-q", *model, "odd", "--json"),
        ("activations", "-q", *model, picture, "--layer", 0),
        ("features", "-q", *model, "odd", "--layer", 0),
        ("report", "-q", *model, "odd"),
        ("nightmare", "-q", *model, picture, 0, "--iters", 1, "-octaves", 1),
        # a dream knows what it was made of
        ("nightmare", "-q", "--replay", dream),
        env=env,
        folder=odd.parent,
    )
    assert explained.code == 0
    for line in explained.out.decode().splitlines():
        overlay = json.loads(line)["overlay"].encode("utf-8", "surrogateescape")
        assert os.path.exists(os.path.join(os.fsencode(odd.parent), overlay))
    written = os.listdir(os.fsencode(odd.parent / "explain"))
    assert any(name.startswith(b"caf\xe9_") for name in written)
    assert [(each.code, each.err) for each in others] == 4 * [(0, b"")]
    assert b"byte for byte" in again.out
    page = (odd.parent / "report.html").read_bytes()
    assert b"caf" in page


@pytest.mark.parametrize("env", LOCALES)
def test_a_list_on_standard_input_has_names_not_text(
    odd: Path, model: Model, env: dict[str, str]
) -> None:
    listed = b"odd/caf\xe9.png\n" + "odd/hé 猫.png\n".encode()
    words = ("classify", "-q", "--json", *model, "-")
    (done,) = run(words, env=env, folder=odd.parent, stdin=listed)
    assert (done.code, done.err) == (0, b"")
    assert len(done.out.splitlines()) == 2


def test_complaints_are_one_line(odd: Path, model: Model) -> None:
    names = [os.fsdecode(name) for name in (b"none\xff.png", b"no\nne.png", "猫.png".encode())]
    commands: list[Sequence[object]] = [("classify", "-q", *model, name) for name in names]
    commands += [("classify", "-q", f"{name}.cfg", "x", "y") for name in names]
    for done in run(*commands, env={"PYTHONUTF8": "1"}, folder=odd.parent):
        assert done.code == 1
        assert done.err.count(b"\n") == 1


def test_what_an_encoding_lacks_is_spelled_out_as_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "koi8-r"))
    prepare_streams()
    print("é я 🐈 \udcff", end="", flush=True)
    assert raw.getvalue() == b"\\u00e9 \xd1 \\ud83d\\udc08 \xff"


@pytest.mark.parametrize("env", LOCALES)
def test_classes_of_any_name(tmp_path: Path, env: dict[str, str]) -> None:
    """In what a validation prints and writes."""
    for name in ("dög", "fox"):
        (tmp_path / "ds" / name).mkdir(parents=True)
        for number, level in enumerate((40, 200)):
            Image.new("RGB", (8, 8), (level, 9, 9)).save(tmp_path / "ds" / name / f"{number}.png")
    cfg = tmp_path / "n.cfg"
    cfg.write_text(
        "[net]\nbatch=2\nwidth=8\nheight=8\nchannels=3\nmax_batches=1\n"
        "[convolutional]\nfilters=2\nactivation=linear\n[avgpool]\n[softmax]\n"
    )
    weights = tmp_path / "n.weights"
    weights.write_bytes(bytes(16 + 4 * 8))
    where = ("classifier", "valid", "-q", "ds", cfg, weights)
    text, found = run(
        (*where, "--csv", "v.csv", "--png", "v.png"), (*where, "--json"), env=env, folder=tmp_path
    )
    assert (text.code, found.code) == (0, 0), text.err
    assert "dög " in text.out.decode()
    head = (tmp_path / "v.csv").read_text(encoding="utf-8").splitlines()[0]
    assert head == "true \\ guessed,dög,fox"
    assert json.loads(found.out)["classes"] == ["dög", "fox"]

"""Names that are no text, drive a terminal, end a line or compute: in every form and locale."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

import darknet_py.cli
from darknet_py.cli.console import prepare_streams
from scripts.trials.console import faults
from scripts.trials.console import run as on_console
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
        ("nightmare", "-q", "--replay", dream, picture, *model),
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
    files = ("--confusion", "v.csv", "--confusion", "v.png")
    text, found = run((*where, *files), (*where, "--json"), env=env, folder=tmp_path)
    assert (text.code, found.code) == (0, 0), text.err
    assert "dög " in text.out.decode()
    head = (tmp_path / "v.csv").read_text(encoding="utf-8").splitlines()[0]
    assert head == "true \\ guessed,dög,fox"
    assert json.loads(found.out)["classes"] == ["dög", "fox"]


# Whatever the name


NASTY = "\x1b]0;x\x07\x9b2J\u202e\u200b\u2028\r\n=1\udcff"
"""What a terminal would obey, what ends lines, what turns and hides text, a byte that is none."""


@pytest.fixture
def nasty(model: Model, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """in/=NASTY.png, and ten classes in `names`, in the folder where we stand."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    try:
        Path(f"in/={NASTY}.png").write_bytes((pictures / "a.png").read_bytes())
    except OSError:
        pytest.skip("this file system has no such names")
    names = ["=1+1", "-0.5", 'a,"b"', "\x1b[31m", "\u202e", "$x$ {", "<script>", "'", "猫", "%s"]
    Path("names").write_text("\n".join(names), encoding="utf-8")
    return Path(f"in/={NASTY}.png")


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_nothing_drives_a_terminal(form: list[str], nasty: Path, model: Model) -> None:
    given = "in", nasty.parent / "none\x1b"
    done = on_console(["classify", *form, *model, *given, "--names", "names"], True)
    assert done.code == 1
    assert not list(faults(done, True))
    assert b"\\x1b[31m" in done.out or b"\\u001b[31m" in done.out
    assert b"none\\x1b: no such file" in done.err


def test_records_are_as_many_as_pictures_and_read_back(nasty: Path, model: Model) -> None:
    words = ["classify", "-q", *model, "in", "--names", "names", "-t", 10]
    names = Path("names").read_text(encoding="utf-8").split("\n")
    text, found, table = (on_console([*words, *form]) for form in ([], ["--json"], ["--csv"]))
    assert text.out.count(b"\n") == 1 + len(names)
    (line,) = found.out.decode().splitlines()
    assert line.isprintable()
    assert json.loads(line)["path"] == str(nasty)
    assert {each["name"] for each in json.loads(line)["predictions"]} == set(names)
    read = io.StringIO(table.out.decode("utf-8", "surrogateescape"), newline="")
    rows = list(csv.DictReader(read))
    assert {row["path"] for row in rows} == {str(nasty)}
    assert {row["name"] for row in rows} == {"'=1+1", *names} - {"=1+1"}


@pytest.mark.parametrize(
    "words",
    [["classify", "--\x1b\n"], ["classify", "\x1b\n", "b.cfg", "\x9b"], ["\x1b\n"]],
)
@pytest.mark.parametrize("on_terminal", [False, True])
def test_usage_errors_too(words: list[str], on_terminal: bool) -> None:
    done = on_console(words, on_terminal)
    assert done.code == 2
    assert not list(faults(done, on_terminal))
    assert done.err.count(b"\n") == 4  # Usage:, Try ..., a blank, Error:


def test_what_others_write_to_the_streams_is_shown_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(_: str) -> None:
        print("a library's warning: \x1b[31m\r\u202e", file=sys.stderr)
        sys.stdout.write("\x1b[2J\n")

    monkeypatch.setattr("darknet_py.cli.options.find_resource", find)
    done = on_console(["ops", "none.cfg"], True)
    assert not list(faults(done, True))
    assert b"\\x1b[31m" in done.err
    assert b"\\x1b[2J" in done.out


def test_a_path_for_a_program_is_as_it_is_but_on_one_line(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, piped in (("a\x1b[m\udce9.w", b"a\x1b[m\xe9.w\n"), ("b\n.w", b"b\\n.w\n")):
        done = on_console(["rgbgr", "-q", *model, name])
        assert (done.code, done.out) == (0, piped)
        assert Path(name).exists()
    done = on_console(["rgbgr", "-q", *model, "c\x1b.w"], on_terminal=True)
    assert done.out == b"c\\x1b.w\n"


def test_commands_print_by_the_functions_of_console_alone() -> None:
    """So that nobody forgets to spell out a name."""
    found = [
        (path.name, ast.unparse(node))
        for path in Path(darknet_py.cli.__file__).parent.rglob("*.py")
        if path.name not in ("console.py", "output.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if _prints(node)
    ]
    # of a signal's handler, with text of its own
    assert found == [("stopping.py", "os.write")]


def _prints(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("print", "echo", "secho", "display")
    if not isinstance(node, ast.Attribute):
        return False
    whole = ast.unparse(node)
    own = ("os.write", "csv.writer", "csv.DictWriter", "json.dump", "json.dumps")
    return whole in own or bool(_BY_ITSELF.fullmatch(whole))


_BY_ITSELF = re.compile(r"click\.(s?echo\w*|style)|sys\.(__)?std(out|err)(__)?\.(write\w*|buffer)")

ENCODINGS = ["utf-16", "utf-7", "cp037", "ascii", "shift_jis", "iso2022_jp", "idna", "undefined"]


def test_any_encoding_of_the_terminal(nasty: Path, model: Model) -> None:
    assert nasty.exists()
    words = ["classify", "-q", *model, "in", "--names", "names", "-t", 10]
    for encoding in ENCODINGS:
        for form in ([], ["--json"], ["--csv"]):
            done = on_console([*words, *form], encoding=encoding)
            assert done.code == 0, encoding
            assert done.err == b""
            own = "utf-8" if encoding in ("ascii", "idna", "undefined") else encoding
            text = done.out.decode(own, "surrogateescape")
            assert text.count("1+1") == 1
            if form == ["--json"]:
                assert len(json.loads(text)["predictions"]) == 10

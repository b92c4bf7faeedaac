"""Names of files that are no text, in every command, form and locale."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

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


def run(
    *words: object, env: Mapping[str, str], folder: Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "darknet_py", *map(str, words)],
        input=stdin,
        capture_output=True,
        cwd=folder,
        env={**os.environ, **env, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
        timeout=120,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode(errors="replace")
    return done


@pytest.mark.parametrize("env", LOCALES)
def test_classify(odd: Path, model: Model, env: dict[str, str]) -> None:
    where = ("classify", "-q", "-t", 1, *model, "odd")
    text = run(*where, env=env, folder=odd.parent)
    assert text.returncode == 0
    heads = text.stdout.decode().splitlines()[::2]
    assert [head.split(": ")[0] for head in heads] == [
        *("odd/caf\\udce9.png", "odd/hé 猫.png", "odd/two\\nlines.png")
    ]
    found = run(*where, "--json", env=env, folder=odd.parent).stdout.decode()
    paths = [json.loads(line)["path"] for line in found.splitlines()]
    assert [os.fsencode(Path(path).name) for path in paths] == NAMES
    table = run(*where, "--csv", env=env, folder=odd.parent).stdout
    rows = csv.DictReader(io.StringIO(table.decode("utf-8", "surrogateescape")))
    assert [
        os.path.basename(row["path"].encode("utf-8", "surrogateescape")) for row in rows
    ] == NAMES


@pytest.mark.parametrize("env", LOCALES[:2])
def test_names_of_written_files_keep_their_bytes(
    odd: Path, model: Model, env: dict[str, str]
) -> None:
    (odd / "two\nlines.png").unlink()
    done = run("explain", "-q", *model, "odd", "--json", env=env, folder=odd.parent)
    assert done.returncode == 0
    for line in done.stdout.decode().splitlines():
        assert (odd.parent / json.loads(line)["overlay"]).exists()
    written = os.listdir(os.fsencode(odd.parent / "explain"))
    assert any(name.startswith(b"caf\xe9_") for name in written)
    picture = os.fsdecode(b"odd/caf\xe9.png")
    for words in (
        ("activations", "-q", *model, picture, "--layer", 0),
        ("features", "-q", *model, "odd", "--layer", 0),
        ("report", "-q", *model, "odd"),
        ("nightmare", "-q", *model, picture, 0, "--iters", 1, "-octaves", 1),
    ):
        done = run(*words, env=env, folder=odd.parent)
        assert done.returncode == 0, done.stderr
    # a dream knows what it was made of
    dream = next(odd.parent.glob("caf*_000000.png"))
    done = run("nightmare", "-q", "--replay", dream, env=env, folder=odd.parent)
    assert b"byte for byte" in done.stdout


def test_a_list_on_standard_input_has_names_not_text(odd: Path, model: Model) -> None:
    for env in LOCALES:
        listed = b"odd/caf\xe9.png\n" + "odd/hé 猫.png\n".encode()
        where = ("classify", "-q", "--json", *model, "-")
        done = run(*where, env=env, folder=odd.parent, stdin=listed)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == 2


def test_complaints_are_one_line(odd: Path, model: Model) -> None:
    for name in (b"none\xff.png", b"no\nne.png", "猫.png".encode()):
        done = run("classify", "-q", *model, os.fsdecode(name), env={}, folder=odd.parent)
        assert done.returncode == 1
        assert done.stderr.count(b"\n") == 1
        done = run("classify", "-q", os.fsdecode(name + b".cfg"), "x", "y", env={}, folder=odd)
        assert done.returncode == 1
        assert done.stderr.count(b"\n") == 1


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
    done = run(*where, "--csv", "v.csv", "--png", "v.png", env=env, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "dög " in done.stdout.decode()
    head = (tmp_path / "v.csv").read_text(encoding="utf-8").splitlines()[0]
    assert head == "true \\ guessed,dög,fox"
    done = run(*where, "--json", env=env, folder=tmp_path)
    assert json.loads(done.stdout)["classes"] == ["dög", "fox"]

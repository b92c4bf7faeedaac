from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.errors import DreamError, PictureError
from darknet_py.images import save_image
from darknet_py.ops import cache
from darknet_py.options import Flag, Real, Whole, Word
from darknet_py.tasks.dream.options import INGREDIENTS, Channels, Layers, Picture, Size
from darknet_py.tasks.dream.recipe import (
    Recipe,
    digests_of,
    find_files,
    plain_name,
    read_recipe,
)

FILES = {"cfg": "a b.cfg", "weights": "w", "source": "p.jpg"}
RECIPE = Recipe(
    {"rounds": 3, "rate": 0.5, "seed": 5}, 3, FILES, dict.fromkeys(FILES, "ab" * 32), "9.9", 2
)
COMMAND = "darknet nightmare 'a b.cfg' w p.jpg 3 -rounds 3 -rate 0.5 --seed 5"
PIXELS = np.zeros((3, 4, 3))


def save(path: Path, words: Mapping[str, str]) -> Path:
    save_image(PIXELS, path, **words)
    return path


def fault_of(path: Path, words: Mapping[str, str]) -> str:
    """What is wrong with a picture that has these words."""
    save(path, words)
    with pytest.raises(PictureError) as caught:
        read_recipe(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert len(message.splitlines()) == 1
    return message.removeprefix(f"{path}: ")


def test_a_recipe_comes_back(tmp_path: Path) -> None:
    words = RECIPE.words()
    assert words["Command"] == COMMAND
    found = read_recipe(save(tmp_path / "dream.png", words))
    assert (found.recipe, found.words, found.is_ours) == (RECIPE, words, True)


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """What an option may be, its ends above all."""
    if isinstance(kind, Whole):
        return st.integers(kind.least, kind.most)
    if isinstance(kind, Real):
        return st.floats(
            kind.least, kind.most, exclude_min=kind.least_open, exclude_max=kind.most_open
        )
    if isinstance(kind, Word):
        return st.sampled_from(kind.words)
    examples: dict[type, list[Any]] = {
        Flag: [True],
        Size: ["512x384", "1x1"],
        Layers: ["3", "10:1,7:.3", "1/2/2", "4:0.25/3"],
        Channels: ["0", "3,17"],
    }
    return st.sampled_from(examples[type(kind)])


OPTIONS = {
    name: values_of(kind)
    for name, (_, kind) in INGREDIENTS.items()
    if not isinstance(kind, Picture)
}
NAMES = st.text(min_size=1).map(lambda name: plain_name(name.replace("/", "")))


@given(
    st.fixed_dictionaries({}, optional=OPTIONS),
    st.none() | st.integers(0, 999_999),
    st.fixed_dictionaries(
        {"cfg": NAMES, "weights": NAMES},
        optional=dict.fromkeys(("source", "guide", "mask"), NAMES),
    ),
    st.integers(0, 99_999),
)
def test_whatever_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    values: dict[str, Any],
    layer: int | None,
    files: dict[str, str],
    number: int,
) -> None:
    number %= values.get("rounds", 1)
    recipe = Recipe(values, layer, files, dict.fromkeys(files, "0" * 64), "1.0", number)
    path = tmp_path_factory.getbasetemp() / "any.png"
    assert read_recipe(save(path, recipe.words())).recipe == recipe


@pytest.mark.parametrize("missing", ["Command", "Seed", "Round", "Software"])
def test_pictures_without_one(missing: str, tmp_path: Path) -> None:
    words = RECIPE.words()
    del words[missing]
    message = "holds no recipe: expected a PNG that darknet nightmare wrote"
    assert fault_of(tmp_path / "plain.png", words) == message


ASKED = [
    ("-rounds 3", "-rounds 3 -qh", "-qh is no part of a recipe"),
    ("-rounds 3", "-rounds 3 --output=/tmp/x.png", "--output=/tmp/x.png is no part of a recipe"),
    ("-rounds 3", "-rounds 3 -o x.png", "-o is no part of a recipe"),
    ("-rounds 3", "-rounds 3 -prefix /", "-prefix is no part of a recipe"),
    ("-rounds 3", "-rounds 3 --gif x.gif", "--gif is no part of a recipe"),
    ("-rounds 3", "--rounds 3", "--rounds is no part of a recipe"),
    ("-rounds 3", "-rounds 3 --help", "--help is no part of a recipe"),
    ("-rounds 3", "-rounds 3 -- x", "-- is no part of a recipe"),
    ("-rounds 3", "-rounds 3 " + "-x" * 99, "-x-x-x-x-x-x-x-x-x-x-x-x-x-x-x-x-x-x-... is no part"),
    ("-rounds 3", "-rounds 3 -rounds 3", "-rounds is given twice"),
    ("-rounds 3", "-rounds", "-rounds -rate: expected a whole number from 1 to 100,000"),
    ("--seed 5", "--seed", "--seed : expected a whole number"),
    ("-rounds 3", "-rounds 0", "-rounds 0: expected a whole number from 1 to 100,000"),
    ("-rounds 3", "-rounds -1", "-rounds -1: expected a whole number"),
    ("-rounds 3", f"-rounds {10**30}", f"-rounds {10**30}: expected a whole number"),
    ("-rounds 3", "-rounds 9" + "9" * 9000, "-rounds 9999"),
    ("-rounds 3", "-rounds 3.0", "-rounds 3.0: expected a whole number"),
    ("-rounds 3", "-rounds \u0663", "-rounds \u0663: expected a whole number"),
    ("-rounds 3", "-rounds [[[3]]]", "-rounds [[[3]]]: expected a whole number"),
    ("-rounds 3", "-rounds many", "-rounds many: expected a whole number"),
    ("-rounds 3", "-rounds 2", "there is no round 2"),
    ("-rounds 3", "-rounds 3 -octaves 33", "-octaves 33: expected a whole number from 1 to 32"),
    ("-rounds 3", "-rounds 3 -smooth 5000", "-smooth 5000: expected"),
    ("-rate 0.5", "-rate 1e308", "-rate 1e308: expected a number from -1e+06 to 1e+06"),
    ("-rate 0.5", "-rate nan", "-rate nan: expected a number"),
    ("-rate 0.5", "-rate inf", "-rate inf: expected a number"),
    ("-rate 0.5", "-rate 0x1p3", "-rate 0x1p3: expected a number"),
    ("-rate 0.5", "-rate 0.50", "is not as darknet nightmare writes it"),
    ("-rate 0.5", "--preset zoom", "--preset zoom: expected none"),
    ("-rate 0.5", "--octave-scale 1", "--octave-scale 1: expected a number from 1 to 16"),
    ("-rate 0.5", "--size 99999x99999", "--size 99999x99999: expected at most 134,217,728"),
    ("-rate 0.5", "--size 9", "--size 9: expected WIDTHxHEIGHT"),
    ("-rate 0.5", "--layers 1:1e9", "--layers 1:1e9: expected N:WEIGHT"),
    ("-rate 0.5", "--layers " + "1/" * 300 + "1", "--layers 1/1/1"),
    ("-rate 0.5", "--layers 1:" + "9" * 400, "--layers 1:999"),
    ("-rate 0.5", "--channel 3,x", "--channel 3,x: expected N,..."),
    ("-rate 0.5", "--class dog", "--class dog: expected a whole number"),
    ("-rate 0.5", "--device gpu:1", "--device gpu:1: expected cpu or gpu"),
    ("-rate 0.5", "--threads 99999", "--threads 99999: expected a whole number from 1 to 1,024"),
    ("-rate 0.5", "--guide g.png", "its files and their digests are not the same ones"),
    ("-rate 0.5", "--guide /dev/zero", "/dev/zero: expected the name of a file, without a folder"),
    ("-rate 0.5", "--mask ../m.png", "../m.png: expected the name of a file, without a folder"),
    ("'a b.cfg'", "/etc/passwd", "/etc/passwd: expected the name of a file"),
    ("'a b.cfg'", "../a.cfg", "../a.cfg: expected the name of a file"),
    ("'a b.cfg'", "..", "..: expected the name of a file"),
    ("'a b.cfg'", "~/a.cfg", "~/a.cfg: expected the name of a file"),
    ("'a b.cfg'", "~root", "~root: expected the name of a file"),
    ("'a b.cfg'", r"'\\host\a.cfg'", r"\\host\a.cfg: expected the name of a file"),
    ("'a b.cfg'", "C:a.cfg", "C:a.cfg: expected the name of a file"),
    ("'a b.cfg'", "''", ": expected the name of a file"),
    ("'a b.cfg'", "'a\nb'", r"a\nb: expected the name of a file"),
    ("'a b.cfg'", "'a\x1b[2Jb'", r"a\x1b[2Jb: expected the name of a file"),
    ("p.jpg 3", "p.jpg", ""),
    ("p.jpg 3", "p.jpg 3 4", "its files and their digests are not the same ones"),
    ("p.jpg 3", "", "its files and their digests"),
    ("p.jpg 3", "p.jpg 9999999", "expected a whole number from 0 to 999,999"),
    ("darknet nightmare", "rm -rf", "it makes no picture"),
    ("darknet nightmare", "darknet train", "it makes no picture"),
    (COMMAND, "", "it makes no picture"),
    (COMMAND, "darknet nightmare", "its files and their digests are not the same ones"),
    (COMMAND, "darknet nightmare 'a", "No closing quotation"),
    (" w ", "  w ", "is not as darknet nightmare writes it"),
]


@pytest.mark.parametrize(("old", "new", "message"), ASKED, ids=lambda text: text[:40])
def test_what_no_recipe_may_ask_for(old: str, new: str, message: str, tmp_path: Path) -> None:
    words = RECIPE.words()
    words["Command"] = words["Command"].replace(old, new)
    if message:
        assert message in fault_of(tmp_path / "odd.png", words)
    else:
        assert not read_recipe(save(tmp_path / "other.png", words)).is_ours


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("Seed", "many", "is not as darknet nightmare writes it"),
        ("Seed", "6", "is not as darknet nightmare writes it"),
        ("Round", "-1", "expected a whole number from 0"),
        ("Round", "02", "is not as darknet nightmare writes it"),
        ("Software", "darknet 9\x1b[2J", "it is another program's"),
        ("Software", "GIMP", "it is another program's"),
        ("SHA256 cfg", "AB" * 32, "SHA256 cfg is no digest of one of its files"),
        ("SHA256 cfg", "", "SHA256 cfg is no digest of one of its files"),
        ("SHA256 secret", "ab" * 32, "SHA256 secret is no digest of one of its files"),
        ("SHA256 mask", "ab" * 32, "its files and their digests are not the same ones"),
        ("Comment", "x" * 200_000, "keeps more than 128 KiB of words: not a dream's"),
    ],
)
def test_words_that_none_has(key: str, text: str, message: str, tmp_path: Path) -> None:
    assert message in fault_of(tmp_path / "odd.png", {**RECIPE.words(), key: text})


# Whether it was made here


@pytest.mark.parametrize("change", [{"layer": 4}, {"round": 1}, {"version": "9.8"}])
def test_what_was_changed_is_not_ours(change: dict[str, Any], tmp_path: Path) -> None:
    words = replace(RECIPE, **change).words() | {"Signature": RECIPE.words()["Signature"]}
    assert not read_recipe(save(tmp_path / "dream.png", words)).is_ours


def test_another_ones_recipe_keeps_its_signature(tmp_path: Path) -> None:
    """So that the picture comes out the same, byte for byte."""
    words = {**RECIPE.words(), "Signature": "theirs"}
    found = read_recipe(save(tmp_path / "dream.png", words))
    assert (found.words, found.is_ours) == (words, False)


def test_where_no_key_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = RECIPE.words()
    monkeypatch.setattr(cache, "folder", lambda key: None)
    assert "Signature" not in RECIPE.words()
    for each in (words, RECIPE.words()):
        assert not read_recipe(save(tmp_path / "dream.png", each)).is_ours


# Files


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("cfg/tiny.cfg", "tiny.cfg"),
        ("/home/me/a b.png", "a b.png"),
        ("-x.png", "_x.png"),
        ("~x", "_x"),
        ("a\n\x1b[2J.png", "a__[2J.png"),
        ("C:\\a.png", "C__a.png"),
        (os.fsdecode(b"caf\xe9.png"), "caf_.png"),
        ("Träume 猫.png", "Träume 猫.png"),
        ("..", "_."),
    ],
)
def test_names_in_a_recipe(path: str, name: str) -> None:
    assert plain_name(path) == name
    assert plain_name(name) == name


def test_digests(tmp_path: Path) -> None:
    path = tmp_path / "net.cfg"
    path.write_bytes(b"[net]\n" * 300_000)
    digests = digests_of({"cfg": path})
    assert digests == {"cfg": hashlib.sha256(path.read_bytes()).hexdigest()}


def made(tmp_path: Path, name: str = "net.cfg") -> tuple[Recipe, Path]:
    """A recipe of a cfg, and the picture that holds it, in a folder of its own."""
    path = tmp_path / "then" / name
    path.parent.mkdir()
    path.write_text("[net]\n")
    picture = path.parent / "dream.png"
    picture.touch()
    return Recipe({}, 1, {"cfg": name}, digests_of({"cfg": path}), ""), picture


def find(recipe: Recipe, picture: Path, *given: Path, folders: tuple[Path, ...] = ()) -> str:
    return find_files(recipe, picture, list(map(str, given)), folders)["cfg"]


def test_files_are_found_beside_it_and_in_cfg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their digests, whatever they are called; and nowhere else."""
    recipe, picture = made(tmp_path)
    path = picture.parent / "net.cfg"
    monkeypatch.chdir(path.parent)
    assert Path(find(recipe, Path("dream.png"))).samefile(path)
    monkeypatch.chdir(tmp_path)
    assert Path(find(recipe, picture)).samefile(path)
    link = tmp_path / "link.png"
    link.symlink_to(picture)
    assert Path(find(recipe, link)).samefile(path)
    renamed = path.rename(path.parent / "renamed.CFG")
    assert Path(find(recipe, picture)).samefile(renamed)
    for name in ("cfg", "shipped"):
        (tmp_path / name).mkdir()
    (tmp_path / "cfg/net.cfg").write_text("[another]\n")
    here = renamed.rename(tmp_path / "cfg/z.cfg")
    assert Path(find(recipe, picture)).samefile(here)
    shipped = here.rename(tmp_path / "shipped/other.cfg")
    assert Path(find(recipe, picture, folders=(tmp_path / "shipped",))).samefile(shipped)
    for elsewhere in (tmp_path / "net.cfg", picture.parent / "cfg"):
        if elsewhere.name == "cfg":
            elsewhere.mkdir()
        shipped = shipped.rename(elsewhere / "net.cfg" if elsewhere.is_dir() else elsewhere)
        with pytest.raises(DreamError, match="is not the cfg that the picture was made with"):
            find(recipe, picture)
        assert find(recipe, picture, shipped) == str(shipped)


def test_files_that_are_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, picture = made(tmp_path)
    monkeypatch.chdir(tmp_path)
    path = picture.parent / "net.cfg"
    path.write_text("[another]\n")
    digest = recipe.digests["cfg"]
    with pytest.raises(DreamError) as caught:
        find(recipe, picture)
    assert str(caught.value) == (
        f"{path}: is not the cfg that the picture was made with: its SHA-256 is another than "
        f"{digest}; name the right one behind {picture}"
    )
    with pytest.raises(DreamError, match="is none of the files that the picture came from"):
        find(recipe, picture, path)
    path.unlink()
    with pytest.raises(DreamError) as caught:
        find(recipe, picture)
    assert str(caught.value) == (
        f"net.cfg: is not there, the cfg that the picture was made with (SHA-256 {digest}): put it "
        f"beside {picture} or into cfg/, under any name, or name it behind it"
    )


def test_what_is_no_regular_file_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing waits for a pipe, nor reads a device without end."""
    recipe, picture = made(tmp_path)
    monkeypatch.chdir(tmp_path)
    path = picture.parent / "net.cfg"
    kept = path.rename(picture.parent / "zz.cfg")
    os.mkfifo(path)
    (picture.parent / "a.cfg").symlink_to("/dev/zero")
    (picture.parent / "b.cfg").symlink_to(path)
    (picture.parent / "c.cfg").mkdir()
    (picture.parent / "d.cfg").symlink_to("gone")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("then/e.cfg")
        assert Path(find(recipe, picture)).samefile(kept)
    for name in ("net.cfg", "a.cfg", "b.cfg"):
        with pytest.raises(DreamError, match="cannot be read: is a pipe or a device, not a file"):
            find(recipe, picture, picture.parent / name)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DreamError, match="cannot be read: No such file or directory"):
        digests_of({"cfg": tmp_path / "gone.cfg"})

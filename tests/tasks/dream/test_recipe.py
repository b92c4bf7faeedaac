from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import DreamError, PictureError
from darknet_py.images import save_image
from darknet_py.tasks.dream.recipe import Recipe, digests_of, find_by_digest, read_recipe

RECIPE = Recipe("darknet nightmare 'a b.cfg' w p.jpg 3", "9.9", 5, 2, {"cfg": "ab", "source": "cd"})
PIXELS = np.zeros((3, 4, 3))


def test_a_recipe_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "dream.png"
    save_image(PIXELS, path, **RECIPE.words())
    assert read_recipe(path) == RECIPE


@pytest.mark.parametrize("missing", ["Command", "Seed", "Round", "Software"])
def test_pictures_without_one(missing: str, tmp_path: Path) -> None:
    path = tmp_path / "plain.png"
    words = RECIPE.words()
    del words[missing]
    save_image(PIXELS, path, **words)
    with pytest.raises(PictureError) as caught:
        read_recipe(path)
    assert str(caught.value) == (
        f"{path}: holds no recipe: expected a PNG that darknet nightmare wrote"
    )


def test_numbers_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "odd.png"
    save_image(PIXELS, path, **{**RECIPE.words(), "Seed": "many"})
    with pytest.raises(PictureError, match="holds no recipe"):
        read_recipe(path)


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
    return Recipe("", "", 0, 0, digests_of({"cfg": path})), path.parent / "dream.png"


def find(recipe: Recipe, picture: Path, name: str = "net.cfg", *folders: Path) -> str:
    return find_by_digest("cfg", name, recipe, picture, folders)


def test_files_are_found_wherever_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under their names here or beside the picture, or by their digests alone."""
    recipe, picture = made(tmp_path)
    path = picture.parent / "net.cfg"
    monkeypatch.chdir(path.parent)
    assert Path(find(recipe, Path("dream.png"))).samefile(path)
    monkeypatch.chdir(tmp_path)
    assert Path(find(recipe, picture)).samefile(path)
    # in a folder above, as with -prefix
    assert Path(find(recipe, picture.parent / "out/a/dream.png")).samefile(path)
    (tmp_path / "net.cfg").write_text("[another]\n")
    assert Path(find(recipe, picture)).samefile(path)
    renamed = path.rename(path.parent / "renamed.CFG")
    assert Path(find(recipe, picture)).samefile(renamed)
    here = renamed.rename(tmp_path / "z.cfg")
    assert Path(find(recipe, picture)).samefile(here)
    shipped = tmp_path / "cfg"
    shipped.mkdir()
    last = here.rename(shipped / "other.cfg")
    assert Path(find(recipe, picture, "net.cfg", shipped)).samefile(last)


def test_files_that_are_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, picture = made(tmp_path)
    monkeypatch.chdir(tmp_path)
    path = picture.parent / "net.cfg"
    path.write_text("[another]\n")
    with pytest.raises(DreamError) as caught:
        find(recipe, picture)
    assert str(caught.value) == (
        f"{path}: is not the cfg that the picture was made with: its SHA-256 is another"
    )
    path.unlink()
    with pytest.raises(DreamError) as caught:
        find(recipe, picture)
    assert str(caught.value) == (
        "net.cfg: is not there, the cfg that the picture was made with: put it beside "
        f"{picture}, under any name"
    )


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DreamError, match="cannot be read: No such file or directory"):
        digests_of({"cfg": tmp_path / "gone.cfg"})

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import DreamError, PictureError
from darknet_py.images import save_image
from darknet_py.tasks.dream.recipe import Recipe, check_digests, digests_of, read_recipe

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
    recipe = Recipe("", "", 0, 0, digests)
    check_digests(recipe, {"cfg": path})
    path.write_bytes(b"[net]\n#\n")
    with pytest.raises(DreamError) as caught:
        check_digests(recipe, {"cfg": path})
    assert str(caught.value) == (
        f"{path}: is not the cfg that the picture was made with: its SHA-256 is another"
    )


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(DreamError, match="cannot be read: No such file or directory"):
        check_digests(RECIPE, {"cfg": tmp_path / "gone.cfg"})

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images import LABELS
from darknet_py.images.dataset.labels import Labels

WORDS = ["cat", "dog", "hot_dog", "rain", "n01608432", "3"]


def matches(path: str, how: str = "exact") -> list[str]:
    return [WORDS[index] for index in Labels(WORDS, how).matches(path, path)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        # the folder
        ("pets/cat/1.jpg", ["cat"]),
        ("cat/dog/1.jpg", ["dog"]),
        ("pets/hot_dog/1.jpg", ["hot_dog"]),
        ("mnist/train/3/12.png", ["3"]),
        ("train/1.jpg", []),
        ("pets/Cat/1.jpg", []),
        ("pets/cats/1.jpg", []),
        # the end of the name
        ("0_cat.png", ["cat"]),
        ("a/b/0_cat.png", ["cat"]),
        ("0_cat.tar.png", ["cat"]),
        ("0_hot_dog.png", ["dog", "hot_dog"]),
        ("cat.png", []),
        ("0cat.png", []),
        ("0_cats.png", []),
        ("0_Cat.png", []),
        # the initialization, or a part between
        ("cat_0.png", ["cat"]),
        ("2012_cat_7.png", ["cat"]),
        ("n01608432_ILSVRC2012_val_00000073.JPEG", ["n01608432"]),
        ("bobcat_0.png", []),
        ("rain_0/train_1.png", []),
        # once is enough, twice the same is one
        ("n01608432/n01608432_10026.JPEG", ["n01608432"]),
        ("cat/0_dog.png", ["cat", "dog"]),
    ],
)
def test_exactly(path: str, expected: list[str]) -> None:
    assert matches(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("pets/cat/1.jpg", ["cat"]),
        ("bobcat.png", ["cat"]),
        ("train/0.jpg", ["rain"]),
        ("train/0_hot_dog.jpg", ["dog", "hot_dog", "rain"]),
        ("Cat.png", []),
    ],
)
def test_as_the_c_program_does(path: str, expected: list[str]) -> None:
    assert matches(path, "substring") == expected


def test_the_folder_is_where_the_picture_is_and_a_substring_in_what_is_written() -> None:
    assert Labels(WORDS).matches("1.jpg", "pets/cat/1.jpg") == [0]
    assert Labels(WORDS, "substring").matches("1.jpg", "pets/cat/1.jpg") == []


def test_the_folder_one_is_in(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.path.join(tmp_path, "cat")
    os.mkdir(folder)
    monkeypatch.chdir(folder)
    assert matches("1.jpg") == ["cat"]
    assert matches("../dog/1.jpg") == ["dog"]


@given(st.text("ab_.", min_size=1, max_size=6).filter(lambda name: name not in (".", "..")))
def test_every_part_of_a_name(name: str) -> None:
    labels = ["a", "b", "ab", "a_b", "a.b", "b_", "aa"]
    expected = {
        label
        for label in labels
        if f"_{label}." in name or f"_{label}_" in name or name.startswith(f"{label}_")
    }
    found = {labels[index] for index in Labels(labels).matches(name, f"folder/{name}")}
    assert found == expected


def test_another_way_is_a_mistake() -> None:
    assert LABELS == ("exact", "substring")
    with pytest.raises(ValueError, match="labels 'fuzzy' is none of exact, substring"):
        Labels(WORDS, "fuzzy")

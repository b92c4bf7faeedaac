from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.errors import DarknetError
from darknet_py.images import Dataset, read_folder, read_whole_folder
from darknet_py.images.dataset import folder as folder_module
from darknet_py.images.dataset.folder import _split


def touch(*paths: Path) -> None:
    """Empty files: a folder is read without opening its pictures."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def touch_classes(root: Path, **counts: int) -> None:
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        touch(*(root / name / f"{index:03}.jpg" for index in range(count)))


def fault(folder: Path) -> str:
    with pytest.raises(DarknetError) as caught:
        read_folder(folder)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def within(dataset: Dataset | None, root: Path) -> list[tuple[str, str]]:
    """Each picture's path from the root, and its class."""
    assert dataset is not None
    names = [dataset.names[label] for (label,) in dataset.labels]
    paths = [path.relative_to(root).as_posix() for path in dataset.paths]
    return list(zip(paths, names, strict=True))


def test_folders_are_classes_sorted_by_name(tmp_path: Path) -> None:
    touch_classes(tmp_path, dog=2, cat=1)
    train, valid = read_folder(tmp_path, share=0)
    assert train.names == ("cat", "dog")
    assert within(train, tmp_path) == [
        ("cat/000.jpg", "cat"),
        ("dog/000.jpg", "dog"),
        ("dog/001.jpg", "dog"),
    ]
    assert valid is None


def test_pictures_at_any_depth_and_nothing_else(tmp_path: Path) -> None:
    cat = tmp_path / "cat"
    touch(cat / "b.PNG", cat / "a.jpeg", cat / "deep" / "er" / "c.tif")
    touch(cat / "notes.txt", cat / ".hidden.jpg", cat / ".git" / "d.jpg", cat / "jpg")
    touch(tmp_path / "beside.jpg", tmp_path / ".cache" / "e.jpg")
    (cat / "folder.jpg").mkdir()
    train, _ = read_folder(tmp_path, share=0)
    assert train.names == ("cat",)
    paths = [path for path, _ in within(train, tmp_path)]
    assert paths == ["cat/a.jpeg", "cat/b.PNG", "cat/deep/er/c.tif"]


@pytest.mark.parametrize("name", ["valid", "val", "validation", "test"])
def test_train_and_what_is_set_aside(tmp_path: Path, name: str) -> None:
    touch_classes(tmp_path / "train", cat=2, dog=1)
    touch_classes(tmp_path / name, cat=1, dog=1)
    train, valid = read_folder(tmp_path)
    assert [path for path, _ in within(train, tmp_path)] == [
        "train/cat/000.jpg",
        "train/cat/001.jpg",
        "train/dog/000.jpg",
    ]
    assert within(valid, tmp_path) == [
        (f"{name}/cat/000.jpg", "cat"),
        (f"{name}/dog/000.jpg", "dog"),
    ]


def test_valid_before_test(tmp_path: Path) -> None:
    for part in ("train", "test", "valid"):
        touch_classes(tmp_path / part, cat=1)
    _, valid = read_folder(tmp_path)
    assert within(valid, tmp_path) == [("valid/cat/000.jpg", "cat")]


def test_classes_are_those_of_both(tmp_path: Path) -> None:
    touch_classes(tmp_path / "train", cat=1, eel=2)
    touch_classes(tmp_path / "test", dog=1, eel=1)
    train, valid = read_folder(tmp_path)
    assert valid is not None
    assert train.names == valid.names == ("cat", "dog", "eel")
    assert train.counts() == [1, 0, 2]
    assert valid.counts() == [0, 1, 1]


def test_train_alone_is_split(tmp_path: Path) -> None:
    touch_classes(tmp_path / "train", cat=10)
    train, valid = read_folder(tmp_path, share=0.3)
    assert train.counts() == [7]
    assert valid is not None
    assert valid.counts() == [3]


def test_trains_may_be_a_class(tmp_path: Path) -> None:
    touch_classes(tmp_path, bus=2, train=2, test=2)
    train, _ = read_folder(tmp_path, share=0)
    assert train.names == ("bus", "test", "train")


def test_set_aside_in_no_folders_is_none(tmp_path: Path) -> None:
    touch_classes(tmp_path / "train", cat=10)
    touch(tmp_path / "test" / "1.jpg")
    train, valid = read_folder(tmp_path, share=0.2)
    assert valid is not None
    assert (train.counts(), valid.counts()) == ([8], [2])


def test_a_class_without_pictures_is_kept(tmp_path: Path) -> None:
    touch_classes(tmp_path, cat=4, dog=0)
    train, valid = read_folder(tmp_path, share=0.25)
    assert train.names == ("cat", "dog")
    assert train.counts() == [3, 0]
    assert valid is not None
    assert valid.counts() == [1, 0]


@pytest.mark.parametrize(
    ("count", "share", "aside"),
    [(10, 0, 0), (10, 0.1, 1), (10, 0.34, 3), (3, 0.1, 1), (2, 0.9, 1), (1, 0.9, 1), (1, 0.1, 0)],
)
def test_how_many_of_a_class_are_set_aside(
    tmp_path: Path, count: int, share: float, aside: int
) -> None:
    touch_classes(tmp_path, cat=count, dog=40)
    train, valid = read_folder(tmp_path, share=share)
    aside = 0 if count == 1 else aside
    assert train.counts()[0] == count - aside
    assert (valid.counts()[0] if valid else 0) == aside


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 30), min_size=1),
    st.floats(0, 0.99),
    st.integers(0, 99),
)
def test_each_picture_is_on_one_side(counts: dict[str, int], share: float, seed: int) -> None:
    root = Path("root")
    classes = {name: [root / name / f"{i}.png" for i in range(n)] for name, n in counts.items()}
    train, valid = _split(root, classes, share, seed)
    for name, pictures in classes.items():
        assert sorted(train[name] + valid[name]) == sorted(pictures)
        assert abs(len(valid[name]) - share * len(pictures)) <= 1
        assert train[name] or not pictures


def aside(root: Path, seed: int) -> set[str]:
    _, valid = read_folder(root, share=0.3, seed=seed)
    return {path for path, _ in within(valid, root)}


def test_the_split_is_the_seeds(tmp_path: Path) -> None:
    for place in ("here", "there"):
        touch_classes(tmp_path / place, cat=20, dog=20)
    assert aside(tmp_path / "here", 1) == aside(tmp_path / "there", 1)
    assert aside(tmp_path / "here", 1) != aside(tmp_path / "here", 2)
    numbers = {
        name: {path[-7:] for path in aside(tmp_path / "here", 1) if path.startswith(name)}
        for name in ("cat", "dog")
    }
    assert numbers["cat"] != numbers["dog"]


def test_more_pictures_change_few_sides(tmp_path: Path) -> None:
    touch_classes(tmp_path, cat=100)
    before = aside(tmp_path, 0)
    touch(*(tmp_path / "cat" / f"new{index}.jpg" for index in range(10)))
    touch_classes(tmp_path, dog=50)
    after = aside(tmp_path, 0)
    old = {path for path in after if path.startswith("cat/0")}
    assert len(old ^ before) <= 6


def test_links_to_a_class_are_followed(tmp_path: Path) -> None:
    touch_classes(tmp_path / "elsewhere", cats=2)
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets" / "cat").symlink_to(tmp_path / "elsewhere" / "cats")
    (tmp_path / "pets" / "cat" / "round").symlink_to(tmp_path / "pets")
    train, _ = read_folder(tmp_path / "pets", share=0)
    assert (train.names, train.counts()) == (("cat",), [2])


def test_names_that_are_no_text(tmp_path: Path) -> None:
    try:
        touch(tmp_path / "cat" / os.fsdecode(b"\xff.jpg"), tmp_path / "cat" / "a.jpg")
    except OSError:
        pytest.skip("this file system only takes names that are text")
    train, valid = read_folder(tmp_path)
    assert valid is not None
    assert len(train) + len(valid) == 2


def test_a_folder_without_folders(tmp_path: Path) -> None:
    touch(tmp_path / "1.jpg")
    assert fault(tmp_path) == (
        f"{tmp_path}: no folders in it: expected one for each class, or train and valid"
    )


def test_folders_without_pictures(tmp_path: Path) -> None:
    touch(tmp_path / "cat" / "notes.txt")
    assert fault(tmp_path) == f"{tmp_path}: no pictures in its folders to train on"
    touch_classes(tmp_path / "both" / "train", cat=0)
    touch_classes(tmp_path / "both" / "test", cat=3)
    assert fault(tmp_path / "both").endswith("both: no pictures in its folders to train on")


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert fault(tmp_path / "no") == f"{tmp_path / 'no'}: cannot be read: No such file or directory"
    touch(tmp_path / "file")
    assert fault(tmp_path / "file") == f"{tmp_path / 'file'}: cannot be read: Not a directory"


def test_a_class_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch_classes(tmp_path, cat=1)

    def refuse(folder: Path, on_fault: Any) -> Any:
        on_fault(PermissionError(13, "Permission denied", str(folder)))

    monkeypatch.setattr(folder_module, "walk", refuse)
    assert fault(tmp_path) == f"{tmp_path / 'cat'}: cannot be read: Permission denied"


def read(folder: Path, share: float = 0) -> tuple[Dataset, Dataset | None, list[str]]:
    """The sides, and what is said of them."""
    said: list[str] = []
    train, valid = read_folder(folder, share, say=said.append)
    return train, valid, [line.replace(str(folder), ".") for line in said]


@pytest.mark.parametrize(
    ("train", "test"),
    [("Train", "Test"), ("TRAIN", "VAL"), ("Training", "Testing"), ("train", "Validation")],
)
def test_sides_in_letters_of_any_case(tmp_path: Path, train: str, test: str) -> None:
    touch_classes(tmp_path / train, cat=2, dog=1)
    touch_classes(tmp_path / test, cat=1, dog=1)
    found, valid, said = read(tmp_path)
    assert (found.names, found.counts(), said) == (("cat", "dog"), [2, 1], [])
    assert valid is not None
    assert valid.counts() == [1, 1]


def test_what_systems_leave_in_folders_is_passed_over_and_said_once(tmp_path: Path) -> None:
    touch_classes(tmp_path, cat=2, dog=1, __MACOSX=3)
    for place in ("cat", "dog", "."):
        touch(tmp_path / place / "@eaDir" / "0.jpg" / "SYNOPHOTO_THUMB_M.jpg")
    touch(tmp_path / "lost+found" / "a.jpg", tmp_path / "cat" / ".thumbnails" / "a.jpg")
    touch(tmp_path / "cat" / "Thumbs.db", tmp_path / "cat" / "._000.jpg")
    train, _, said = read(tmp_path)
    assert (train.names, train.counts()) == (("cat", "dog"), [2, 1])
    assert said == [
        ".: passed over, as no folders of pictures: .thumbnails, @eaDir, __MACOSX, lost+found"
    ]


def test_a_class_called_train_hides_no_other(tmp_path: Path) -> None:
    touch(tmp_path / "train" / "steam" / "0.jpg", tmp_path / "train" / "1.jpg")
    touch_classes(tmp_path, bus=2, car=1)
    train, _, said = read(tmp_path)
    assert (train.names, train.counts()) == (("bus", "car", "train"), [2, 1, 2])
    assert said == [".: train is taken as a class, as bus is one"]


def test_folders_beside_both_sides_are_not_used(tmp_path: Path) -> None:
    for part in ("train", "valid"):
        touch_classes(tmp_path / part, cat=1, dog=1)
    touch_classes(tmp_path, unsorted=2, papers=0)
    train, _, said = read(tmp_path)
    assert train.names == ("cat", "dog")
    assert said == [".: unsorted: not used, as the classes are those in train/ and valid/"]


def test_pictures_of_a_side_without_folders_are_not_used(tmp_path: Path) -> None:
    touch_classes(tmp_path / "train", cat=10, dog=10)
    touch(tmp_path / "test" / "1.jpg")
    train, valid, said = read(tmp_path, 0.2)
    assert valid is not None
    assert (train.counts(), valid.counts()) == ([8, 8], [2, 2])
    assert said == [".: test/ has no folder for each class: not used"]


def test_sides_without_folders_are_no_classes(tmp_path: Path) -> None:
    touch_classes(tmp_path, train=2, test=2)
    assert "train/ and test/ hold pictures, but no folder for each class" in fault(tmp_path)


def test_a_side_to_train_on_must_be_there(tmp_path: Path) -> None:
    for part in ("valid", "test"):
        touch_classes(tmp_path / part, cat=1, dog=1)
    assert fault(tmp_path) == f"{tmp_path}: has valid/ to validate with, and no train/"


def test_two_folders_to_train_on(tmp_path: Path) -> None:
    touch_classes(tmp_path / "train", cat=1)
    touch_classes(tmp_path / "Training", cat=1)
    assert "has Training and train: expected one" in fault(tmp_path)


def test_one_level_too_many_is_looked_into(tmp_path: Path) -> None:
    touch_classes(tmp_path / "a" / "b", cat=2, dog=1)
    (tmp_path / "__MACOSX").mkdir()
    train, _, said = read(tmp_path)
    assert (train.names, train.counts()) == (("cat", "dog"), [2, 1])
    assert said[0] == ".: holds one folder alone: the classes are looked for in ./a/b"
    for part in ("Train", "Test"):
        touch_classes(tmp_path / "c" / "d" / part, cat=2, dog=1)
    train, valid, _ = read(tmp_path / "c")
    assert valid is not None
    assert (train.counts(), valid.counts()) == ([2, 1], [2, 1])


def test_a_class_alone_with_its_pictures_is_not_looked_into(tmp_path: Path) -> None:
    touch_classes(tmp_path / "cat", old=2, new=1)
    touch(tmp_path / "cat" / "0.jpg")
    train, _, said = read(tmp_path)
    assert (train.names, train.counts(), said) == (("cat",), [4], [])


def test_linked_folders_and_files_are_followed_and_loops_are_none(tmp_path: Path) -> None:
    touch_classes(tmp_path / "elsewhere", more=2, dog=1)
    touch_classes(tmp_path / "pets", cat=1, dog=1)
    cat = tmp_path / "pets" / "cat"
    (cat / "more").symlink_to(tmp_path / "elsewhere" / "more")
    (cat / "again").symlink_to(tmp_path / "elsewhere" / "more")
    (cat / "linked.jpg").symlink_to(tmp_path / "elsewhere" / "dog" / "000.jpg")
    (cat / "all").symlink_to(tmp_path / "pets")
    (tmp_path / "elsewhere" / "more" / "round").symlink_to(tmp_path / "elsewhere" / "more")
    train, _, said = read(tmp_path / "pets")
    assert train.counts() == [4, 1]
    assert said == ["./cat/all: a link to a folder above it: not followed"]


def test_two_classes_that_are_one_folder_are_said(tmp_path: Path) -> None:
    touch_classes(tmp_path, cat=1)
    (tmp_path / "kitten").symlink_to(tmp_path / "cat")
    assert read(tmp_path)[2] == ["./kitten: is the same folder as ./cat"]


def test_classes_that_differ_in_case_alone_are_said(tmp_path: Path) -> None:
    touch_classes(tmp_path / "train", Cat=1, dog=1)
    touch_classes(tmp_path / "test", cat=1, dog=1)
    train, _, said = read(tmp_path)
    assert train.names == ("Cat", "cat", "dog")
    assert said == [".: the classes 'Cat' and 'cat' differ in the case of letters alone"]


@pytest.mark.parametrize("name", [" cat", "cat ", "ca\nt", "\u3000cat", os.fsdecode(b"\xff")])
def test_a_class_whose_name_no_list_of_names_can_keep(tmp_path: Path, name: str) -> None:
    touch_classes(tmp_path, dog=1)
    try:
        touch(tmp_path / name / "0.jpg")
    except OSError:
        pytest.skip("this file system has no such names")
    assert ": the name of a class " in fault(tmp_path)
    assert fault(tmp_path).endswith(": rename the folder")


def test_all_of_a_folder_to_validate_with(tmp_path: Path) -> None:
    touch_classes(tmp_path, cat=2, dog=1)
    assert read_whole_folder(tmp_path).counts() == [2, 1]


@pytest.mark.parametrize(
    ("parts", "taken", "why"),
    [
        (["train", "valid", "test"], "valid", ""),
        (["Train", "Test"], "Test", ""),
        (["valid", "test"], "valid", ""),
        (["train"], "train", ", as there is no other part"),
    ],
)
def test_or_of_its_part_to_validate_with(
    tmp_path: Path, parts: list[str], taken: str, why: str
) -> None:
    for count, part in enumerate(parts, 1):
        touch_classes(tmp_path / part, cat=count, dog=1)
    said: list[str] = []
    found = read_whole_folder(tmp_path, say=said.append)
    assert found.counts() == [1 + parts.index(taken), 1]
    assert said == [f"{tmp_path}: the pictures are those of {taken}/{why}"]
    # and exactly a part that is named itself
    for count, part in enumerate(parts, 1):
        assert read_whole_folder(tmp_path / part).counts() == [count, 1]


def test_a_class_that_is_known_is_not_looked_into(tmp_path: Path) -> None:
    touch_classes(tmp_path / "cat", old=2, new=1)
    assert read_whole_folder(tmp_path, {"cat"}).names == ("cat",)
    assert read_whole_folder(tmp_path, {"old", "new"}).names == ("new", "old")


def test_pictures_of_kinds_that_are_not_read_are_said(tmp_path: Path) -> None:
    touch_classes(tmp_path, cat=2, dog=1)
    touch(
        tmp_path / "cat" / "IMG_1.HEIC", tmp_path / "dog" / "a.avif", tmp_path / "dog" / "._b.avif"
    )
    train, _, said = read(tmp_path)
    assert train.counts() == [2, 1]
    assert said == [
        ".: 2 passed over, of kinds that are not read (.avif, .heic): save them as JPEG or PNG"
    ]
    for path in tmp_path.rglob("*.jpg"):
        path.unlink()
    assert fault(tmp_path).endswith("cat/IMG_1.HEIC are not read: save them as JPEG or PNG")

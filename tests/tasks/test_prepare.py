from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.errors import DarknetError, PictureError
from darknet_py.images import Dataset, load_image, load_prepared
from darknet_py.tasks.data import Data, open_data
from darknet_py.tasks.prepare import Begun, Event, How, Prepared, Progressed, make_plan, prepare
from tests.images.sets import make_folder, make_picture

HOW = How(size=6, png=True)


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pets", {"cat": 6, "dog": 4, "eel": 0})


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "small"


def run(source: Path, out: Path, how: How = HOW, share: float = 0.25) -> list[Event]:
    return list(prepare(open_data(source, share=share), out, how, workers=3))


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def within(dataset: Dataset | None, root: Path) -> list[tuple[str, str]]:
    assert dataset is not None
    names = [dataset.names[label] for (label,) in dataset.labels]
    paths = [path.resolve().relative_to(root).as_posix() for path in dataset.paths]
    return sorted(zip(paths, names, strict=True))


def test_what_is_written(pets: Path, out: Path) -> None:
    before = files(pets)
    events = run(pets, out)
    assert events[0] == Begun(10, [])
    assert [event.done for event in events if isinstance(event, Progressed)] == list(range(1, 11))
    assert events[-1] == Prepared(3, 7, 3, kept=0, refused=0)
    assert files(pets) == before
    source = open_data(pets, share=0.25)
    for part, dataset in (("train", source.training()), ("valid", source.validation())):
        for path, (label,) in zip(dataset.paths, dataset.labels, strict=True):
            made = out / part / source.names[label] / path.name
            np.testing.assert_array_equal(load_image(made), load_prepared(path, 6, "crop"))
    assert (out / "train" / "eel").is_dir()


@pytest.mark.parametrize("how", ["", "train.txt", "dataset.data", "folders"])
def test_it_is_data_as_it_stands(pets: Path, out: Path, how: str) -> None:
    """As lists, by either name, as darknet's .data file, and as a folder of folders."""
    run(pets, out)
    if how == "folders":
        for name in ("train.txt", "val.txt", "names.txt"):
            (out / name).unlink()
    data = open_data(out / how if how != "folders" else out)
    assert data.names == ("cat", "dog", "eel")
    assert len(data.training()) == 7
    assert len(data.validation()) == 3
    for part, dataset in (("train", data.train), ("valid", data.valid)):
        for path, name in within(dataset, out):
            assert path.startswith(f"{part}/{name}/")


def test_the_data_file_is_found_from_anywhere(
    pets: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(pets, out)
    expected = within(open_data(out / "dataset.data").train, out)
    monkeypatch.chdir(out)
    assert within(open_data("dataset.data").train, out) == expected
    # pictures of the same names where one is do not come in between
    monkeypatch.chdir(shutil.copytree(out, out.parent / "other" / "copy"))
    assert within(open_data(out).train, out) == expected
    assert within(open_data(out / "dataset.data").train, out) == expected


def test_a_split_that_is_there_is_kept(tmp_path: Path, out: Path) -> None:
    for part in ("train", "test"):
        make_folder(tmp_path / "pets" / part, {"cat": 2, "dog": 1})
    assert run(tmp_path / "pets", out)[-1] == Prepared(2, 3, 3, kept=0, refused=0)
    assert within(open_data(out).valid, out)[0] == ("valid/cat/000.png", "cat")


def test_without_pictures_to_validate_with(pets: Path, out: Path) -> None:
    assert run(pets, out, share=0)[-1] == Prepared(3, 10, 0, kept=0, refused=0)
    assert not (out / "val.txt").exists()
    assert not (out / "valid").exists()
    assert open_data(out / "dataset.data").valid is None


def test_jpeg_is_the_default(pets: Path, out: Path) -> None:
    run(pets, out, How(size=6))
    with Image.open(out / "train/cat/000.jpg") as picture:
        assert (picture.format, picture.size, picture.mode) == ("JPEG", (6, 6), "RGB")


def test_caffes_numbers_stay(pets: Path, out: Path) -> None:
    (pets / "train.txt").write_text("dog/000.png 0\ncat/000.png 1\n")
    (pets / "names.txt").write_text("house/dog # 1\nhouse cat\nhouse/dog # 2\n")
    run(pets / "train.txt", out, share=0)
    assert open_data(out).names == ("house/dog # 1", "house cat", "house/dog # 2")
    assert (out / "train.txt").read_text() == (
        "train/house-dog # 1/000.png 0\ntrain/house cat/000.png 1\n"
    )


def test_names_that_lists_cannot_bear_or_that_mean_two_classes(pets: Path, out: Path) -> None:
    names = ["0_dog.png", "0-dog.jpg", "a #1.png", ";a.png", ".a.png", "A.png", "a.PNG", "b\nc.png"]
    for index, name in enumerate(names):
        make_picture(pets / "cat" / name, seed=index)
    run(pets, out, share=0)
    data = open_data(out / "dataset.data", share=0)
    assert data.training().counts() == [13, 4, 0]  # all but the hidden one
    assert sorted(path.name for path in (out / "train/cat").iterdir() if path.name > "1") == [
        ";a.png",
        "A.png",
        "a #1.png",
        "a-2.png",
        "b-c.png",
    ]


def test_the_c_program_finds_one_label_in_each_path(tmp_path: Path, out: Path) -> None:
    """Names that are in others, in names of sides and of files."""
    names = ["rain", "train", "cat", "catfish", "valid", "png", "0", "#1", "; x", "small"]
    pets = make_folder(tmp_path / "pets", dict.fromkeys(names, 3))
    run(pets, out)
    labels = (out / "labels.txt").read_text().splitlines()
    assert (out / "names.txt").read_text().splitlines() == sorted(names)
    lists = [(out / f"{part}.list").read_text() for part in ("train", "valid")]
    lines = "".join(lists).splitlines()
    assert len(lines) == 30
    for line in lines:
        found = [index for index, label in enumerate(labels) if label in line]
        assert [sorted(names)[index] for index in found] == [Path(line).parent.name]
    for how in ("exact", "substring"):
        for part in ("", "train.txt", "dataset.data"):
            data = open_data(out / part, how)
            assert data.names == tuple(sorted(names))
            assert data.training().counts() == [2] * 10
    for name in ("train.txt", "val.txt"):
        (out / name).unlink()
    assert open_data(out).training().counts() == [2] * 10


def test_classes_that_a_disk_may_take_for_one_are_said(tmp_path: Path, out: Path) -> None:
    pets = make_folder(tmp_path / "pets", {"A": 2, "a": 2, "b\\c": 2, "b-c": 2})
    begun, *_ = run(pets, out)
    assert isinstance(begun, Begun)
    assert begun.notes == (
        f"{pets}: the classes 'A' and 'a' differ in the case of letters alone",
        "class 'a' is written to the folder 'a-2'",
        "class 'b\\\\c' is written to the folder 'b-c-2'",
    )
    assert open_data(out).names == ("A", "a", "b-c", "b\\c")


def test_a_folder_whose_name_begins_with_a_comment_sign(pets: Path, tmp_path: Path) -> None:
    run(pets, tmp_path / "#small")
    assert len(open_data(tmp_path / "#small" / "dataset.data").training()) == 7


def test_what_cannot_be_read_is_left_out_and_comes_in_later(pets: Path, out: Path) -> None:
    bad = pets / "cat" / "000.png"
    good = bad.read_bytes()
    bad.write_bytes(good[:50])
    events = run(pets, out, share=0)
    refused = [event.refused for event in events if isinstance(event, Progressed) and event.refused]
    assert [str(each).split(": ")[0] for each in refused] == [str(bad)]
    assert isinstance(refused[0], PictureError)
    assert events[-1] == Prepared(3, 9, 0, kept=0, refused=1)
    assert "cat/000.png" not in (out / "train.txt").read_text()
    bad.write_bytes(good)
    assert run(pets, out, share=0)[-1] == Prepared(3, 10, 0, kept=9, refused=0)
    assert len(open_data(out, share=0).training()) == 10


def test_interrupted_it_goes_on(pets: Path, out: Path) -> None:
    run(pets, out)
    expected = files(out)
    shutil.rmtree(out)
    events = prepare(open_data(pets, share=0.25), out, HOW, workers=1)
    for event in events:
        if isinstance(event, Progressed) and event.done == 4:
            break
    events.close()  # type: ignore[attr-defined]
    assert not (out / "train.txt").exists()
    whole = sorted((out / "train" / "cat").iterdir())
    whole[0].write_bytes(whole[0].read_bytes()[:30])
    (out / "train" / "cat" / ".darknet-x.part").touch()
    last = run(pets, out)[-1]
    assert isinstance(last, Prepared)
    assert last.kept >= 3
    assert files(out) == expected


def test_a_source_that_has_changed_is_read_again(pets: Path, out: Path) -> None:
    run(pets, out)
    changed = make_picture(pets / "cat" / "003.png", seed=77)
    later = (out / "names.txt").stat().st_mtime + 10
    os.utime(changed, (later, later))
    last = run(pets, out)[-1]
    assert isinstance(last, Prepared)
    assert last.kept == 9
    (made,) = out.glob("*/cat/003.png")
    np.testing.assert_array_equal(load_image(made), load_prepared(changed, 6, "crop"))


def test_copies_on_both_sides_are_named(pets: Path, out: Path) -> None:
    data = open_data(pets, share=0.25)
    one, other = data.training().paths[0], data.validation().paths[0]
    shutil.copy(one, other)
    assert run(pets, out)[0] == Begun(10, [(one, other)])


def fault(data: Data, out: Path, how: How = HOW) -> str:
    with pytest.raises(DarknetError) as caught:
        list(prepare(data, out, how))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def test_folders_that_hold_something_else(pets: Path, out: Path) -> None:
    data = open_data(pets)
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert fault(data, out) == f"{out}: is there and not empty: name another folder"
    assert files(out) == {"mine.txt": b"mine"}
    (out / "mine.txt").unlink()
    list(prepare(data, out, HOW))
    before = files(out)
    for how in (How(7, png=True), How(6), How(6, "squash", png=True)):
        assert fault(data, out, how) == (
            f"{out}: was prepared from other pictures or in another way: name another folder, or "
            "delete it"
        )
    make_picture(pets / "dog" / "new.png")
    assert "was prepared from other pictures" in fault(open_data(pets), out)
    assert files(out) == before
    for mark in (b"[" * 9999, b"[" * 10**7, b"\xff", b"NaN"):
        (out / "prepared.json").write_bytes(mark)
        assert "was prepared from other pictures" in fault(data, out)


def test_pictures_are_never_written_over(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(pets)
    data = open_data(pets)
    assert fault(data, pets / "small").startswith(
        f"{pets / 'small'}: lies in {pets}, which is only read"
    )
    assert "which is only read" in fault(data, pets)
    monkeypatch.chdir(pets)
    assert "which is only read" in fault(data, Path("small"))
    assert f"{pets / 'cat'} lies in it" in fault(data, pets.parent)
    assert files(pets) == before
    assert not (pets.parent / "prepared.json").exists()


def test_nothing_that_can_be_read(tmp_path: Path, out: Path) -> None:
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    (tmp_path / "pets" / "cat" / "0.png").touch()
    message = fault(open_data(tmp_path / "pets"), out)
    assert message.endswith("pets: none of the pictures to train on can be read")


def test_the_same_pictures_have_the_same_plan(pets: Path) -> None:
    plan = make_plan(open_data(pets), HOW)
    assert plan.digest(HOW) == make_plan(open_data(pets), HOW).digest(HOW)
    assert plan.digest(HOW) != make_plan(open_data(pets, seed=5), HOW).digest(HOW)


def test_killed_before_anything_was_written(pets: Path, out: Path) -> None:
    """What it has left is nothing that stands in the way."""
    out.mkdir()
    (out / ".darknet-x.part").write_text("{")
    run(pets, out)
    assert not list(out.glob(".*"))
    assert (out / "train.list").exists()

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import DarknetError
from darknet_py.images import fit_image, load_image
from darknet_py.tasks.measure import Progressed, Statistics, measure, pictures_to_measure
from tests.images.sets import make_folder, make_picture


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pets", {"cat": 3, "dog": 4})


def statistics(*arguments: object, **named: object) -> Statistics:
    *_, last = measure(*arguments, **named)  # type: ignore[arg-type]
    assert isinstance(last, Statistics)
    return last


def test_over_all_pixels_of_all_pictures(pets: Path) -> None:
    paths = pictures_to_measure(pets)
    assert len(paths) == 7
    pixels = np.concatenate([load_image(p).reshape(-1, 3) for p in paths]).astype(np.float64)
    found = statistics(paths)
    assert (found.pictures, found.refused, found.pixels) == (7, 0, len(pixels))
    np.testing.assert_allclose(found.mean, pixels.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.deviation, pixels.std(axis=0), rtol=1e-9)


def test_large_pictures_are_added_up_in_parts(tmp_path: Path) -> None:
    path = make_picture(tmp_path / "a.png", w=400, h=401)
    pixels = load_image(path).reshape(-1, 3).astype(np.float64)
    found = statistics([path])
    assert found.pixels == len(pixels)
    np.testing.assert_allclose(found.mean, pixels.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.deviation, pixels.std(axis=0), rtol=1e-9)


def test_with_a_size_each_picture_weighs_the_same(pets: Path) -> None:
    paths = pictures_to_measure(pets)
    fitted = np.stack([fit_image(load_image(path), 5, 5, "crop") for path in paths])
    found = statistics(paths, size=5)
    assert found.pixels == 7 * 25
    np.testing.assert_allclose(found.mean, fitted.mean(axis=(0, 1, 2)), rtol=1e-6)


def test_grey_is_the_mean_of_the_channels(pets: Path) -> None:
    paths = pictures_to_measure(pets)
    found = statistics(paths, channels=1)
    assert found.mean == pytest.approx((np.mean(statistics(paths).mean),), rel=1e-6)
    assert found.deviation[0] < min(statistics(paths).deviation)


def test_the_number_of_threads_changes_nothing(pets: Path) -> None:
    paths = pictures_to_measure(pets)
    assert statistics(paths, workers=1) == statistics(paths, workers=5)


def test_what_cannot_be_read_is_left_out(pets: Path) -> None:
    expected = statistics(pictures_to_measure(pets))
    (pets / "cat" / "zero.png").touch()
    events = list(measure(pictures_to_measure(pets)))
    refused = [e.refused for e in events if isinstance(e, Progressed) and e.refused]
    assert [str(each) for each in refused] == [
        f"{pets / 'cat/zero.png'}: is empty: copy or download it again"
    ]
    last = events[-1]
    assert isinstance(last, Statistics)
    assert (last.mean, last.pictures, last.refused) == (expected.mean, 7, 1)
    with pytest.raises(DarknetError, match="none of the pictures can be read"):
        list(measure([pets / "cat" / "zero.png"]))


def test_which_pictures(pets: Path) -> None:
    assert pictures_to_measure(pets / "cat") == sorted((pets / "cat").iterdir())
    (pets / "train.txt").write_text("dog/001.png 0\n")
    (pets / "val.txt").write_text("dog/002.png 0\n")
    assert pictures_to_measure(pets) == [pets / "dog/001.png"]
    assert pictures_to_measure(pets / "train.txt") == [pets / "dog/001.png"]
    for name in ("train", "test"):
        make_folder(pets / "split" / name, {"cat": 2})
    assert [path.parts[-3] for path in pictures_to_measure(pets / "split")] == ["train"] * 2

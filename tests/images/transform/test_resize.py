"""None"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from darknet_py.images import resize_image, resize_max, resize_min
from darknet_py.images.io.image import to_float
from darknet_py.images.transform.resize import check_image, check_size
from tests.images.pictures import Floats, golden, noise


@pytest.mark.parametrize("shape", [(), (3,), (4, 4), (0, 4, 3), (4, 4, 0), (1, 4, 4, 3)])
def test_what_is_not_a_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="is not a picture"):
        check_image(np.zeros(shape, np.float32))


@pytest.mark.parametrize(("w", "h"), [(0, 1), (1, 0), (-3, 5)])
def test_sizes_that_cannot_be(w: int, h: int) -> None:
    with pytest.raises(ValueError, match=f"{w}x{h}"):
        check_size(w, h)


def test_the_smallest_picture_passes() -> None:
    check_image(np.zeros((1, 1, 1), np.float32))
    check_size(1, 1)


sides = st.integers(1, 40)
channels = st.integers(1, 5)


def reference(image: Floats, w: int, h: int) -> Floats:
    """Pixel by pixel, as the docstring says it; float32 wherever the C program has it."""
    one = np.float32(1)

    def sample(line: Floats, out: int, loses_last: bool) -> Floats:
        scale = np.float32(len(line) - 1) / np.float32(max(out - 1, 1))
        blended = np.empty((out, *line.shape[1:]), np.float32)
        for k in range(out):
            place = np.float32(k) * scale
            before = min(int(place), len(line) - 1)
            share = place - np.float32(before)
            if out == 1 or (k == out - 1 and not loses_last):
                blended[k] = line[-1]
                continue
            after = line[min(before + 1, len(line) - 1)]
            blended[k] = (one - share) * line[before]
            blended[k] += 0 if k == out - 1 else share * after
        return blended

    part = sample(image.transpose(1, 0, 2), w, loses_last=False).transpose(1, 0, 2)
    return sample(part, h, loses_last=True)


@pytest.mark.parametrize(("w", "h"), [(20, 33), (90, 31), (61, 47)])
def test_resize_image_is_the_c_programs(w: int, h: int) -> None:
    expected = golden(f"resize_image__w{w}_h{h}")
    np.testing.assert_allclose(resize_image(golden("x"), w, h), expected, atol=1e-6, rtol=0)


def test_resize_min_is_the_c_programs() -> None:
    expected = golden("resize_min__min32")
    np.testing.assert_allclose(resize_min(golden("x"), 32), expected, atol=1e-6, rtol=0)


@given(sides, sides, channels, sides, sides)
def test_every_pixel_is_the_reference_loops(in_h: int, in_w: int, c: int, w: int, h: int) -> None:
    image = noise(in_h, in_w, c)
    resized = resize_image(image, w, h)
    assert resized.shape == (h, w, c)
    assert resized.dtype == np.float32
    assert resized.flags.c_contiguous
    np.testing.assert_allclose(resized, reference(image, w, h), atol=1e-6, rtol=0)


@given(sides, sides, channels)
def test_the_same_size_changes_nothing_and_gives_a_new_array(h: int, w: int, c: int) -> None:
    image = noise(h, w, c)
    same = resize_image(image, w, h)
    assert np.array_equal(same, image)
    assert not np.shares_memory(same, image)


@given(sides, sides, sides, sides)
def test_a_constant_picture_stays_constant(in_h: int, in_w: int, w: int, h: int) -> None:
    assume(not loses_last_row(in_h, h))
    resized = resize_image(np.full((in_h, in_w, 3), 0.3, np.float32), w, h)
    np.testing.assert_allclose(resized, 0.3, atol=1e-5, rtol=0)


@given(sides, sides, sides, sides)
def test_values_stay_within_the_pictures(in_h: int, in_w: int, w: int, h: int) -> None:
    image = noise(in_h, in_w)
    resized = resize_image(image, w, h)
    assert resized.min() >= (0 if loses_last_row(in_h, h) else image.min() - 1e-5)
    assert resized.max() <= image.max() + 1e-5


@given(sides, sides, st.integers(2, 40), st.integers(2, 40))
def test_corners_stay_corners(in_h: int, in_w: int, w: int, h: int) -> None:
    assume(not loses_last_row(in_h, h))
    image = noise(in_h, in_w)
    resized = resize_image(image, w, h)
    corners = [0, 0, -1, -1], [0, -1, 0, -1]
    np.testing.assert_allclose(resized[corners], image[corners], atol=1e-5)


LOST = [(114, 28), (121, 224), (128, 298), (240, 28), (496, 224)]
"""Heights whose last row the C program leaves black."""


def loses_last_row(in_h: int, h: int) -> bool:
    """Whether float32 puts the last row's place before the picture's last row."""
    place = np.float32(h - 1) * (np.float32(in_h - 1) / np.float32(max(h - 1, 1)))
    return bool(h > 1 and place < in_h - 1)


@pytest.mark.parametrize(("in_h", "h"), LOST)
def test_the_last_row_is_black_where_its_place_is_rounded_down(in_h: int, h: int) -> None:
    assert loses_last_row(in_h, h)
    resized = resize_image(np.ones((in_h, 50, 3), np.float32), 50, h)
    assert resized[-1].max() < 1e-4
    assert resized[:-1].min() == 1


def test_a_side_of_one_keeps_the_last_pixel() -> None:
    image = noise(5, 7)
    assert np.array_equal(resize_image(image, 1, 1)[0, 0], image[-1, -1])


@pytest.mark.parametrize(("w", "h"), [(0, 5), (5, 0), (-1, 5)])
def test_a_size_below_one_is_a_mistake(w: int, h: int) -> None:
    with pytest.raises(ValueError, match=f"{w}x{h} pixels cannot be"):
        resize_image(noise(4, 4), w, h)


@pytest.mark.parametrize("shape", [(4, 4), (0, 4, 3), (4, 0, 3), (1, 4, 4, 3)])
def test_an_array_of_another_shape_is_a_mistake(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="not a picture"):
        resize_image(np.zeros(shape, np.float32), 2, 2)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 40))
def test_resize_min_rounds_the_longer_side_down(in_h: int, in_w: int, shortest: int) -> None:
    h, w, _ = resize_min(np.zeros((in_h, in_w, 1), np.float32), shortest).shape
    assert min(h, w) == shortest
    assert max(h, w) == max(in_h, in_w) * shortest // min(in_h, in_w)
    assert (w <= h) == (in_w <= in_h) or w == h


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 40))
def test_resize_max_rounds_the_shorter_side_down_but_not_away(
    in_h: int, in_w: int, longest: int
) -> None:
    h, w, _ = resize_max(np.zeros((in_h, in_w, 1), np.float32), longest).shape
    assert max(h, w) == longest
    assert min(h, w) == max(1, min(in_h, in_w) * longest // max(in_h, in_w))
    assert (w <= h) == (in_w <= in_h) or w == h


def test_bytes_and_doubles_are_resized_as_floats() -> None:
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert np.array_equal(resize_image(image, 3, 2), resize_image(to_float(image), 3, 2))
    expected = resize_image(image.astype(np.float32), 3, 2)
    assert np.array_equal(resize_image(image.astype(np.float64), 3, 2), expected)


def test_a_large_picture_needs_little_memory() -> None:
    image = np.zeros((3000, 4000, 3), np.float32)
    tracemalloc.start()
    resize_image(image, 298, 224)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8e6

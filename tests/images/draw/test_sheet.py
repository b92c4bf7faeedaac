from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from darknet_py.images.draw.sheet import draw_sheet
from tests.images.paint import check_picture, edges_are_white, where
from tests.images.pictures import Floats, noise

RED, GREEN = (255, 0, 0), (0, 255, 0)
GRID = (228, 228, 228)


def plain(h: int, w: int, color: tuple[int, int, int]) -> Floats:
    picture: Floats = np.divide(np.full((h, w, 3), color), 255, dtype=np.float32)
    return picture


def bounds(painted: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom; the last two are the first beyond."""
    rows, columns = np.where(painted)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def find(sheet: Floats, picture: Floats) -> tuple[int, int]:
    """Where the top left corner of a picture lies on a sheet, pixel by pixel."""
    left, top, *_ = bounds(where(sheet, tuple(np.rint(picture[0, 0] * 255).astype(int))))
    h, w = picture.shape[:2]
    np.testing.assert_allclose(sheet[top : top + h, left : left + w], picture, atol=0.002)
    return left, top


def test_a_small_picture_is_enlarged_by_a_whole_factor() -> None:
    image = noise(5, 7)
    sheet = draw_sheet([image], [""], cell=50)
    large = image.repeat(7, axis=0).repeat(7, axis=1)
    left, top = find(sheet, large)
    h, w = large.shape[:2]
    check_picture(sheet, h + 2 * top, w + 2 * left)


def test_a_picture_of_the_cells_size_stays_as_it_is() -> None:
    image = noise(50, 30)
    find(draw_sheet([image], [""], cell=50), image)


def test_a_large_picture_is_shrunk_into_the_cell() -> None:
    sheet = draw_sheet([plain(300, 600, RED)], [""], cell=100)
    left, top, right, bottom = bounds(where(sheet, RED))
    assert (right - left, bottom - top) == (100, 50)


def test_a_thin_line_of_a_large_picture_is_not_lost() -> None:
    image = np.zeros((1000, 1000, 1), np.float32)
    image[:, 503] = 1
    sheet = draw_sheet([image], [""], cell=100)
    left, top, right, bottom = bounds(where(sheet, (0, 0, 0)))
    inner = sheet[top + 5 : bottom - 5, left + 5 : right - 5]
    assert inner.max() > 0.05


def test_grey_pictures_fill_all_three_channels() -> None:
    image = noise(6, 6, 1)
    find(draw_sheet([image], [""], cell=6), image.repeat(3, axis=2))


def test_values_beyond_are_clipped_and_none_are_black() -> None:
    image = np.array([[[-3.0], [7.0], [np.nan], [np.inf]]], np.float32)
    sheet = draw_sheet([image, plain(4, 4, RED)], ["", ""], cell=4)
    _, top, *_ = bounds(where(sheet, RED))
    left, _, right, _ = bounds(where(sheet, (0, 0, 0)))
    assert right - left == 3
    row = sheet[top + 3, left : left + 4, 0]  # Pictures stand on one line.
    assert row.tolist() == [0, 1, 0, 1]


def test_pictures_follow_from_left_to_right_and_down() -> None:
    colors = [(10, 0, 0), (20, 0, 0), (30, 0, 0), (40, 0, 0), (50, 0, 0)]
    sheet = draw_sheet([plain(8, 8, color) for color in colors], [""] * 5, columns=3, cell=8)
    places = [bounds(where(sheet, color))[:2] for color in colors]
    assert places[0][1] == places[1][1] == places[2][1] < places[3][1] == places[4][1]
    assert places[0][0] == places[3][0] < places[1][0] == places[4][0] < places[2][0]


def test_each_row_is_as_high_as_its_tallest() -> None:
    images = [plain(10, 40, RED), plain(40, 40, GREEN)]
    sheet = draw_sheet(images, ["", ""], columns=1, cell=40)
    _, _, _, red_bottom = bounds(where(sheet, RED))
    _, green_top, _, _ = bounds(where(sheet, GREEN))
    assert 0 < green_top - red_bottom < 20


def test_captions_stand_below_and_within_their_cell() -> None:
    caption = "a caption that is far too long for a picture of a hundred pixels"
    images = [plain(100, 100, RED), plain(100, 100, GREEN)]
    sheet = draw_sheet(images, [caption, ""], columns=2, cell=100)
    left, _, right, bottom = bounds(where(sheet, RED))
    below = sheet[bottom + 2 :, :, 0] < 0.9
    columns = np.flatnonzero(below.any(axis=0))
    assert left <= columns[0]
    assert columns[-1] < right
    assert columns[-1] - columns[0] > 80
    assert sheet.shape[0] > draw_sheet(images, ["", ""], columns=2, cell=100).shape[0]


def test_a_short_caption_is_whole_and_in_the_middle() -> None:
    sheet = draw_sheet([plain(100, 100, RED)], ["dog"], cell=100)
    left, _, right, bottom = bounds(where(sheet, RED))
    columns = np.flatnonzero((sheet[bottom + 2 :, :, 0] < 0.9).any(axis=0))
    assert (columns[0] + columns[-1]) / 2 == pytest.approx((left + right) / 2, abs=2)


def test_a_white_picture_has_an_edge() -> None:
    sheet = draw_sheet([plain(20, 20, (255, 255, 255))], [""], cell=20)
    left, top, right, bottom = bounds(where(sheet, GRID))
    assert (right - left, bottom - top) == (22, 22)


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (3, 3), (6, 3), (64, 8), (96, 12)])
def test_a_sheet_is_somewhat_wider_than_high_and_full(count: int, columns: int) -> None:
    free = draw_sheet([plain(9, 9, RED)] * count, [""] * count, cell=9)
    chosen = draw_sheet([plain(9, 9, RED)] * count, [""] * count, columns, cell=9)
    assert free.shape == chosen.shape


def test_the_cell_follows_the_largest_picture() -> None:
    for side, shown in ((3, 96), (150, 150), (500, 224)):
        left, _, right, _ = bounds(where(draw_sheet([plain(side, side, RED)], [""]), RED))
        assert right - left == shown


sizes = st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]))
pictures = sizes.flatmap(
    lambda shape: arrays.arrays(np.float32, shape, elements=st.floats(width=32), fill=st.just(0.5))
)


@given(st.lists(st.tuples(pictures, st.text(max_size=30)), min_size=1, max_size=6), st.data())
def test_any_pictures_make_a_sheet(entries: list[tuple[Floats, str]], data: st.DataObject) -> None:
    images, captions = zip(*entries, strict=True)
    columns = data.draw(st.none() | st.integers(1, 9))
    cell = data.draw(st.none() | st.integers(1, 60))
    sheet = draw_sheet(images, captions, columns, cell)
    check_picture(sheet, *sheet.shape[:2])
    assert edges_are_white(sheet)


def test_the_pictures_are_left_as_they_were() -> None:
    image = noise(5, 5)
    before = image.copy()
    draw_sheet([image], ["x"])
    assert np.array_equal(image, before)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="needs a picture"):
        draw_sheet([], [])
    with pytest.raises(ValueError, match="1 captions for 2 pictures"):
        draw_sheet([noise(2, 2)] * 2, ["one"])
    with pytest.raises(ValueError, match="columns=0 is below 1"):
        draw_sheet([noise(2, 2)], [""], columns=0)
    with pytest.raises(ValueError, match="cell=-1 is below 1"):
        draw_sheet([noise(2, 2)], [""], cell=-1)
    with pytest.raises(ValueError, match=r"\(2, 2, 2\) is not"):
        draw_sheet([noise(2, 2, 2)], [""])
    with pytest.raises(ValueError, match="not a picture"):
        draw_sheet([noise(2, 2)[0]], [""])


def test_a_title_stands_above_and_widens_a_narrow_sheet() -> None:
    pictures = [plain(96, 96, RED)]
    without = draw_sheet(pictures, [""])
    short, long = draw_sheet(pictures, [""], title="A"), draw_sheet(pictures, [""], title="A" * 40)
    assert short.shape == (without.shape[0] + 30, *without.shape[1:])
    assert long.shape[1] > short.shape[1]
    assert edges_are_white(long)
    for sheet in (short, long):
        _, top, *_ = bounds(where(sheet, RED))
        assert (sheet[: top - 2] < 0.5).any()
    np.testing.assert_array_equal(short[44:], without[14:])

"""Pixels of pictures in one pass: augmentation, and the views of a dream. For the CPU alone, where
pictures are read."""

from __future__ import annotations

import math

import numpy as np

from darknet_py.ops.array_types import Array
from darknet_py.ops.cpu.codegen.jit import jit
from darknet_py.ops.cpu.runtime.threads import run, spread


def control_count(size: int, spacing: float) -> int:
    """How many control numbers a side of `size` pixels needs, `spacing` pixels apart."""
    return math.floor((size - 1) / spacing) + 4


def spline_surface(control: Array, spacing: float, w: int, h: int) -> Array:
    """(count, h, w) float32: uniform cubic B-splines of `control` (count, rows, columns), float32.

    Control numbers lie `spacing` pixels apart, the first ones a step before the picture: so
    control_count(h, spacing) rows and control_count(w, spacing) columns. With two continuous
    derivatives, and within the range of the control numbers.
    """
    surface = np.empty((len(control), h, w), np.float32)
    _spline_surface(control, float(spacing), surface)
    return surface


@jit
def _spline_surface(control, spacing, surface):  # type: ignore[no-untyped-def]
    count, h, w = surface.shape
    row = np.empty(control.shape[2], np.float32)
    for k in range(count):
        for y in range(h):
            place = y / spacing
            top = int(place)
            a, b, c, d = _weights(place - top)
            # first down, then across: each number of the surface is four products
            for column in range(len(row)):
                above = a * control[k, top, column] + b * control[k, top + 1, column]
                below = c * control[k, top + 2, column] + d * control[k, top + 3, column]
                row[column] = above + below
            for x in range(w):
                place = x / spacing
                left = int(place)
                a, b, c, d = _weights(place - left)
                before = a * row[left] + b * row[left + 1]
                surface[k, y, x] = before + c * row[left + 2] + d * row[left + 3]


@jit
def _weights(t):  # type: ignore[no-untyped-def]
    """The shares of four neighbours for a place `t` (0..1) between the middle two."""
    rest = 1 - t
    return (
        rest * rest * rest / 6,
        (3 * t * t * t - 6 * t * t + 4) / 6,
        (3 * rest * rest * rest - 6 * rest * rest + 4) / 6,
        t * t * t / 6,
    )


UNMOVED = np.zeros((2, 0, 0), np.float32)
"""The `field` of a picture that is not warped."""

_ZERO, _ONE, _TWO, _THREE, _FOUR, _FIVE, _SIX = np.arange(7, dtype=np.float32)
_BYTE = np.float32(255)


def augment(
    picture: Array,
    out: Array,
    affine: tuple[float, float, float, float, float, float],
    field: Array,
    flip: bool,
    colour: tuple[float, float, float, float, float, float] | None,
) -> None:
    """Samples `picture` (in_h, in_w, 3), bytes or float32 in 0..1, into `out` (3, h, w), 0..1.

    The pixel (x, y) of the result comes from (a x + b y + c, d x + e y + f) of the picture,
    affine = (a, b, c, d, e, f), as a blend of the four pixels around; outside there is 0.
    `field` (2, h, w), or UNMOVED, is added to x and y before. `flip` then exchanges left and
    right. `colour` = (hue, saturation, exposure, red, green, blue): the C program's `distort_image`
    by the first three; the others are then added, and the sum clipped; None for neither.

    Equal to the C program's rotate_crop_image, flip_image and distort_image in turn.
    """
    scale = _ONE / _BYTE if picture.dtype == np.uint8 else _ONE
    factors = tuple(map(np.float32, colour or (0.0,) * 6))
    _augment(picture, out, scale, affine, field, flip, colour is not None, factors)


@jit
def _augment(picture, out, scale, affine, field, flip, recolour, colour):  # type: ignore[no-untyped-def]
    for y in range(out.shape[1]):
        # row by row, so that the second step finds the first one's pixels in the cache
        red, green, blue = out[0, y], out[1, y], out[2, y]
        _sample_row(picture, red, green, blue, y, scale, affine, field, flip)
        if recolour:
            _recolour_row(red, green, blue, colour)


@jit
def _sample_row(picture, red, green, blue, y, scale, affine, field, flip):  # type: ignore[no-untyped-def]
    in_h, in_w, _ = picture.shape
    w = len(red)
    for x in range(w):
        to_x, to_y = float(x), float(y)
        if field.size:
            to_x += field[0, y, x]
            to_y += field[1, y, x]
        # places in float32, as the C program has them, from a sum in double, as there
        in_x = np.float32(affine[0] * to_x + affine[1] * to_y + affine[2])
        in_y = np.float32(affine[3] * to_x + affine[4] * to_y + affine[5])
        at = w - 1 - x if flip else x
        if not (in_x > -1 and in_x < in_w and in_y > -1 and in_y < in_h):
            red[at], green[at], blue[at] = _ZERO, _ZERO, _ZERO
            continue
        left_place, top_place = np.floor(in_x), np.floor(in_y)
        dx, dy = in_x - left_place, in_y - top_place
        left, top = int(left_place), int(top_place)
        right, below = left + 1, top + 1
        # a pixel outside has no share, and any other stands in for it
        left_share = (_ONE - dx) * scale if left >= 0 else _ZERO
        right_share = dx * scale if right < in_w else _ZERO
        top_share = _ONE - dy if top >= 0 else _ZERO
        below_share = dy if below < in_h else _ZERO
        left, top = max(left, 0), max(top, 0)
        right, below = min(right, in_w - 1), min(below, in_h - 1)
        a, b = left_share * top_share, right_share * top_share
        c, d = left_share * below_share, right_share * below_share
        nw, ne = picture[top, left], picture[top, right]
        sw, se = picture[below, left], picture[below, right]
        red[at] = _blend(a, b, c, d, nw[0], ne[0], sw[0], se[0])
        green[at] = _blend(a, b, c, d, nw[1], ne[1], sw[1], se[1])
        blue[at] = _blend(a, b, c, d, nw[2], ne[2], sw[2], se[2])


@jit
def _blend(a, b, c, d, nw, ne, sw, se):  # type: ignore[no-untyped-def]
    above = a * np.float32(nw) + b * np.float32(ne)
    return above + c * np.float32(sw) + d * np.float32(se)


@jit
def _recolour_row(red, green, blue, colour):  # type: ignore[no-untyped-def]
    """distort_image, operation for operation, without branches; then the sums."""
    hue, saturation, exposure, more_red, more_green, more_blue = colour
    for x in range(len(red)):
        r, g, b = red[x], green[x], blue[x]
        value = max(r, g, b)
        delta = value - min(r, g, b)
        divisor = delta if delta != _ZERO else _ONE
        to_green, to_blue, to_red = g - b, b - r, r - g
        from_green = to_blue / divisor + _TWO
        from_blue = to_red / divisor + _FOUR
        sixth = to_green / divisor if r == value else (from_green if g == value else from_blue)
        sixth = sixth + _SIX if sixth < _ZERO else sixth
        sixth = _ZERO if sixth == _SIX else sixth
        s = delta / (value if value != _ZERO else _ONE) * saturation
        turned = sixth / _SIX + hue
        turned = turned - _ONE if turned > _ONE else turned
        turned = turned + _ONE if turned < _ZERO else turned
        v = value * exposure

        place = turned * _SIX
        sector = np.floor(place)
        f = place - sector
        p, q, t = v * (_ONE - s), v * (_ONE - s * f), v * (_ONE - s * (_ONE - f))
        sector = sector if sector >= _ZERO and sector < _SIX else _FIVE
        r = q if sector == _ONE else (t if sector == _FOUR else v)
        r = p if sector > _ONE and sector < _FOUR else r
        g = t if sector == _ZERO else (q if sector == _THREE else v)
        g = p if sector > _THREE else g
        b = t if sector == _TWO else (q if sector == _FIVE else v)
        b = p if sector < _TWO else b
        red[x] = _clip(_clip(r) + more_red)
        green[x] = _clip(_clip(g) + more_green)
        blue[x] = _clip(_clip(b) + more_blue)


@jit
def _clip(value):  # type: ignore[no-untyped-def]
    return min(max(value, _ZERO), _ONE)


Samples = tuple[Array, Array, Array]
"""For each place along a side the two pixels around it (int64), and how near it is to the second
(float32)."""

_CHUNK = 1 << 15


def to_planes(pixels: Array, rows: Samples, columns: Samples) -> Array:
    """The samples of a picture (h, w, c), float32, C-contiguous: (c, rows, columns)."""
    planes = np.empty((pixels.shape[2], len(rows[0]), len(columns[0])), np.float32)
    run(lambda part: _to_planes(pixels, rows, columns, planes, part), _ranges(len(rows[0])))
    return planes


def to_pixels(planes: Array, rows: Samples, columns: Samples) -> Array:
    """The samples of planes (c, h, w), float32, C-contiguous: (rows, columns, c)."""
    pixels = np.empty((len(rows[0]), len(columns[0]), planes.shape[0]), np.float32)
    run(lambda part: _to_pixels(planes, rows, columns, pixels, part), _ranges(len(rows[0])))
    return pixels


def moments(x: Array) -> tuple[float, float]:
    """Mean and standard deviation of all values of a C-contiguous array, summed in doubles and in
    one order, whatever the threads."""
    flat = x.reshape(-1)
    sums = np.empty((-(-flat.size // _CHUNK), 2))
    run(lambda part: _sums(flat, sums, part, _CHUNK), _ranges(len(sums)))
    total, squares = (float(value) for value in sums.sum(axis=0))
    mean = total / flat.size
    return mean, max(squares / flat.size - mean * mean, 0.0) ** 0.5


def _ranges(count: int) -> list[tuple[int, int]]:
    return [(part.start, part.stop) for part in spread(count)]


@jit
def _to_planes(pixels, rows, columns, planes, part):  # type: ignore[no-untyped-def]
    above, below, row_share = rows
    left, right, column_share = columns
    _, w, c = pixels.shape
    line = np.empty((w, c), np.float32)
    for y in range(part[0], part[1]):
        _mix(pixels[above[y]], pixels[below[y]], row_share[y], line)
        for k in range(c):
            out = planes[k, y]
            for x in range(len(out)):
                share = column_share[x]
                out[x] = (_ONE - share) * line[left[x], k] + share * line[right[x], k]


@jit
def _to_pixels(planes, rows, columns, pixels, part):  # type: ignore[no-untyped-def]
    above, below, row_share = rows
    left, right, column_share = columns
    c, _, w = planes.shape
    line = np.empty(w, np.float32)
    for y in range(part[0], part[1]):
        out = pixels[y]
        for k in range(c):
            plane = planes[k]
            share = row_share[y]
            one, other = plane[above[y]], plane[below[y]]
            for x in range(w):
                line[x] = (_ONE - share) * one[x] + share * other[x]
            for x in range(len(out)):
                share = column_share[x]
                out[x, k] = (_ONE - share) * line[left[x]] + share * line[right[x]]


@jit
def _mix(one, other, share, out):  # type: ignore[no-untyped-def]
    w, c = out.shape
    for x in range(w):
        for k in range(c):
            out[x, k] = (_ONE - share) * one[x, k] + share * other[x, k]


@jit
def _sums(flat, sums, part, chunk):  # type: ignore[no-untyped-def]
    for i in range(part[0], part[1]):
        total, squares = 0.0, 0.0
        for place in range(i * chunk, min((i + 1) * chunk, len(flat))):
            value = np.float64(flat[place])
            total += value
            squares += value * value
        sums[i, 0], sums[i, 1] = total, squares

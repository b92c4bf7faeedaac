"""What training does to the pixels of a picture, in one pass: for the CPU, where pictures are read.

Not one of the functions that both devices have.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.ops.cpu.codegen.jit import jit

Array = Any

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
    right. `colour` = (hue, saturation, exposure, red, green, blue): what `images.distort_image`
    does with the first three; the others are then added, and the sum clipped; None for neither.

    Equal to images.rotate_crop_image, flip_image and distort_image, one after the other.
    """
    scale = _ONE / _BYTE if picture.dtype == np.uint8 else _ONE
    recolour = colour is not None
    _augment(picture, out, scale, affine, field, flip, recolour, colour or (0.0,) * 6)


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
    """images.distort_image, operation for operation, without branches; then the sums."""
    hue, saturation, exposure = (
        np.float32(colour[0]),
        np.float32(colour[1]),
        np.float32(colour[2]),
    )
    more_red, more_green, more_blue = (
        np.float32(colour[3]),
        np.float32(colour[4]),
        np.float32(colour[5]),
    )
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

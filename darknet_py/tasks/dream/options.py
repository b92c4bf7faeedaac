"""The numbers of a dream; defaults are those of the nightmare page."""

from __future__ import annotations

from dataclasses import dataclass

OCTAVE_SCALE = 4 / 3
"""The page's: each scale is 3/4 of the one before."""


@dataclass(frozen=True)
class Options:
    """rounds, iters: pictures that are made, and steps to each. octaves: scales that are drawn
    from, each `octave_scale` times as large as the next. coarse_to_fine: instead, as
    google/deepdream does it, `iters` steps at each of the scales, from the smallest to the
    picture's own, moved by up to 32 pixels around its edges. rate: how much of a step is added.
    zoom, rotate: between rounds, as a share of the picture's sides and in radians. norm: whether
    steps are made to have mean 0 and deviation 1. seed: of all that is drawn. laplacian: levels
    whose details are made equally strong; 0: none. tv: how much of the total variation's gradient
    is added to each step.

    momentum, smooth_rate, smooth: of a reconstruction. `smooth_rate` (the C program's -lambda)
    draws each pixel to those up to `smooth` pixels away.
    """

    rounds: int = 1
    iters: int = 10
    octaves: int = 4
    octave_scale: float = OCTAVE_SCALE
    coarse_to_fine: bool = False
    rate: float = 0.05
    zoom: float = 1.0
    rotate: float = 0.0
    norm: bool = True
    seed: int = 0
    laplacian: int = 0
    tv: float = 0.0
    momentum: float = 0.9
    smooth_rate: float = 0.01
    smooth: int = 1

    @property
    def steps(self) -> int:
        """That each round takes."""
        return self.iters * (self.octaves if self.coarse_to_fine else 1)


def octave_size(w: int, h: int, octave: int, scale: float = OCTAVE_SCALE) -> tuple[int, int]:
    """Width and height of a picture at a scale: the 0th is its own, and each `scale` times as large
    as the next."""
    # the page's 3/4 is a float, 4/3 is none
    share = (0.75 if scale == OCTAVE_SCALE else 1 / scale) ** octave
    return int(w * share), int(h * share)

"""The numbers of a dream; defaults are those of the nightmare page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """rounds, iters: pictures that are made, and steps to each. octaves: scales that are drawn
    from, each 3/4 of the one before. rate: how much of a step is added. zoom, rotate: between
    rounds, as a share of the picture's sides and in radians. norm: whether steps are made to have
    mean 0 and deviation 1. seed: of all that is drawn. laplacian: levels whose details are made
    equally strong; 0: none. tv: how much of the total variation's gradient is added to each step.

    momentum, smooth_rate, smooth: of a reconstruction. `smooth_rate` (the C program's -lambda)
    draws each pixel to those up to `smooth` pixels away.
    """

    rounds: int = 1
    iters: int = 10
    octaves: int = 4
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


SHRINK = 0.75
"""From one octave to the next."""


def octave_size(w: int, h: int, octave: int) -> tuple[int, int]:
    """Width and height of a picture at a scale: the 0th is its own."""
    scale = SHRINK**octave
    return int(w * scale), int(h * scale)

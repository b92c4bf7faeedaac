"""How training pictures vary: keys of [net], read here for the network and the loader alike."""

from __future__ import annotations

from dataclasses import dataclass

from darknet_py.cfg.sections import Section


@dataclass(frozen=True)
class Augmentation:
    """Ranges that each picture's changes are drawn from, in darknet's words.

    min_crop, max_crop: pixels of the shorter side before the window is cut (the width, twice the
    width); angle: degrees to either side (0); aspect, saturation, exposure: factors, or their
    inverse (1); hue: to either side, of a turn (0); flip: mirrored half of the time (1).
    """

    min_crop: int
    max_crop: int
    angle: float
    aspect: float
    hue: float
    saturation: float
    exposure: float
    flip: bool
    center: bool


def read_augmentation(section: Section, w: int) -> Augmentation:
    """Reads the keys of [net]; w is the network's width. Raises CfgError."""
    return Augmentation(
        min_crop=section.get_int("min_crop", w, minimum=1),
        max_crop=section.get_int("max_crop", 2 * w, minimum=1),
        angle=section.get_float("angle", 0),
        aspect=section.get_float("aspect", 1, minimum=1e-3),
        hue=section.get_float("hue", 0),
        saturation=section.get_float("saturation", 1, minimum=1e-3),
        exposure=section.get_float("exposure", 1, minimum=1e-3),
        flip=section.get_flag("flip", True),
        center=section.get_flag("center"),
    )

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]


def test_the_clouds_are_what_the_script_draws() -> None:
    drawn = np.asarray(runpy.run_path(str(ROOT / "scripts/draw_clouds"))["clouds"]())
    with Image.open(ROOT / "data/clouds.png") as picture:
        kept = np.asarray(picture)
    assert kept.shape == drawn.shape
    assert np.abs(kept.astype(int) - drawn).max() <= 1

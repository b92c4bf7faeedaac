"""The types in the signatures of ops."""

from typing import Any

Array = Any
"""An array of numpy's or cupy's."""
Shape = tuple[int, int, int, int]
"""(n, h, w, c)."""

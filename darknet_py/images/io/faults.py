"""What Pillow raises for a file that is cut short, damaged or made to harm."""

from __future__ import annotations

import struct
import zlib

PILLOW_FAULTS = (
    EOFError,
    KeyError,
    OSError,
    OverflowError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""Beside MemoryError and DecompressionBombError: what mutated files of every format brought
out of Pillow 10.3 and 13, and what its readers expect of each other."""

"""Messages for errors of cupy or CUDA; loads without them."""

from __future__ import annotations

import re

from darknet_py.errors import OutOfMemoryError
from darknet_py.resources import how_to_install

LIBRARIES = f"{how_to_install('gpu')} (CUDA 12: gpu12) brings CUDA's libraries"
DRIVER = "is there an NVIDIA GPU, and is its driver installed and new enough?"


def first_line(error: BaseException) -> str:
    """The first words of a message that can be pages long."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)


def out_of_memory(error: BaseException, free: int, each: int) -> OutOfMemoryError:
    """What cupy says, with what there is. free: bytes that nobody has; each: a picture's need."""
    found = re.search(r"allocating ([\d,]+) bytes.*so far: ([\d,]+) bytes", first_line(error))
    if found is None:
        return OutOfMemoryError(
            f"out of the GPU's memory: {first_line(error)}", free // max(each, 1)
        )
    asked, taken = (int(number.replace(",", "")) for number in found.groups())
    message = (
        f"out of the GPU's memory: {_megabytes(asked)} more asked for, {_megabytes(taken)} taken, "
        f"{_megabytes(free)} free"
    )
    return OutOfMemoryError(message, (free + taken) // max(each, 1))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"

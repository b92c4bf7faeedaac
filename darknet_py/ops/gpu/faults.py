"""What to say of a fault of cupy or CUDA. Knows neither, so that it loads without them."""

from __future__ import annotations

LIBRARIES = (
    "pip install 'darknet[gpu]' (CUDA 13) or 'darknet[gpu12]' (CUDA 12) brings CUDA's libraries"
)
DRIVER = "is there an NVIDIA GPU, and is its driver installed and new enough?"


def first_line(error: BaseException) -> str:
    """The first words of a message that can be pages long."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)

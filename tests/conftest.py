"""What all tests share: how hypothesis runs, and where the real data is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No deadline: the first example of a test may wait for a kernel to be compiled.
settings.register_profile(
    "darknet",
    deadline=None,
    max_examples=50,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("darknet")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with weights and pictures that are too large for the project."""
    named = os.environ.get("DARKNET_TEST_DATA")
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(named) if named else beside
    if not folder.is_dir():
        pytest.skip(f"needs real weights: no folder {folder} (set DARKNET_TEST_DATA)")
    return folder

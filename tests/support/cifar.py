"""A stand-in for the archive of CIFAR-10, in its format: a few pictures of each class."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np


def write_archive(path: Path, pictures: int = 6) -> None:
    """cifar-10-binary.tar.gz with one batch to train on and one to test with."""
    rng = np.random.default_rng(0)
    records = rng.integers(0, 256, (10 * pictures, 3073), np.uint8)
    records[:, 0] = np.arange(len(records)) % 10
    with tarfile.open(path, "w:gz") as archive:
        for name in ("data_batch_1", "test_batch"):
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = records.nbytes
            archive.addfile(member, io.BytesIO(records.tobytes()))

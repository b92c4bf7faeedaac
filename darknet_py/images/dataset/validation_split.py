"""Which of a class's pictures are set aside to validate with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import blake2b


def split_validation(names: Sequence[str], share: float, seed: int) -> set[str]:
    """A share (0 to below 1) of a class's pictures: those whose names have the lowest digests.

    At least one of two or more, and never all; none where the share is 0. So a picture keeps its
    side when others are added, with few exceptions. Raises ValueError for another share.
    """
    if not 0 <= share < 1:
        raise ValueError(f"a share of {share} is not from 0 to below 1")
    most = max(len(names) - 1, 0)
    count = min(max(round(share * len(names)), 1), most) if share else 0

    def digest(name: str) -> bytes:
        return blake2b(os.fsencode(f"{seed}/{name}")).digest()

    return set(sorted(names, key=digest)[:count])

"""How kernels are compiled: once for each type, kept on disk, without the interpreter's lock."""

from __future__ import annotations

from functools import partial
from typing import Any

import numba

kernel: Any = partial(numba.njit, cache=True, nogil=True, error_model="numpy")

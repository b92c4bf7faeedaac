"""Plain kernels, compiled by numba when first called: for each type once, kept on disk.

Loading numba takes longer than classifying a picture; what does not call such a kernel does not
wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, update_wrapper
from pathlib import Path
from types import FunctionType
from typing import Any

from darknet_py.ops import notices

_lock = threading.RLock()


class Kernel:
    """A function that becomes machine code when it is first called, or when another calls it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._compiled: Any = None
        update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        return (self._compiled or self.compiled())(*arguments)

    def compiled(self) -> Any:
        """What numba makes of it."""
        if self._compiled is None:
            with _lock:
                if self._compiled is None:
                    self._compiled = _compiled(self.function)
        return self._compiled


def kernel(function: Callable[..., Any]) -> Any:
    """Makes a function a kernel: it runs without the interpreter's lock."""
    return Kernel(function)


def _compiled(function: Callable[..., Any]) -> Any:
    """Not by two at once, please: for a moment, numba's settings are ours."""
    import numba

    folder = _folder()
    compiled = numba.njit(nogil=True, error_model="numpy")(_translated(function))
    kept = numba.config.CACHE_DIR or folder
    if kept is None or not any(Path(kept).rglob(f"*.{function.__name__}-*.nbi")):
        notices.compiling(is_kept=kept is not None)
    if folder is not None and hasattr(compiled, "enable_caching"):  # numba may be switched off
        theirs = numba.config.CACHE_DIR
        try:
            numba.config.CACHE_DIR = theirs or str(folder)
            compiled.enable_caching()
        except RuntimeError:  # it finds no place
            pass
        finally:
            numba.config.CACHE_DIR = theirs
    return compiled


def _translated(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with the kernels that it calls as numba knows them."""
    names = set(function.__code__.co_names) & function.__globals__.keys()
    used: dict[str, Any] = {"__name__": function.__module__}
    for name in names:
        value = function.__globals__[name]
        used[name] = value.compiled() if isinstance(value, Kernel) else value
    translated = FunctionType(function.__code__, used, function.__name__, function.__defaults__)
    translated.__qualname__ = function.__qualname__
    translated.__module__ = function.__module__
    return translated


@cache
def _folder() -> Path | None:
    """One for the sources as they are: numba itself looks at a kernel's own file alone."""
    from darknet_py.ops import cache as disk

    here = Path(__file__).parent
    sources = [here.parents[1] / "__init__.py", *sorted(here.glob("*.py"))]
    return disk.folder(disk.make_key(*(source.read_bytes() for source in sources)))

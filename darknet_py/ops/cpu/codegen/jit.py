"""Plain kernels, compiled by numba when first called: for each type once, kept on disk.

numba is loaded with the first: that takes longer than classifying a picture."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from functools import update_wrapper
from types import CellType, FunctionType
from typing import Any

from darknet_py.ops import cache as disk
from darknet_py.ops import notices
from darknet_py.ops.cpu.codegen import versions

_lock = threading.RLock()


class JitFunction:
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


def jit(function: Callable[..., Any]) -> Any:
    """Makes a function one that numba compiles: it runs without the interpreter's lock."""
    return JitFunction(function)


def _compiled(function: Callable[..., Any]) -> Any:
    import numba

    compiled = numba.njit(nogil=True, error_model="numpy")(translated(function, _known))
    if not hasattr(compiled, "enable_caching"):  # numba may be switched off
        return compiled
    code = _Code(function)
    compile_one = compiled._compiler.compile

    def said(arguments: Any, result: Any) -> Any:
        with notices.compiling(is_kept=code.folder is not None):
            return compile_one(arguments, result)

    compiled._compiler.compile, compiled._cache = said, code
    return compiled


class _Code:
    """The cache that numba uses for a kernel's code, by types: in place of its own, which unpickles
    files without a check."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.folder = versions.folder()
        self._name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        self._about = versions.code_key(function), function.__module__, function.__qualname__
        self.cache_path = str(self.folder)  # which numba shows

    def load_overload(self, types: Any, context: Any) -> Any:
        from numba.core.compiler import CompileResult

        context.refresh()
        data = disk.load(self.folder, self._file(types))
        return None if data is None else CompileResult._rebuild(context, *pickle.loads(data))

    def save_overload(self, types: Any, compiled: Any) -> None:
        from numba.core.serialize import dumps

        # some code holds addresses, which are this process's alone
        if not compiled.lifted and not compiled.library.has_dynamic_globals:
            disk.store(self.folder, self._file(types), dumps(compiled._reduce()))

    def _file(self, types: Any) -> str:
        return f"{self._name}-{disk.make_key(repr((*self._about, types)).encode())}"


def _known(value: Any) -> Any:
    return value.compiled() if isinstance(value, JitFunction) else value


def translated(function: Callable[..., Any], known: Callable[[Any], Any]) -> Callable[..., Any]:
    """The function, with all that it names as numba knows it."""
    names = set(function.__code__.co_names) & function.__globals__.keys()
    used = {name: known(function.__globals__[name]) for name in names}
    used["__name__"] = function.__module__
    cells = tuple(CellType(known(cell.cell_contents)) for cell in function.__closure__ or ())
    code, defaults = function.__code__, function.__defaults__
    copy = FunctionType(code, used, function.__name__, defaults, cells)
    copy.__qualname__ = function.__qualname__
    return copy

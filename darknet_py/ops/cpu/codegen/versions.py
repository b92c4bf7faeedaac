"""What compiled code depends on: a folder for compiler and processor, a key of a function.

A kernel's key is a hash of its code and of all that it names: functions, parts, instructions,
constants. Editing one operation recompiles that one alone.
"""

from __future__ import annotations

import hashlib
import opcode
import os
import sys
import types
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from darknet_py.ops import cache as disk

_PACKAGE = __name__.partition(".")[0]
_OF_ALL = {f"{__package__}.{name}" for name in ("compiler", "emit", "kernel", "loader", "jit")}
"""Modules on which all code depends: they belong to the folder's name, not to a key."""


def folder() -> Path | None:
    """Where code of this compiler for this processor is kept; None where nothing can be."""
    return disk.folder(disk.make_key(*_machine()))


def code_key(function: Any, *descriptors: Any) -> str:
    """A key of a function and of all of ours that it names, they name, and so on; and of the
    descriptors that it takes."""
    return disk.make_key(_key(function), _key(descriptors))


_MADE = "_address", "_compiled"
"""What a kernel has once it is compiled."""
_keys: dict[int, tuple[Any, bytes]] = {}
"""Of functions, classes, parts and instructions, by their identity, which they keep as they are
here."""


def _key(value: Any) -> bytes:
    """Of anything that a function may name."""
    if id(value) in _keys:
        return _keys[id(value)][1]
    if isinstance(value, int | float | str | bytes | None):
        return repr(value).encode()
    if isinstance(value, np.ndarray | np.generic):
        return repr(value.tolist()).encode()
    if isinstance(value, list | tuple):
        return b"(" + b",".join(map(_key, value)) + b")"
    if isinstance(value, dict):
        return _key([each for item in value.items() for each in item])
    if isinstance(value, set | frozenset):
        return _key(sorted(value, key=repr))
    is_named = isinstance(value, types.FunctionType | types.ModuleType | type)
    module = value.__name__ if isinstance(value, types.ModuleType) else _module_of(value, is_named)
    if module.partition(".")[0] != _PACKAGE:
        # another's: a function, a module, or such as llvmlite's types, whose text is what they are
        return f"{module}.{getattr(value, '__qualname__', value)}".encode()
    if is_named and module in _OF_ALL:
        return f"{module}.{value.__name__}".encode()
    _keys[id(value)] = value, b"itself"
    if isinstance(value, types.FunctionType):
        names = sorted(_names(value.__code__) & value.__globals__.keys())
        named = [value.__globals__[name] for name in names]
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        defaults = value.__defaults__ or (), value.__kwdefaults__ or {}
        own = value.__qualname__, _instructions(value.__code__), *defaults
        parts = [*own, named, cells]
    elif isinstance(value, types.ModuleType):
        parts = [Path(str(value.__file__)).read_bytes()]
    elif isinstance(value, type):  # its fields and methods
        methods = [each for each in vars(value).values() if isinstance(each, types.FunctionType)]
        ours = [each for each in methods if each.__code__.co_filename.endswith(".py")]
        parts = [value.__qualname__, getattr(value, "_fields", ()), ours]
    else:  # a part, an instruction, a kernel
        parts = [each for name, each in sorted(vars(value).items()) if name not in _MADE]
    key = hashlib.sha256(b"\0".join(map(_key, parts))).digest()
    _keys[id(value)] = value, key
    return key


def _module_of(value: Any, is_named: bool) -> str:
    owner = value if is_named or hasattr(value, "__qualname__") else type(value)
    return str(owner.__module__ or "")


def _instructions(code: types.CodeType) -> list[Any]:
    """What a code does, without the lines where it stands."""
    constants = [
        _instructions(each) if isinstance(each, types.CodeType) else each for each in code.co_consts
    ]
    return [code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants]


_LOAD_GLOBAL, _EXTENDED = opcode.opmap["LOAD_GLOBAL"], opcode.opmap["EXTENDED_ARG"]
_SHIFT = 1 if sys.version_info >= (3, 11) else 0
"""The lowest bit of the number says something else then."""


def _names(code: types.CodeType) -> set[str]:
    """Of globals that a code reads: co_names has those of attributes too."""
    bytecode, names, high = code.co_code, set(), 0
    for at in range(0, len(bytecode), 2):
        number = high | bytecode[at + 1]
        high = number << 8 if bytecode[at] == _EXTENDED else 0
        if bytecode[at] == _LOAD_GLOBAL:
            names.add(code.co_names[number >> _SHIFT])
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return names.union(*map(_names, inner))


@cache
def _machine() -> tuple[bytes, ...]:
    import llvmlite

    from darknet_py.ops.cpu.codegen import host

    settings = [f"{name}={value}" for name, value in os.environ.items() if name[:6] == "NUMBA_"]
    versions = [sys.version, np.__version__, llvmlite.__version__, _numba_version()]
    # the files by which all code is made, whatever it is made of
    names = [f"{name.rpartition('.')[2]}.py" for name in sorted(_OF_ALL)]
    paths = [Path(__file__).with_name(name) for name in names]
    own = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    return tuple(
        os.fsencode(part) for part in [*versions, host.identity(), *own, *sorted(settings)]
    )


def _numba_version() -> str:
    """Without loading numba, which takes longer than all else, nor all packages' metadata."""
    found = find_spec("numba")
    place = found.origin if found is not None else None
    try:
        return Path(str(place)).with_name("_version.py").read_text(encoding="utf-8")
    except OSError:
        from importlib.metadata import version as version_of

        return version_of("numba")

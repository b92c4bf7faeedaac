"""The output folder of a fine-tuning: what other commands take, and what a run goes on from."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from darknet_py.atomic import remove_leftovers, why_no_folder, write_text
from darknet_py.errors import DarknetError, TrainingError
from darknet_py.tasks.finetune.stages import Stage
from darknet_py.tasks.split import Split, unpack_split
from darknet_py.untrusted import (
    BadValueError,
    boolean,
    fields,
    integer,
    items,
    number,
    open_file,
    optional,
    parse_json,
    text,
)

_RECORD = "finetune.json"
_STAGES = "head", "last", "all"
_RESULT = ".cfg", ".weights"
"""What the last stage leaves, under names that files of the user's own may have."""
_STATES = ".backup", ".state", ".weights", "_best.weights"
"""What a stage on its way goes on from."""
_FIGURES = "metrics.csv", "chart.png"
_FIELDS = "inputs", "stages", "done", "begun", "pictures", "digest"
"""Of the record."""
_MOST_BYTES = 1 << 28
"""Of the record: more than all pictures of one take."""


@dataclass
class Folder:
    """Paths in it, all of which begin with `name`, and the record of what is done.

    inputs: digests and options that the results depend on. split: the pictures of both sides.
    stages: as they were planned. done: of each stage that is over, what its network knows: top-1
    and loss, or None without pictures to validate with.
    """

    path: Path
    name: str
    inputs: dict[str, Any]
    split: Split
    stages: list[Stage]
    done: dict[str, dict[str, float] | None] = field(default_factory=dict)
    begun: bool = False
    """Whether all that does not change any more is written."""

    def file(self, suffix: str) -> Path:
        """NAME and a suffix."""
        return self.path / f"{self.name}{suffix}"

    def stage(self, name: str) -> Path:
        """Where a stage keeps what it goes on from, its metrics and its chart."""
        return self.path / name

    def finish(self, stage: str, found: dict[str, float] | None) -> None:
        """Notes that a stage is over. Raises DarknetError."""
        self.done[stage] = found
        self.save()

    def clear_states(self, stage: str) -> None:
        """Removes what a stage that is over has gone on from."""
        self._clear(stage, _STATES)

    def begin(
        self, texts: Mapping[str, str], save_start: Callable[[Path], object], keep_result: bool
    ) -> None:
        """Writes what does not change any more: files by their names, and by save_start(path) the
        first weights. What the stages of another beginning have left goes before, and NAME.cfg and
        NAME.weights with it, unless they are to stay until there are others.

        With the last thing that is written the fine-tuning has begun: a process that is killed
        before leaves nothing that would have to be removed by hand. Raises DarknetError.
        """
        _make(self.path)
        remove_leftovers(self.path)
        self.done, self.begun = {}, False
        self.save()
        for stage in _STAGES:
            self._clear(stage, (*_STATES, *_FIGURES))
            for suffix in _RESULT:
                self.file(f"_{stage}{suffix}").unlink(missing_ok=True)
        if not keep_result:
            for suffix in _RESULT:
                self.file(suffix).unlink(missing_ok=True)
        for name, content in texts.items():
            write_text(self.path / name, content)
        save_start(self.file("_start.weights"))
        self.begun = True
        self.save()

    def save(self) -> None:
        """Writes the record. Raises DarknetError."""
        record = {
            "inputs": self.inputs,
            "stages": [asdict(stage) for stage in self.stages],
            "done": self.done,
            "begun": self.begun,
            "pictures": base64.b64encode(self.split.packed).decode(),
        }
        record["digest"] = _digest(record)
        write_text(self.path / _RECORD, json.dumps(record, indent=1))

    def differs(self, inputs: Mapping[str, Any]) -> list[str]:
        """What of the inputs was another when this began."""
        as_read = json.loads(json.dumps(inputs))
        return [key for key in as_read if self.inputs.get(key) != as_read[key]]

    def _clear(self, stage: str, ends: Iterable[str]) -> None:
        for end in ends:
            name = end if end in _FIGURES else f"{self.name}{end}"
            (self.stage(stage) / name).unlink(missing_ok=True)


def record_of(path: Path) -> Path:
    """What makes a folder one where a fine-tuning has begun."""
    return path / _RECORD


def read_folder(path: Path, name: str) -> Folder | None:
    """The fine-tuning that began in a folder, or was about to; None where none did. Raises
    TrainingError for a record that is none."""
    record = record_of(path)
    if not record.exists():
        return None
    try:
        found = _read(record)
        split = unpack_split(base64.b64decode(text(found["pictures"], "pictures"), validate=True))
    except OSError as error:
        raise TrainingError(f"{record}: cannot be read: {error.strerror or error}") from error
    except (BadValueError, ValueError) as error:  # those of the split are ValueErrors
        raise TrainingError(
            f"{record}: is no record of a fine-tuning: {error}: begin anew by --overwrite"
        ) from error
    stages = [Stage(**stage) for stage in found["stages"]]
    return Folder(path, name, found["inputs"], split, stages, found["done"], found["begun"])


def seed_of(path: Path, other: int) -> int:
    """The seed of the fine-tuning that began in a folder; another where none did."""
    try:
        return integer(_read(record_of(path))["inputs"]["seed"], "seed", most=None)
    except (OSError, BadValueError):
        return other


def _read(record: Path) -> dict[str, Any]:
    """What `Folder.save` writes, all of it checked. Raises OSError and BadValueError."""
    with open_file(record) as file:
        found = fields(parse_json(file.read(_MOST_BYTES)), "it", _FIELDS)
    try:
        is_whole = found.pop("digest") == _digest(found)
    except RecursionError as error:
        raise BadValueError("it is nested too deep") from error
    if not is_whole:
        raise BadValueError("its content is not what its digest says")
    if not items(found["stages"], "stages", _stage):
        raise BadValueError("it has no stages")
    done = found["done"]
    for stage in fields(done, "done", done if type(done) is dict else ()):
        _stage_name(stage, "done")
        if done[stage] is not None:
            for key, each in fields(done[stage], stage, ("top1", "loss")).items():
                number(each, key, -sys.float_info.max)
    boolean(found["begun"], "begun")
    inputs = found["inputs"]
    if type(inputs) is not dict or "seed" not in inputs:
        raise BadValueError("its inputs have no seed")
    integer(inputs["seed"], "seed", most=None)
    optional(integer)(inputs.get("views"), "views")
    return found


def _digest(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _stage_name(value: Any, what: str) -> str:
    return text(value, what, "|".join(_STAGES))


def _stage(value: Any, what: str) -> Any:
    found = fields(value, what, [each.name for each in dataclasses.fields(Stage)])
    _stage_name(found["name"], what)
    text(found["method"], "method", "adam|sgd")
    for key in ("first", "batches", "batch"):
        integer(found[key], key, least=0 if key == "first" else 1)
    for key in ("rate", "layer_decay", "decay"):
        number(found[key], key, 0)
    return found


def check_new(path: Path, name: str, there: Folder | None, texts: Mapping[str, str]) -> None:
    """Raises TrainingError where a new fine-tuning would replace what is there: another one, or
    files of the user's own. What one that was killed before it began has left may be replaced."""
    if there is not None and there.begun:
        raise TrainingError(
            f"{path}: holds a fine-tuning: go on with it by --resume, begin anew in its place by "
            "--overwrite, or choose another -o"
        )
    names = [f"{name}{suffix}" for suffix in _RESULT]
    found = [path / each for each in names if os.path.lexists(path / each)]
    if there is None:
        found += [path / each for each, text in texts.items() if _is_other(path / each, text)]
    if found:
        raise TrainingError(
            f"{found[0]}: is there already, and a fine-tuning writes such a file: choose another "
            "-o, or replace it by --overwrite"
        )


def check_inputs(path: Path, name: str, inputs: Iterable[str | Path]) -> None:
    """Raises TrainingError where the results would replace what they are made from."""
    results = {os.path.realpath(path / f"{name}{suffix}") for suffix in (*_RESULT, ".data")}
    for given in inputs:
        if os.path.realpath(given) in results:
            raise TrainingError(
                f"{given}: would be replaced by the result: choose another -o than {path}"
            )


def check_places(path: Path, name: str) -> None:
    """Raises TrainingError where a file has the name of a stage's folder, or a folder that of a
    file that is written, and removed where it is an earlier fine-tuning's."""
    files = [path / f"{name}{suffix}" for suffix in _RESULT]
    for stage in _STAGES:
        place = path / stage
        if os.path.lexists(place) and not place.is_dir():
            raise TrainingError(f"{place}: is no folder, and a fine-tuning makes one there")
        files += [path / f"{name}_{stage}{suffix}" for suffix in _RESULT]
        files += [place / f"{name}{end}" for end in _STATES] + [place / each for each in _FIGURES]
    folder = next((each for each in files if each.is_dir()), None)
    if folder is not None:
        raise TrainingError(f"{folder}: is a folder, and a fine-tuning writes such a file")


def _is_other(path: Path, text: str) -> bool:
    try:
        with open_file(path) as file:
            return file.read() != text.encode(errors="surrogateescape")
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = why_no_folder(path) or error.strerror or str(error)
        raise DarknetError(f"{path}: cannot be a folder for results: {reason}") from error

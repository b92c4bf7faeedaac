"""The output folder of a fine-tuning: what other commands take, and what a run goes on from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darknet_py.atomic import write_text
from darknet_py.errors import DarknetError, TrainingError
from darknet_py.tasks.data import Data
from darknet_py.tasks.model_files import model_texts

_RECORD = "finetune.json"


@dataclass
class Folder:
    """Paths in it, all of which begin with `name`, and the record of what is done.

    inputs: digests and options that the results depend on. done: of each stage that is over, what
    its network knows: top-1 and loss, or None without pictures to validate with.
    """

    path: Path
    name: str
    inputs: dict[str, Any]
    done: dict[str, dict[str, float] | None]

    def file(self, suffix: str) -> Path:
        """NAME and a suffix."""
        return self.path / f"{self.name}{suffix}"

    def stage(self, name: str) -> Path:
        """Where a stage keeps what it goes on from, its metrics and its chart."""
        return self.path / name

    def finish(self, stage: str, found: dict[str, float] | None) -> None:
        """Notes that a stage is over. Raises DarknetError."""
        self.done[stage] = found
        self._save()

    def _save(self) -> None:
        record = {"inputs": self.inputs, "done": self.done}
        write_text(self.path / _RECORD, json.dumps(record, indent=1))


def open_folder(path: Path, name: str, inputs: dict[str, Any], resume: bool) -> Folder:
    """A new folder, or with `resume` one where the same fine-tuning began.

    Raises TrainingError where one began and is not to be gone on with, or was another one.
    """
    record = path / _RECORD
    if not record.exists():
        if resume:
            raise TrainingError(f"{path}: no fine-tuning began there: leave out --resume")
        folder = Folder(path, name, inputs, {})
        _make(path)
        folder._save()
        return folder
    if not resume:
        raise TrainingError(
            f"{path}: holds a fine-tuning: go on with it by --resume, or choose another -o"
        )
    found = _read(record)
    other = [
        key for key in inputs if found["inputs"].get(key) != json.loads(json.dumps(inputs[key]))
    ]
    if other:
        raise TrainingError(
            f"{path}: another fine-tuning began there: it had another {', '.join(other)}"
        )
    return Folder(path, name, inputs, found["done"])


def write_data(folder: Folder, data: Data) -> None:
    """NAME.names, NAME.data and its lists. Raises DarknetError."""
    for name, text in model_texts(folder.name, data).items():
        write_text(folder.path / name, text)


def _read(record: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
        found["inputs"], found["done"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{record}: is no record of a fine-tuning: {error}") from error
    return found


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DarknetError(f"{path}: cannot be a folder for results: {reason}") from error

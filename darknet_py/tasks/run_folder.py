"""The folder that a training writes into: what is there already, and what a run leaves in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from darknet_py.atomic import write_text
from darknet_py.cfg.write import write_sections
from darknet_py.errors import TrainingError
from darknet_py.network import Network
from darknet_py.tasks.data import Data
from darknet_py.tasks.metrics import TABLE
from darknet_py.tasks.model_files import LISTS, model_texts, unlistable

_CHART = "chart.png"
_SAVED = r"\.(state|backup|weights)|_(best|[0-9]+|iter_[0-9]+)\.(state|weights)"


@dataclass(frozen=True)
class RunFolder:
    """What belongs to the runs of one cfg; the files of others with it are theirs."""

    path: Path
    name: str

    def saved(self) -> list[Path]:
        """Weights and states that a run of this name has left."""
        ours = re.compile(re.escape(self.name) + f"({_SAVED})")
        longer = [other for other in self._others() if other.startswith(self.name)]
        return [
            path
            for path in self._files()
            if ours.fullmatch(path.name)
            and not any(re.fullmatch(re.escape(other) + f"({_SAVED})", path.name) for other in longer)
        ]

    def table(self) -> Path:
        """The table of the run's figures: metrics.csv, or where that is another's, a file of its
        own, NAME_metrics.csv."""
        own, shared = self.path / f"{self.name}_{TABLE}", self.path / TABLE
        if not own.exists() and (not shared.exists() or self._owns_shared()):
            return shared
        return own

    def chart(self) -> Path:
        """The chart that is drawn of it."""
        table = self.table()
        return table.with_name(table.name.removesuffix(TABLE) + _CHART)

    def check_free(self, texts: Mapping[str, str]) -> None:
        """Raises TrainingError where a new run would replace what is there.

        texts: what it writes beside its weights and states.
        """
        found = self.saved()
        if found:
            raise TrainingError(
                f"{self.path}: holds a training of {self.name} ({found[0].name}): go on with it by "
                "--resume, begin anew in its place by --force, or choose another --backup"
            )
        for name, text in texts.items():
            path = self.path / name
            if os.path.lexists(path) and not _holds(path, text):
                raise TrainingError(
                    f"{path}: is there already, and a training writes such a file: choose another "
                    "--backup, or replace it by --force"
                )

    def check_files(self, texts: Iterable[str]) -> None:
        """Raises TrainingError where a folder has the name of a file that a run writes."""
        ends = (".state", ".backup", ".weights", "_best.weights")
        names = [*(f"{self.name}{end}" for end in ends), *texts]
        for path in (*(self.path / name for name in names), self.table(), self.chart()):
            if path.is_dir():
                raise TrainingError(f"{path}: is a folder, and this training writes such a file")

    def texts(self, net: Network, data: Data, keep: Iterable[str]) -> dict[str, str]:
        """NAME.cfg, NAME.names, NAME.data and its lists, by names of files: what other commands
        take, beside the weights. Files of the user's own (`keep`) that have such a name stay.

        Raises TrainingError for a class whose name no file can keep.
        """
        lists = None if unlistable(data) else [f"{self.name}_{each}" for each in LISTS]
        texts = {f"{self.name}.cfg": write_sections(net.sections)}
        texts |= model_texts(self.name, data, lists)
        mine = [self.path / name for name in texts]
        kept = {path.name for path in mine if any(_is_same(path, other) for other in keep)}
        return {name: text for name, text in texts.items() if name not in kept}

    def write(self, texts: Mapping[str, str]) -> None:
        """Writes them. Raises DarknetError."""
        for name, text in texts.items():
            write_text(self.path / name, text)

    def clear(self, keep: Iterable[str | Path]) -> None:
        """Removes what a run before this one has left, but for the files in `keep`."""
        kept = {os.path.abspath(path) for path in keep}
        for path in (*self.saved(), self.table(), self.chart()):
            if os.path.abspath(path) not in kept:
                path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        try:
            return sorted(self.path.iterdir())
        except OSError:
            return []

    def _others(self) -> list[str]:
        """The names of other runs that have begun here."""
        names = (path.stem for path in self._files() if path.suffix == ".cfg")
        return [name for name in names if name != self.name]

    def _owns_shared(self) -> bool:
        is_ours = (self.path / f"{self.name}.state").exists()
        return is_ours and not any(
            (self.path / f"{other}.state").exists()
            and not (self.path / f"{other}_{TABLE}").exists()
            for other in self._others()
        )


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


def _is_same(one: Path, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False

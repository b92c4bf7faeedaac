"""The folder that a training writes into: what is there already, and what a run leaves in it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from darknet_py.atomic import write_text
from darknet_py.cfg.write import write_sections
from darknet_py.errors import StateError, TrainingError
from darknet_py.network import Network
from darknet_py.tasks.checkpoint import Began, how_it_began
from darknet_py.tasks.data import Data
from darknet_py.tasks.metrics import TABLE
from darknet_py.tasks.model_files import LISTS, is_listable, model_texts
from darknet_py.untrusted import open_file

CHART = "chart.png"
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
            and not any(
                re.fullmatch(re.escape(other) + f"({_SAVED})", path.name) for other in longer
            )
        ]

    def figures(self) -> tuple[Path, Path]:
        """The table of the run's figures, and its chart: metrics.csv and chart.png, or where those
        are another's, NAME_metrics.csv and NAME_chart.png: as its state says, where there is one.
        To be asked before the run begins."""
        shared = self.path / TABLE, self.path / CHART
        states = (path for path in self.saved() if path.suffix == ".state")
        began = next((began for began in map(_began, states) if began is not None), None)
        own = None if began is None else began.own_table
        if own is None:
            own = any(os.path.lexists(path) for path in shared) or self._is_shared_taken()
        if own or any(path.exists() and not path.is_file() for path in shared):
            return self.path / f"{self.name}_{TABLE}", self.path / f"{self.name}_{CHART}"
        return shared

    def check_no_run(self) -> None:
        """Raises TrainingError where a run of this name has left something."""
        found = self.saved()
        if found:
            has_state = (self.path / f"{self.name}.state").exists()
            raise TrainingError(
                f"{self.path}: holds a training of {self.name} ({found[0].name}): "
                f"{'go on with it by --resume, ' * has_state}begin anew in its place by "
                "--overwrite, or choose another --backup"
            )

    def check_same_run(self, state: Path, run: str) -> None:
        """Raises TrainingError where another run than the one of a state is in this folder.

        state: where its file is; run: what tells it from others.
        """
        if not self.saved() or _is_same(state.parent, self.path):
            return
        began = _began(self.path / f"{self.name}.state")
        if began is None or began.run != run:
            raise TrainingError(
                f"{self.path}: holds another training of {self.name} than {state}: choose another "
                "--backup, or put this one in its place by --overwrite"
            )

    def check_kept(self, keep: bool, snapshot: bool) -> None:
        """Raises TrainingError where what this run keeps would replace another's files: cifar's
        second epoch those of cifar_2.cfg. Every run has a backup, and no kept epoch has one."""
        kept = "|".join(["best", *["[0-9]+"] * keep, *["iter_[0-9]+"] * snapshot])
        pattern = re.compile(rf"{re.escape(self.name)}_({kept})\.backup")
        other = next((path for path in self._files() if pattern.fullmatch(path.name)), None)
        if other is not None:
            raise TrainingError(
                f"{self.path}: holds a training of {other.stem}, whose files would be replaced by "
                f"what {self.name} keeps: choose another --backup"
            )

    def check_free(self, texts: Mapping[str, str]) -> None:
        """Raises TrainingError where other files than a run's own have the names of `texts`."""
        for name, text in texts.items():
            path = self.path / name
            if os.path.lexists(path) and not _holds(path, text):
                raise TrainingError(
                    f"{path}: is there already, and a training writes such a file: choose another "
                    "--backup, or replace it by --overwrite"
                )

    def check_files(self, names: Iterable[str], figures: Iterable[Path]) -> None:
        """Raises TrainingError where a folder, or a pipe or a device, which might be waited for
        without end, has the name of a file that a run writes."""
        ends = (".state", ".backup", ".weights", "_best.weights")
        written = [self.path / name for name in (*(f"{self.name}{end}" for end in ends), *names)]
        for path in (*written, *figures):
            if path.exists() and not path.is_file():
                what = "a folder" if path.is_dir() else "a pipe or a device"
                raise TrainingError(f"{path}: is {what}, and a training writes such a file")

    def texts(self, net: Network, data: Data, keep: Iterable[str]) -> dict[str, str]:
        """NAME.cfg, NAME.names, NAME.data and its lists, by names of files: what other commands
        take, beside the weights. Files of the user's own (`keep`) that have such a name stay.

        Raises TrainingError for a class whose name no file can keep.
        """
        lists = [f"{self.name}_{each}" for each in LISTS] if is_listable(data) else None
        texts = {f"{self.name}.cfg": write_sections(net.sections)}
        texts |= model_texts(self.name, data, lists)
        mine = [self.path / name for name in texts]
        kept = {path.name for path in mine if any(_is_same(path, other) for other in keep)}
        return {name: text for name, text in texts.items() if name not in kept}

    def has_lists(self, texts: Mapping[str, str]) -> bool:
        """Whether the lists of pictures to train on are written, or are there."""
        name = f"{self.name}_{LISTS[0]}"
        return name in texts or (self.path / name).exists()

    def write(self, texts: Mapping[str, str]) -> None:
        """Writes them. Raises DarknetError."""
        for name, text in texts.items():
            write_text(self.path / name, text)

    def left(self, figures: Iterable[Path], keep: Iterable[str | Path]) -> list[str]:
        """The names of files that a run before this one has left, but for those in `keep`, and for
        the state and the backup, in whose place this one's will be."""
        own = [self.path / f"{self.name}{end}" for end in (".state", ".backup")]
        kept = {os.path.abspath(path) for path in (*own, *keep)}
        there = [path for path in (*self.saved(), *figures) if os.path.lexists(path)]
        return [path.name for path in there if os.path.abspath(path) not in kept]

    def clear(self, figures: Iterable[Path], names: Collection[str]) -> None:
        """Removes those that a run before this one has left, by their names, and nothing else,
        whatever the names are."""
        for path in (*self.saved(), *figures):
            if path.name in names:
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

    def _is_shared_taken(self) -> bool:
        """Whether another run here writes metrics.csv, though there may be none yet."""
        ours = set(self.saved())
        states = (p for p in self._files() if p.suffix == ".state" and p not in ours)
        return any(began is not None and not began.own_table for began in map(_began, states))


def only_run(folder: Path) -> str:
    """The cfg of the only run in a folder, for whoever goes on with it and names none. Raises
    TrainingError."""
    cfgs = sorted(folder.glob("*.cfg")) if folder.is_dir() else []
    runs = [cfg for cfg in cfgs if cfg.with_suffix(".state").exists()]
    if len(runs) != 1:
        names = ", ".join(str(cfg) for cfg in runs) or "none"
        raise TrainingError(
            f"{folder}: expected one training to go on with, found {names}: name a CFG"
        )
    return str(runs[0])


def _began(state: Path) -> Began | None:
    """How a state's run began; None: it does not say."""
    try:
        return how_it_began(state)
    except StateError:
        return None


def _holds(path: Path, text: str) -> bool:
    try:
        with open_file(path) as file:
            return file.read() == text.encode(errors="surrogateescape")
    except OSError:
        return False


def _is_same(one: Path, other: str | Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False

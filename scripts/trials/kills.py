"""Trainings and fine-tunings that are killed, once or more, and go on to the very same files"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from PIL import Image

import darknet_py.tasks.chart
import darknet_py.tasks.finetune.run
import darknet_py.tasks.train
from darknet_py.cli import main
from darknet_py.network import Network
from darknet_py.tasks.checkpoint import how_it_began
from darknet_py.tasks.finetune.folder import read_folder, seed_of
from scripts.trials.mortal import Ended, differences, results, run
from scripts.trials.trial import Failed

NAME, GROUP, LIMIT = "kills", "kills", 120

_CLASSES = "cat", "dog", "fox"
_NETS = (
    "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
    "[convolutional]\nfilters=3\nsize=1\nactivation=linear\n[avgpool]\n[softmax]\n",
    "[convolutional]\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=relu\n[dropout]\n"
    "probability=.3\n[maxpool]\nsize=2\nstride=2\n[connected]\noutput=3\nactivation=linear\n"
    "[softmax]\n[cost]\n",
)
BASE = (
    "[net]\nbatch=8\nwidth=16\nheight=16\nchannels=3\nlearning_rate=.1\nmax_batches=9\n{}"
    "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
    "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\npad=1\nactivation=leaky\n"
    "[convolutional]\nfilters=5\nsize=1\nactivation=linear\n[avgpool]\n[softmax]\n"
)
_RATES = (
    *("", "policy=poly\npower=2\n", "policy=steps\nsteps=2,5\nscales=.5,.2\n", "burn_in=3\n"),
    "policy=plateau\nplateau_window=2\nplateau_climb=.01\n",
)
_OPTIMIZERS = "", "optimizer=adam\n", "optimizer=rmsprop\n", "momentum=0\n"
_AUGMENT = "angle=9\n", "mixup=.3\n", "cutmix=1\n", "hue=.1\nexposure=1.3\n", "max_crop=20\n"
_MODEL = "../base.cfg", "../base.weights"
_WRITING: tuple[tuple[object, ...], ...] = (
    ("partial", *_MODEL, "part.weights", 2, "--overwrite"),
    ("rescale", *_MODEL, "rescaled.weights", "--overwrite"),
    ("dataset", "prepare", "../ds", "small", "--size", 16),
    ("features", *_MODEL, "../ds/cat/0.png", "-q", "--layer", 1, "-o", "features.npz"),
    ("nightmare", *_MODEL, "../ds/cat/0.png", 1, "-q", "--iters", 1, "-octaves", 1, "-o", "d.png"),
)
"""Commands that write files, other than trainings."""
_FINISHED = "is at its end", "has ended"
"""What a run says that is asked to go on, and has nothing left to do."""
_MOST = 3
"""Kills of one run."""
_SIGNALS = (
    *((signal.SIGKILL,), (signal.SIGKILL,), (signal.SIGTERM,)),
    *((signal.SIGINT,), (signal.SIGINT, signal.SIGINT)),
    (),
)
"""None: death by the clock, wherever that is."""


class _Run(NamedTuple):
    """A command that begins a training, where it writes to, and the names of what may be there."""

    words: list[object]
    folder: str
    name: str
    goes_on: Callable[[], bool]
    """Whether it is to be called with --resume now: as its user would see from the folder."""


class _What(NamedTuple):
    """What is killed: runs in a folder, after others were there, and then something changed."""

    name: str
    runs: list[_Run]
    before: Sequence[list[object]] = ()
    change: Callable[[], None] = lambda: None


def prepare() -> None:
    """Everything is loaded that commands of the trials need, but for what draws charts."""
    before = Path.cwd()
    with TemporaryDirectory() as above, patch("darknet_py.tasks.chart.save_chart", _draw_none):
        place = Path(above)
        os.chdir(place)
        _draw(Path("ds"), 4, Random(0))
        for number, layers in enumerate(_NETS):
            for parts in (1, 2):
                cfg = Path(f"{number}{parts}.cfg")
                cfg.write_text(_cfg(layers, f"max_batches=3\nsubdivisions={parts}\n"))
                _call("train", "ds", cfg, "-q", "--backup", f"b{cfg.stem}", "--ema", 0.5)
        Path("base.cfg").write_text(BASE.format(""))
        draw_weights(Path("base.cfg"))
        words = ["finetune", "ds", "base.cfg", "base.weights", "-q", "--unfreeze", 1, "--all"]
        for output, more in (("c", ["--views", 2]), ("d", ["--no-cache"])):
            short = ["--head-epochs", 1, "--epochs", 1, "--batch", 4]
            _call(*words, *short, *more, "-o", output)
        (place / "in").mkdir()
        os.chdir(place / "in")
        for written in _WRITING:
            _call(*written)
        os.chdir(before)


def _draw_none(path: Path, *_: object) -> None:
    path.touch()


def checkpoints_every(batches: int) -> None:
    """For a process that commands run in: and what takes long there does not, charts and batch
    norm's statistics over a thousand pictures."""
    vars(darknet_py.tasks.chart)["save_chart"] = _draw_none
    vars(darknet_py.tasks.train)["is_due"] = lambda run: run.net.batch_num % batches == 0
    darknet_py.tasks.finetune.run._COUNTED = 8


def _call(*words: object) -> None:
    sys.argv = ["darknet", *map(str, words)]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"{words}: exit code {end.code}") from end


def trial(random: Random, folder: Path) -> str:
    """A run as it should be, and one that is killed and goes on."""
    _draw(folder / "ds", random.randint(4, 7), random)
    every = random.randint(1, 4)

    def settings() -> None:
        checkpoints_every(every)

    def run_whole(words: list[object]) -> int:
        ended = run(words, prepare=settings)
        if ended.code:
            raise Failed(f"{words}: exit code {ended.code}: {ended.err[-500:]}")
        return ended.seams

    (folder / "whole").mkdir()
    os.chdir(folder / "whole")
    what = random.choice(_WHAT)(random, folder)
    for words in what.before:
        run_whole(words)
    shutil.copytree(folder / "whole", folder / "killed")
    what.change()
    seams = [run_whole(each.words) for each in what.runs]
    os.chdir(folder / "killed")
    said = _kill(random, what.runs, seams, settings)
    found, expected = (_by_run(folder / name, what.runs) for name in ("killed", "whole"))
    if any(line.endswith(": 130") for line in said):
        # the last checkpoint before the end may be the one that Ctrl-C has asked for
        for name in [name for name in (*found, *expected) if name.endswith(".backup")]:
            found.pop(name, None), expected.pop(name, None)
    wrong = differences(found, expected)
    if wrong:
        raise Failed("\n".join([*said, *wrong]))
    return what.name


def _kill(
    random: Random, runs: list[_Run], seams: list[int], settings: Callable[[], None]
) -> list[str]:
    """Runs all to their ends, though they are killed; what was done, in lines."""
    said = []
    left = [random.randint(1, _MOST) for _ in runs]
    going = list(range(len(runs)))
    while going:
        number = random.choice(going)
        each, at, how = runs[number], 0, settings
        signals = random.choice(_SIGNALS)
        if left[number] and signals:
            at = random.randint(1, seams[number])
        elif left[number]:
            how = _alarm(random.uniform(0, 0.1), settings)
        goes_on = each.goes_on()
        words = each.words
        if goes_on:
            words = [word for word in words if word not in ("--overwrite", "--resume")] + [
                "--resume"
            ]
        ended = run(words, at, signals, how)
        said.append(f"{' '.join(map(str, words))}: seam {at}, signals {signals}: {ended.code}")
        _check(ended, words, bool(left[number]))
        if not left[number]:
            going.remove(number)
        left[number] -= 1
    return said


def _check(ended: Ended, words: list[object], may_die: bool) -> None:
    """Raises Failed for an end that is none of those that it may have."""
    is_done = ended.code == 1 and any(words in ended.err for words in _FINISHED)
    may_be = ended.code in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGALRM, 130)
    if "Traceback" in ended.err or not (ended.code == 0 or is_done or (may_die and may_be)):
        raise Failed(f"{words}: exit code {ended.code}: {ended.err[-1500:]}")


def _alarm(seconds: float, settings: Callable[[], None]) -> Callable[[], None]:
    """The settings, and death after so long, wherever that is."""

    def prepare() -> None:
        settings()
        signal.setitimer(signal.ITIMER_REAL, seconds + 1e-4)

    return prepare


def _training(random: Random, folder: Path) -> _What:
    return _What("training", [_draw_training(random, folder, "n")])


def _two_trainings(random: Random, folder: Path) -> _What:
    runs = [_draw_training(random, folder, name) for name in ("n", "n_small")]
    return _What("two in a folder", runs)


def _forced_training(random: Random, folder: Path) -> _What:
    before = _draw_training(random, folder, "n").words
    forced = _draw_training(random, folder, "n")
    first: list[str] = []

    def goes_on() -> bool:
        """Once the state is the new run's."""
        first.append(how_it_began(Path(forced.folder, "n.state")).run)
        return first[-1] != first[0]

    runs = [forced._replace(words=[*forced.words, "--overwrite"], goes_on=goes_on)]
    return _What("forced training", runs, [before])


def _finetuning(random: Random, folder: Path) -> _What:
    return _What("fine-tuning", [_draw_finetuning(random, folder)])


def _forced_finetuning(random: Random, folder: Path) -> _What:
    before = [*_draw_finetuning(random, folder).words, "--seed", 5]
    forced = _draw_finetuning(random, folder)
    words = [*forced.words, "--seed", 6, "--overwrite"]
    runs = [forced._replace(words=words, goes_on=lambda: seed_of(Path("b"), 0) == 6)]
    return _What("forced fine-tuning", runs, [before])


def _changed_finetuning(random: Random, folder: Path) -> _What:
    """One that has begun, or ended, before pictures changed."""
    drawn = _draw_finetuning(random, folder)

    def change() -> None:
        pictures = sorted((folder / "ds").glob("*/*.png"))
        one, other = random.sample(pictures, 2)
        if random.random() < 0.5:
            one.unlink()
        else:
            one.write_bytes(other.read_bytes())

    runs = [drawn._replace(words=[*drawn.words, "--resume"])]
    return _What("changed fine-tuning", runs, [drawn.words], change)


def _writing(random: Random, folder: Path) -> _What:
    """A command that is called again where it was killed."""
    (folder / "base.cfg").write_text(BASE.format(""))
    draw_weights(folder / "base.cfg")
    words = list(random.choice(_WRITING))
    return _What(str(words[0]), [_Run(words, ".", "", lambda: False)])


_WHAT = (
    *(_training, _training, _training, _two_trainings, _forced_training),
    *(_finetuning, _finetuning, _forced_finetuning, _changed_finetuning, _writing),
)


def _draw_training(random: Random, folder: Path, name: str) -> _Run:
    """How to train is drawn, and NAME.cfg written."""
    keys = (
        random.choice(_RATES)
        + random.choice(_OPTIMIZERS)
        + f"subdivisions={random.choice((1, 2))}\n"
    )
    keys += "".join(random.sample(_AUGMENT, random.randint(0, 2)))
    batches = random.randint(3, 9)
    cfg = folder / f"{name}.cfg"
    cfg.write_text(_cfg(random.choice(_NETS), f"max_batches={batches}\n{keys}"))
    words: list[object] = ["train", "../ds", f"../{name}.cfg", "-q", "--backup", "b"]
    for option, values in {
        "--keep": (1, 2),
        "--snapshot": (2, 3),
        "--valid-every": (1, 2, 3),
        "--patience": (1, 2),
        "--ema": (0.5, 0.9),
        "--share": (0, 0.2, 0.4),
        "--seed": (1, 2),
    }.items():
        if random.random() < 0.4:
            words += [option, random.choice(values)]
    words += random.choice([[], [], ["--balance"], ["--class-weights", "balanced"]])
    return _Run(words, "b", name, lambda: Path("b", f"{name}.state").exists())


def _draw_finetuning(random: Random, folder: Path) -> _Run:
    """How to fine-tune is drawn, in one to three stages, and the weights to begin with."""
    cfg = folder / "base.cfg"
    cfg.write_text(BASE.format(random.choice(["", "max_crop=18\nangle=5\n"])))
    draw_weights(cfg)
    words: list[object] = ["finetune", "../ds", "../base.cfg", "../base.weights", "-o", "b", "-q"]
    words += ["--head-epochs", random.randint(1, 3), "--epochs", 1, "--batch", 4, "--views", 2]
    words += random.choice([[], ["--unfreeze", 1], ["--all"], ["--unfreeze", 1, "--all"]])
    for option, values in {
        "--patience": (1, 2),
        "--ema": (0.5,),
        "--share": (0, 0.3),
    }.items():
        if random.random() < 0.4:
            words += [option, random.choice(values)]
    words += ["--no-cache"] * (random.random() < 0.3) + ["--balance"] * (random.random() < 0.2)

    def goes_on() -> bool:
        """One that was killed while it was set up goes on, or begins again."""
        there = read_folder(Path("b"), "base")
        return there is not None and (there.begun or random.random() < 0.5)

    return _Run(words, "b", "base", goes_on)


def draw_weights(cfg: Path) -> None:
    net = Network.from_cfg(cfg, "cpu")
    net.initialise(3)
    net.save_weights(cfg.with_suffix(".weights"))


def _by_run(folder: Path, runs: list[_Run]) -> dict[str, Any]:
    """What is in a folder, every table and chart under its own run's name: which of two runs has
    metrics.csv is a matter of which began first."""
    found = results(folder)
    for each in runs:
        shared = found.get(f"{each.folder}/{each.name}.state")
        if isinstance(shared, tuple) and not shared[0]["notes"]["own_table"]:
            for name in ("metrics.csv", "chart.png"):
                if f"{each.folder}/{name}" in found:
                    found[f"{each.folder}/{each.name}_{name}"] = found.pop(f"{each.folder}/{name}")
    for content in found.values():
        if isinstance(content, tuple):
            content[0]["notes"].pop("own_table")
    return found


def _cfg(layers: str, keys: str) -> str:
    size = "batch=8\nwidth=16\nheight=16\nchannels=3\nlearning_rate=.05\nmax_crop=16\nmin_crop=16\n"
    return f"[net]\n{keys}{size}{layers}"


def _draw(folder: Path, count: int, random: Random) -> None:
    """`count` pictures of each class, of noise around a colour."""
    noise = np.random.default_rng(random.getrandbits(32))
    for number, name in enumerate(_CLASSES):
        (folder / name).mkdir(parents=True)
        for picture in range(count):
            values = noise.integers(0, 160, (20, 20, 3), np.uint8)
            values[:, :, number] += 60
            Image.fromarray(values).save(folder / name / f"{picture}.png")

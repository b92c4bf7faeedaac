"""scripts/torture: kind by kind, trials in processes of their own, and a table at the end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from darknet_py.ops.cpu.runtime.threads import thread_count
from scripts.trials.pool import remove_leftovers, run_trials
from scripts.trials.results import Result, table
from scripts.trials.trial import GROUPS, Kind, load_kinds

SEED = 1
MINUTES = 2.0
"""Where nothing says how many trials."""
_ENDLESS = 10**9

DESCRIPTION = """\
Tries the program as an attacker and as bad luck would: damaged and hostile files of every kind that
it reads, kills at every point of a training, layers against float64. Whatever is no clear refusal
and no right result is a failure: a traceback, a crash, a hang, memory without end, a wrong number.

All is drawn from --seed: the same one, the same trials. A failure says how to repeat it."""

EPILOGUE = """\
kinds (--only):
{kinds}

The table goes to stdout; the exit code is 1 where a trial failed.

examples:
  scripts/torture                                   # of each kind as many as fit in two minutes
  scripts/torture --kills 1000 --fuzz 1000000 --layers 500
  scripts/torture --minutes 30 --seed 7 --only cfgs --only pictures
  scripts/torture --only states --seed 17 --trial 4211"""


def main(arguments: Sequence[str] | None = None, package: str = "scripts.trials") -> int:
    """0 where no trial failed; package: where the kinds are."""
    kinds = load_kinds(package)
    parser = _parser(kinds)
    options = parser.parse_args(arguments)
    kinds = [kind for kind in kinds if kind.name in (options.only or [kind.name])]
    if options.trial is not None and (options.only is None or len(kinds) != 1):
        parser.error("--trial needs --only with the one kind that it is of")
    counts = _counts(kinds, options)
    if not any(counts.values()):
        parser.error("these kinds (--only) are in no group that a number is given for")
    minutes = options.minutes
    if minutes is None and not any(getattr(options, group) for group in GROUPS):
        minutes = MINUTES if options.trial is None else None
    remove_leftovers()
    results: list[Result] = []
    stopped = False
    try:
        _run(kinds, counts, options, minutes, results)
    except KeyboardInterrupt:
        stopped = True
    _clear()
    print(table(results, options.seed))
    if stopped:
        print("stopped", file=sys.stderr)
        return 130
    return 1 if any(result.failures for result in results) else 0


def _run(
    kinds: Sequence[Kind],
    counts: dict[str, range],
    options: argparse.Namespace,
    minutes: float | None,
    results: list[Result],
) -> None:
    """Each kind has its share of the time; what it prepares before its first trial comes on top."""
    chosen = [kind for kind in kinds if counts[kind.name]]
    share = float("inf") if minutes is None else 60 * minutes / len(chosen)
    for kind in chosen:
        result = Result(kind.name)
        results.append(result)
        numbers = counts[kind.name]
        run_trials(kind, options.seed, numbers, options.workers, share, result, _show)


def _counts(kinds: Sequence[Kind], options: argparse.Namespace) -> dict[str, range]:
    """The numbers of each kind's trials: its part of its group's, or as many as there is time."""
    if options.trial is not None:
        return {kinds[0].name: range(options.trial, options.trial + 1)}
    given = any(getattr(options, group) is not None for group in GROUPS)
    counts = {}
    for group in GROUPS:
        wanted = getattr(options, group)
        members = [kind for kind in kinds if kind.group == group]
        total = sum(kind.weight for kind in members)
        for kind in members:
            if wanted is None:
                counts[kind.name] = range(0 if given else _ENDLESS)
            else:
                counts[kind.name] = range(max(round(wanted * kind.weight / total), 1))
    return counts


def _show(result: Result) -> None:
    """A line that is written over, on a terminal."""
    if sys.stderr.isatty():
        failed = f", {len(result.failures):,} failed" if result.failures else ""
        line = f"{result.kind}: {result.trials:,} trials in {result.seconds:.0f} s{failed}"
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def _clear() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _parser(kinds: Sequence[Kind]) -> argparse.ArgumentParser:
    listed = "\n".join(f"  {kind.name:<12} {kind.about}" for kind in kinds)
    parser = argparse.ArgumentParser(
        prog="scripts/torture",
        description=DESCRIPTION,
        epilog=EPILOGUE.format(kinds=listed),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--fuzz", type=_count, metavar="N", help="trials with damaged and hostile files")
    add("--kills", type=_count, metavar="N", help="trials in which processes are killed")
    add("--layers", type=_count, metavar="N", help="layers' configurations against float64")
    add(
        "--minutes",
        type=_minutes,
        metavar="M",
        help=f"of trials, of which each kind has its share ({MINUTES:g} without numbers)",
    )
    add("--only", action="append", choices=[kind.name for kind in kinds], metavar="KIND")
    add("--seed", type=int, default=SEED, metavar="S", help="(%(default)s)")
    add("--trial", type=_number, metavar="K", help="this one alone, with --only KIND")
    add(
        "--workers",
        type=_count,
        default=thread_count(),
        metavar="W",
        help="processes (%(default)s)",
    )
    return parser


def _number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes < 1e6:
        raise ValueError
    return minutes

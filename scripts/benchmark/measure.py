"""Contestants timed in turns, in blocks without other load."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scripts.benchmark.quiet import Load

Block = Callable[[float], list[float]]
"""Runs at least about so many seconds; gives the seconds of each call."""

SLOW = 8
"""A block ends after so many times its length even if it has seen fewer than three calls."""


@dataclass(frozen=True)
class Plan:
    """How long and how often."""

    rounds: int = 5
    seconds: float = 0.12
    max_tries: int = 10
    gap: float = 0.012
    """Seconds of sleep before a block, in which the threads of the one before stop spinning."""
    patience: float = 1.0
    """Seconds to wait for a quiet moment before a block is tried again."""


@dataclass
class Timing:
    """Seconds of the calls in quiet blocks and in others, and how many blocks were thrown away."""

    quiet: list[float] = field(default_factory=list)
    noisy: list[float] = field(default_factory=list)
    rejected: int = 0

    @property
    def is_noisy(self) -> bool:
        """Whether there was no quiet block, so that noisy ones must do."""
        return not self.quiet

    @property
    def median(self) -> float:
        return statistics.median(self.quiet or self.noisy)


def calls(function: Callable[[], object], things: int = 1) -> Block:
    """A block of calls, after one or two that do not count; seconds for each of the `things` that
    a call does."""

    def block(seconds: float) -> list[float]:
        start = time.perf_counter()
        function()
        if time.perf_counter() - start < seconds:
            function()
        times: list[float] = []
        start = time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds or (
            len(times) < 3 and elapsed < SLOW * seconds
        ):
            before = time.perf_counter()
            function()
            times.append((time.perf_counter() - before) / things)
        return times

    return block


def interleave(
    blocks: Mapping[str, Block],
    plan: Plan,
    load: Load,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Timing]:
    """The timings of all, in rounds of one block each.

    A block that others disturbed is repeated up to max_tries times. Where that was in vain the
    machine is busy, and the blocks after it get half as many tries each time.
    """
    timings = {name: Timing() for name in blocks}
    tries = plan.max_tries
    for _ in range(plan.rounds):
        for name, block in blocks.items():
            if not _quiet_block(block, timings[name], tries, plan, load, sleep):
                tries = max(tries // 2, 1)
    return timings


def _quiet_block(
    block: Block,
    timing: Timing,
    tries: int,
    plan: Plan,
    load: Load,
    sleep: Callable[[float], None],
) -> bool:
    """Whether one of the tries was quiet; of those that were not the last is kept as noisy."""
    times: list[float] = []
    for attempt in range(tries):
        if attempt:
            load.wait(plan.patience, sleep)
        sleep(plan.gap)
        mark, start = load.mark(), time.perf_counter()
        times = block(plan.seconds)
        if load.was_quiet(mark, time.perf_counter() - start):
            timing.quiet += times
            return True
        timing.rejected += 1
    timing.noisy += times
    return False

"""What is met, missed or not measured."""

from __future__ import annotations

from scripts.gpu.accuracy import figures
from scripts.gpu.goals import MET, MISSED, NETWORKS, UNKNOWN, WORKS, goals
from scripts.gpu.nightmare import COMMAND, TASK
from scripts.gpu.rows import (
    Case,
    Compared,
    Dreamed,
    Loaded,
    Row,
)
from tests.scripts.gpu.rows import compared


def states(rows: list[Row], words: str) -> list[str]:
    return [goal.state for goal in goals(rows) if words in goal.what]


def test_nothing_is_met_that_was_not_measured() -> None:
    assert {goal.state for goal in goals([])} == {UNKNOWN}


def test_speed_is_met_by_all_networks_in_each_precision() -> None:
    rows: list[Row] = [compared(name, 2.5) for name in NETWORKS]
    fast, twice = "inference, batch 1, at least as fast", "at least 2 times as fast"
    assert states(rows, fast) == [MET, UNKNOWN]
    assert states(rows, twice) == [MET, UNKNOWN]
    assert states(rows[1:], fast) == [UNKNOWN, UNKNOWN]
    assert states([*rows[1:], compared("tiny", 1.9)], twice) == [MISSED, UNKNOWN]
    assert states([*rows[1:], compared("tiny", 1.9)], fast) == [MET, UNKNOWN]
    assert states([*rows, compared("tiny", 0.9, precision="half")], fast) == [MET, MISSED]
    training: list[Row] = [compared(name, 1.0, work=("training", 64)) for name in NETWORKS]
    assert states(training, "training, batch 64, at least") == [MET, UNKNOWN]
    assert states(training, "inference, batch 64, at least") == [UNKNOWN, UNKNOWN]
    (figure,) = {goal.figure for goal in goals(rows) if fast in goal.what if goal.state == MET}
    assert figure == ", ".join(f"{name} 2.50 (channels_last)" for name in NETWORKS)


def test_the_better_layout_counts() -> None:
    row = Compared("inference", "tiny", 1, "tf32", 0.0, 2.0, {"contiguous": 3.0, "b": 5.0})
    assert (row.best, row.ratio) == ("contiguous", 1.5)


def test_answers_beyond_the_limit_are_missed() -> None:
    words = "as far from float64's answers"
    good: list[Row] = [
        compared(name, work=work) for name in NETWORKS for work in (*WORKS, ("dream", 1))
    ]
    assert states(good, words) == [MET, UNKNOWN, UNKNOWN]
    assert states([*good, compared("tiny", error=5e-3)], words)[0] == MISSED
    # beside PyTorch's own error the limit is twice that
    assert states([*good, compared("tiny", error=5e-3)._replace(peer=3e-3)], words)[0] == MET
    assert states([*good, compared("tiny", error=5e-3)._replace(peer=2e-3)], words)[0] == MISSED
    # a rounding at a threshold decides
    assert states([*good, compared("tiny", error=1.0, work=("dream", 1))], words)[0] == MET
    exact = [Compared("inference", name, 1, "exact", 2e-5, None, {}) for name in NETWORKS]
    assert states([*exact], words) == [UNKNOWN, UNKNOWN, MET]
    assert states([*exact[1:], exact[0]._replace(error=2e-4)], words)[2] == MISSED
    assert states([compared("tiny", error=float("inf"))], words)[0] == MISSED


def test_all_figures_of_the_c_program_count() -> None:
    cases: list[Row] = [Case(kind, name, "tf32", 1e-3) for kind, name in figures()]
    words = "the C program's figures"
    assert states(cases, words) == [MET, UNKNOWN]
    assert states(cases[:-1], words) == [UNKNOWN, UNKNOWN]
    assert states([*cases[:-1], Case("forward", "a", "tf32", 5e-3)], words)[0] == MISSED
    assert states([*cases[:-1], Case("dream", "a", "tf32", 5e-3)], words)[0] == MET
    assert states([*cases[:-1], Case("dream", "a", "tf32", 6e-2)], words)[0] == MISSED
    (goal,) = (goal for goal in goals(cases) if words in goal.what and goal.state == MET)
    assert goal.figure.startswith(f"{len(cases)} of {len(cases)}; worst 1.0e-03 (")


def test_a_step_loses_what_it_waits_or_what_threads_slow() -> None:
    assert Loaded("tiny", 64, 20, 10.0, 0.4, 10.0).share == 0.04
    assert Loaded("tiny", 64, 20, 10.0, 0.1, 9.0).share == 0.1
    assert Loaded("tiny", 64, 20, 10.0, 0.0, 11.0).share == 0
    rows: list[Row] = [Loaded(name, 64, 20, 10.0, 0.4, 10.0) for name in ("tiny", "resnet18")]
    assert states(rows, "waiting for pictures") == [MET]
    assert states([*rows, Loaded("tiny", 64, 20, 10.0, 0.5, 10.0)], "waiting") == [MISSED]


def test_a_nightmare_counts_as_a_task() -> None:
    assert states([Dreamed(TASK, "a", 0.9)], "nightmare") == [MET]
    assert states([Dreamed(TASK, "a", 1.0)], "nightmare") == [MISSED]
    assert states([Dreamed(COMMAND, "a", 0.9)], "nightmare") == [UNKNOWN]

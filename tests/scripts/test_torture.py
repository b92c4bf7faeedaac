"""scripts/torture: what fails, dies or hangs is reported as that, and can be repeated."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.trials.main import main
from scripts.trials.pool import remove_leftovers, run_trials
from scripts.trials.results import Failure, Result, table
from scripts.trials.trial import load_kind, load_kinds, random_of
from tests.support.trials.odd import FAULTS, drawn

SCRIPT = Path(__file__).parents[2] / "scripts/torture"
KINDS = "tests.support.trials"

CAUSES = {
    "Failed": "failed: as it should",
    "ValueError": "ValueError: by mistake",
    "SystemExit": "SystemExit: no",
    "MemoryError": "MemoryError",
    "SIGSEGV": "its process died: signal 11 (SIGSEGV)",
    "exit": "its process died: exit code 3",
    "hang": "its process died: more than 1 s",
}
"""What the table says of each fault of `odd`."""


def torture(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code, and what is printed to stdout."""
    code = main(arguments, KINDS)
    printed = capsys.readouterr()
    assert printed.err == ""
    return code, printed.out


def first(fault: str, seed: int) -> int:
    """The number of the first trial with a fault."""
    numbers = range(1000)
    return next(number for number in numbers if drawn(random_of("odd", seed, number)) == fault)


def test_whatever_happens_to_a_trial_the_others_are_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed, count = 1558, 45  # each fault, and one that hangs
    expected = Counter(drawn(random_of("odd", seed, number)) for number in range(count))
    assert set(expected) == {"well", *FAULTS}
    arguments = ("--only", "odd", "--seed", str(seed), "--fuzz", str(count), "--workers", "2")
    code, printed = torture(capsys, *arguments)
    assert code == 1
    failed = sum(expected[fault] for fault in CAUSES)
    row = next(line for line in printed.splitlines() if line.startswith("odd"))
    assert row.split()[:2] == ["odd", str(count)]
    assert re.search(rf" {failed}  well {expected['well']}, locked {expected['locked']}$", row)
    for fault, cause in CAUSES.items():
        assert f"odd: {cause}" in printed
        assert f"--only odd --seed {seed} --trial {first(fault, seed)}\n" in f"{printed}\n"
    assert 'ctypes/__init__.py", line' in printed  # where it died
    assert "odd.py" in printed.partition("more than 1 s")[2]  # where it hung


@pytest.mark.parametrize("fault", ["Failed", "SIGSEGV"])
def test_a_trial_is_repeated_alone(capsys: pytest.CaptureFixture[str], fault: str) -> None:
    number = str(first(fault, 5))
    code, printed = torture(capsys, "--only", "odd", "--seed", "5", "--trial", number)
    assert code == 1
    assert f"odd: {CAUSES[fault]}" in printed
    assert f"scripts/torture --only odd --seed 5 --trial {number}" in printed
    assert printed.count("scripts/torture") == 1


def test_one_seed_makes_the_same_trials_whoever_runs_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = []
    for workers in ("1", "4"):
        arguments = ("--only", "plain", "--fuzz", "300", "--seed", "9", "--workers", workers)
        code, printed = torture(capsys, *arguments)
        assert code == 0
        rows.append(re.sub(r" +[0-9.]+ +0 ", " ", printed))
    assert rows[0] == rows[1]
    drawn = Counter(random_of("plain", 9, number).choice("ht") for number in range(300))
    assert f"heads {drawn['h']}" in rows[0]
    assert f"tails {drawn['t']}" in rows[0]


def test_trials_are_spread_by_weight(capsys: pytest.CaptureFixture[str]) -> None:
    _, printed = torture(capsys, "--fuzz", "8", "--seed", "3")
    assert re.search(r"^odd +2 ", printed, re.MULTILINE)
    assert re.search(r"^plain +6 ", printed, re.MULTILINE)
    assert "broken" not in printed


def test_time_that_is_up_ends_all(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = torture(capsys, "--only", "plain", "--minutes", "0.01")
    assert code == 0
    assert re.search(r"^plain +[1-9][0-9,]* ", printed, re.MULTILINE)


def test_what_a_kind_prepares_is_not_of_its_share() -> None:
    kind, result = load_kind(f"{KINDS}.slow"), Result("slow")
    assert kind is not None
    begun = time.monotonic()
    run_trials(kind, 1, range(10**9), 1, 0.2, result)
    assert result.trials > 0
    assert time.monotonic() < begun + 60


def test_each_kind_has_a_trial_at_least(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = torture(capsys, "--only", "slow", "--only", "plain", "--minutes", "1e-9")
    assert code == 0
    assert len(re.findall(r"^(?:slow|plain) +[1-9]", printed, re.MULTILINE)) == 2


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="looks for processes in /proc")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_who_stops_it_sees_what_was_done_and_nothing_stays(end: signal.Signals) -> None:
    code = "import sys; from scripts.trials.main import main; sys.exit(main(sys.argv[1:], 'KINDS'))"
    command = [sys.executable, "-c", code.replace("KINDS", KINDS), "--only", "plain"]
    process = subprocess.Popen(
        command, cwd=SCRIPT.parents[1], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    folders = set[Path]()
    while not folders:  # its process is there
        time.sleep(0.02)
        folders = set(_folders(process.pid))
    process.send_signal(end)
    out, err = process.communicate(timeout=60)
    if end == signal.SIGINT:
        assert process.returncode == 130
        assert re.search(r"^plain +[0-9,]+ .*\nseed 1: ", out, re.MULTILINE)
        assert err == "stopped\n"
    else:
        remove_leftovers()
        for _ in range(200):  # its worker may yet have to see that it is gone
            if any(folder.exists() for folder in folders):
                time.sleep(0.05)
                remove_leftovers()
    assert not any(folder.exists() for folder in folders)


def _folders(parent: int) -> Iterator[Path]:
    """The folders of a process's workers, which stand on their command lines."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            status = (place / "stat").read_text()
            words = (place / "cmdline").read_bytes().decode().split("\0")
        except OSError:  # it has just ended
            continue
        if int(status.rpartition(")")[2].split()[1]) == parent and "scripts.trials.worker" in words:
            yield Path(words[-2])


def test_a_kind_that_cannot_begin_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = torture(capsys, "--only", "broken", "--kills", "2")
    assert code == 1
    assert "broken: its process does not start: exit code 7\n    there is no disk" in printed


def test_a_process_that_dies_after_its_trials_is_a_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, printed = torture(capsys, "--only", "late", "--kills", "1")
    assert code == 1
    assert "late: its process died after it: exit code 9" in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ("--trial", "3"),
        ("--only", "odd", "--only", "plain", "--trial", "3"),
        ("--only", "no"),
        ("--only", "odd", "--kills", "3"),
        ("--fuzz", "0"),
        ("--minutes", "nan"),
        ("--workers", "-1"),
        ("--only", "odd", "--trial", "-1"),
    ],
)
def test_what_cannot_be_asked_for(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments, KINDS)
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_equal_failures_are_shown_once() -> None:
    trace = 'File "a.py", line 3\n'
    failures = [Failure(number, f"ValueError: {number}", trace) for number in range(9)]
    failures.append(Failure(9, "ValueError: 1", 'File "a.py", line 4\n'))
    text = table([Result("odd", Counter(well=2), failures, 1.0)], 7)
    assert "seed 7: 12 trials, 10 failed" in text
    assert text.count("odd: ValueError") == 2
    assert "(9 times so)" in text
    assert text.count("--trial") == 4  # three of the first sort


def test_what_was_tried_does_not_drive_the_terminal() -> None:
    failure = Failure(1, "failed: \x1b[2J\nand more", 'File "\x1b]0;a\x07", line 1')
    text = table([Result("odd", Counter(), [failure], 1.0)], 7)
    assert "\nodd: failed: \\x1b[2J\n    and more\n" in text
    assert text.replace("\n", "").isprintable()


def test_how_far_it_is_stands_on_a_terminal_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    main(["--only", "plain", "--fuzz", "9"], KINDS)
    printed = capsys.readouterr()
    assert re.search(r"\r\x1b\[Kplain: 9 trials in 0 s", printed.err)
    assert printed.err.endswith("\r\x1b[K")
    assert "\x1b" not in printed.out


def test_kinds_are_what_their_modules_say() -> None:
    kinds = load_kinds()
    assert {"cfgs", "pictures", "lists"} <= {kind.name for kind in kinds}
    assert len({kind.name for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert kind.module == f"scripts.trials.{kind.name}"
        assert kind.about


def test_help_names_every_kind() -> None:
    command = [sys.executable, str(SCRIPT), "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "\n  cfgs         " in result.stdout

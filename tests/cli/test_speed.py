from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Run

MNIST = Path(__file__).parents[2] / "cfg/mnist.cfg"


def test_says_what_the_c_program_says(darknet: Run) -> None:
    code, out, err = darknet("speed", "-q", MNIST, "3")
    assert (code, err) == (0, "")
    number = r"[0-9]+\.[0-9]+"
    lines = [
        rf"3 evals, {number} Seconds",
        rf"Floating Point Operations: {number} Bn",
        rf"FLOPS: {number} Bn",
        rf"Speed: {number} sec/eval",
        rf"Speed: {number} Hz",
    ]
    for line, pattern in zip(out.splitlines(), lines, strict=True):
        assert re.fullmatch(pattern, line)


def test_the_operations_are_the_networks(darknet: Run) -> None:
    _, one, _ = darknet("speed", "-q", MNIST, "1")
    _, two, _ = darknet("speed", "-q", MNIST, "1", "--batch", "2")
    counts = [float(re.findall(r"Operations: (\S+)", out)[0]) for out in (one, two)]
    assert counts[1] > 1.5 * counts[0] > 0


def test_a_count_that_is_none(darknet: Run) -> None:
    code, out, _ = darknet("speed", MNIST, "0")
    assert (code, out) == (2, "")


SEQUENCES = (
    "[net]\ninputs=5\nbatch=4\ntime_steps=3\n[rnn]\noutput=4\n[connected]\noutput=2\n[softmax]\n"
)


def test_sequences(darknet: Run, tmp_path: Path) -> None:
    """So many rows as they have steps, for each."""
    cfg = tmp_path / "rnn.cfg"
    cfg.write_text(SEQUENCES)
    code, out, err = darknet("speed", "-q", cfg, "2", "--batch", "2")
    assert (code, err) == (0, "")
    assert out.startswith("2 evals, ")
    for work in ("inference", "training"):
        code, out, err = darknet("plan", "-q", cfg, "--batch", "2", "--work", work, "--json")
        assert (code, err) == (0, "")
        assert out.count("\n") > 3


@pytest.mark.parametrize("command", [("speed",), ("plan",), ("plan", "--work", "training")])
def test_a_batch_that_no_memory_holds(darknet: Run, command: tuple[str, ...]) -> None:
    code, out, err = darknet(*command, "-q", MNIST, "--batch", "1000000000")
    assert (code, out) == (1, "")
    assert re.fullmatch(
        r"darknet: 1,000,000,000 at once need 3,136.00 GB of memory, and .* GB are free\n", err
    )


def test_a_batch_whose_maps_no_memory_holds(darknet: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would fit is said, and does."""
    monkeypatch.setattr("darknet_py.ops.memory.available_memory", lambda: 300_000_000)
    code, out, err = darknet("plan", "-q", MNIST, "--batch", "50000")
    assert (code, out) == (1, "")
    (found,) = re.findall(r"mnist.cfg: 50,000 at once need .*: ([0-9,]+) at once would fit\n", err)
    code, _, _ = darknet("plan", "-q", MNIST, "--batch", found.replace(",", ""))
    assert code == 0

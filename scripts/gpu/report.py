"""The report as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scripts.gpu.accuracy import LIMITS, Case

if TYPE_CHECKING:  # it loads PyTorch
    from scripts.gpu.speed import Time


def report(machine: Sequence[str], tests: str, cases: Sequence[Case], times: Sequence[Time]) -> str:
    """machine: lines of what it was run on; tests: pytest's last line."""
    lines = [
        "# On a GPU",
        "",
        "Written by `scripts/gpu_report`.",
        "",
        *[f"- {line}" for line in machine],
        "",
        "## Tests that need a device",
        "",
        f"    {tests}",
        "",
        "## Against the C program",
        "",
        "The largest error in units of the largest value, over all figures of tests/golden.",
        "",
        "| figures | precision | cases | worst | | limit | missed |",
        "|---|---|---|---|---|---|---|",
        *_accuracy(cases),
        "",
        "## Against PyTorch",
        "",
        "Milliseconds, medians, from pictures on the host to results on the host. PyTorch with "
        "channels_last and TF32, or bfloat16 by autocast.",
        "",
        "| work | precision | ours | PyTorch | ratio | difference |",
        "|---|---|---|---|---|---|",
        *[
            f"| {each.work} | {each.precision} | {each.ours:.3g} | {each.torch:.3g} | "
            f"{each.torch / each.ours:.2f} | {each.error:.0e} |"
            for each in times
        ],
    ]
    return "\n".join(lines) + "\n"


def _accuracy(cases: Sequence[Case]) -> list[str]:
    rows = []
    for kind in dict.fromkeys(case.kind for case in cases):
        for precision, limit in LIMITS.items():
            these = [case for case in cases if (case.kind, case.precision) == (kind, precision)]
            worst = max(these, key=lambda case: case.error)
            missed = [case.name for case in these if not case.is_good]
            rows.append(
                f"| {kind} | {precision} | {len(these)} | {worst.error:.1e} | {worst.name} | "
                f"{limit:g} | {', '.join(missed) or 'none'} |"
            )
    return rows

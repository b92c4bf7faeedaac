"""darknet plan"""

from __future__ import annotations

from dataclasses import asdict

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_json, say_line
from darknet_py.cli.options import NetworkOptions, build_network, network_options
from darknet_py.text import counted


@click.command(cls=Command)
@click.argument("cfg")
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Pictures, or sequences, at once.",
)
@click.option(
    "--work",
    type=click.Choice(["inference", "training"]),
    default="inference",
    show_default=True,
    help="What is run.",
)
@click.option("--json", "is_json", is_flag=True, help="One JSON object a step.")
@network_options
def plan(cfg: str, batch: int, work: str, is_json: bool, network: NetworkOptions) -> None:
    """Show how a network is computed: steps, algorithms, times.

    GFLOP/s count the operations of a direct convolution, whatever the algorithm. The share of the
    peak, which is measured on the spot, is left out where it would mean nothing: of Winograd's
    algorithm, which does with fewer operations. On a GPU the last
    line says how long the whole takes as one CUDA graph, or why it is none.

    \b
    Examples:
      darknet plan -q cfg/tiny.cfg
      darknet plan -q cfg/resnet18.cfg --work training --batch 16
      darknet plan -q cfg/darknet19.cfg --device gpu --half
    """
    net = build_network(cfg, network)
    from darknet_py.tasks.plan import measure_plan

    found = measure_plan(net, batch, work)
    if is_json:
        for step in found.steps:
            say_json(asdict(step))
        return
    say_line(f"{'Step':<36}{'Output':>20}  {'Algorithm':<16}{'ms':>8}{'GFLOP/s':>9}{'of peak':>9}")
    for step in found.steps:
        rate = step.operations / step.seconds / 1e9
        is_counted = step.operations and "winograd" not in step.algorithm.lower()
        share = f"{rate / found.peak:.0%}" if is_counted and rate <= found.peak else ""
        speed = f"{rate:.0f}" if step.operations else ""
        shape = " x ".join(str(length) for length in step.shape)
        say_line(
            f"{step.name:<36}{shape:>20}  {step.algorithm:<16}{step.seconds * 1e3:8.3f}"
            f"{speed:>9}{share:>9}"
        )
    total = sum(step.seconds for step in found.steps)
    say_line(
        f"{counted(len(found.steps), 'step')}, {total * 1e3:.2f} ms, "
        f"{found.megabytes:.1f} MB of maps; peak {found.peak:.0f} GFLOP/s"
    )
    if found.whole is not None:
        say_line(f"as one CUDA graph: {found.whole * 1e3:.3f} ms")
    elif found.apart:
        say_line(f"launched step by step, not as one CUDA graph: {found.apart}")

"""darknet ops"""

from __future__ import annotations

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_json, say_line
from darknet_py.cli.options import find_file, say_warnings


@click.command(cls=Command)
@click.argument("cfgs", nargs=-1, required=True, metavar="CFG...")
@click.option("--json", "is_json", is_flag=True, help="One JSON object a network.")
def ops(cfgs: tuple[str, ...], is_json: bool) -> None:
    """Count a network's operations, parameters and bytes.

    Operations are multiplications and additions for one picture, in billions (Bn); parameters
    are all the numbers in the weights file.

    \b
    Examples:
      darknet ops cfg/tiny.cfg
      darknet ops cfg/*.cfg
    """
    from darknet_py.cfg.sections import read_sections
    from darknet_py.network.builder import build
    from darknet_py.network.weights import weights_bytes

    if not is_json:
        say_line(f"{'Model':<28}{'Ops':>12}{'Parameters':>14}{'Size':>12}")
    for cfg in cfgs:
        path = find_file(cfg)
        plan = build(read_sections(path), path)
        say_warnings(plan.warnings)
        layers = plan.layers
        operations = sum(layer.operations() for layer in layers)
        parameters = sum(p.size for layer in layers for p in layer.parameters())
        size = weights_bytes(layers)
        if is_json:
            counts = {"operations": operations, "parameters": parameters, "bytes": size}
            say_json({"cfg": cfg, **counts})
            continue
        billions, megabytes = f"{operations / 1e9:.2f} Bn", f"{size / 2**20:.1f} MB"
        say_line(f"{cfg:<28}{billions:>12}{parameters:>14,}{megabytes:>12}")

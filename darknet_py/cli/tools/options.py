"""What the tools for weights files share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from darknet_py.cli.console import say_line, say_path
from darknet_py.cli.files import check_output
from darknet_py.cli.options import NetworkOptions, build_network, find_file, load_weights

if TYPE_CHECKING:
    from darknet_py.network import Network

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Tool:
    """What the options of a tool say."""

    overwrite: bool
    strict: bool
    quiet: bool

    @property
    def network(self) -> NetworkOptions:
        return NetworkOptions(device="cpu", strict=self.strict, quiet=self.quiet)

    def open(self, cfg: str, weights: Sequence[str], outputs: Sequence[Path]) -> Network:
        """The network of a cfg on paper, if the outputs may be written."""
        from darknet_py.tasks.weights_tools import check_outputs, check_stored

        check_outputs(outputs, [Path(find_file(name)) for name in (cfg, *weights)], self.overwrite)
        for path in outputs:
            check_output(path)
        net = build_network(cfg, self.network)
        check_stored(net)
        return net

    def load(self, cfg: str, weights: str, outputs: Sequence[Path]) -> Network:
        """The same, with its weights loaded."""
        net = self.open(cfg, [weights], outputs)
        load_weights(net, find_file(weights), self.network)
        return net

    def save(self, net: Network, out: Path, notes: Sequence[str] = ()) -> None:
        """Writes weights, and says so; notes are what is left to do."""
        net.save_weights(out)
        say_path(out)
        for note in notes:
            say_line(f"note: {note}", err=True)

    def save_with_cfg(self, net: Network, out: Path) -> None:
        """The same with the cfg that goes with the weights, beside them."""
        from darknet_py.atomic import write_text
        from darknet_py.cfg.write import write_sections

        self.save(net, out)
        write_text(cfg_beside(out), write_sections(net.sections))
        say_path(cfg_beside(out))


def cfg_beside(out: Path) -> Path:
    """The cfg for weights that are written as `out`."""
    if out.suffix == ".cfg":
        raise click.BadParameter(f"{out}: is for weights; their cfg is written beside.")
    return out.with_suffix(".cfg")


def tool_options(command: F) -> F:
    """--overwrite, --strict and -q, as one argument `tool`."""

    @wraps(command)
    def collected(*arguments: Any, **options: Any) -> Any:
        mine = {field.name: options.pop(field.name) for field in fields(Tool)}
        return command(*arguments, tool=Tool(**mine), **options)

    for option in reversed(
        (
            click.option("--overwrite", is_flag=True, help="Write over a file that is there."),
            click.option("--strict", is_flag=True, help="Refuse a cfg that gives warnings."),
            click.option("-q", "--quiet", is_flag=True, help="Results, warnings and errors only."),
        )
    ):
        collected = option(collected)
    return cast(F, collected)


PATH = click.Path(path_type=Path)

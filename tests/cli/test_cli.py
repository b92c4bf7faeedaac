"""What holds for every command: help, examples, documentation, imports, exit codes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from darknet_py.cli import darknet as group
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
STANDARD = sys.stdlib_module_names
WHITELIST = {"click", "darknet_py"}


def _commands(
    command: click.Command, *names: str
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield names, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from _commands(child, *names, name)


COMMANDS = dict(_commands(group, "darknet"))


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_every_command_has_help_and_an_example(names: tuple[str, ...]) -> None:
    command = COMMANDS[names]
    assert command.help
    assert "Example" in command.help
    assert " ".join(names) in command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name not in ("help", "version"):
            assert parameter.help, f"{' '.join(names)} {parameter.name}"


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_help_imports_only_click(names: tuple[str, ...]) -> None:
    code = (
        "import sys; from darknet_py.cli import darknet\n"
        f"darknet.main({[*names[1:], '--help']!r}, standalone_mode=False)\n"
        "print('MODULES', *sorted({name.split('.')[0] for name in sys.modules}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(run.stdout.split("MODULES ")[1].split())
    ours = {name for name in imported if name not in STANDARD and not name.startswith("_")}
    # whatever the interpreter itself brings in at its start
    plain = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    ours -= {name.split(".")[0] for name in plain.stdout.split()}
    assert ours <= WHITELIST


def test_wrong_usage_ends_with_2(darknet: Run) -> None:
    assert darknet("classify", "only.cfg").code == 2
    assert darknet("nonsense").code == 2
    assert darknet("ops").code == 2


def test_version(darknet: Run) -> None:
    from darknet_py import __version__

    assert darknet("--version").out == f"darknet, version {__version__}\n"


def test_python_m_is_the_same() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "darknet_py", "info", "no.cfg"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert (run.returncode, run.stdout, run.stderr) == (1, "", "darknet: no.cfg: no such file\n")


def test_a_reader_that_leaves_is_no_error() -> None:
    run = subprocess.run(
        f"{sys.executable} -m darknet_py ops --json cfg/*.cfg | head -n 1",
        shell=True,
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert run.stderr == ""
    assert run.stdout.count("\n") == 1

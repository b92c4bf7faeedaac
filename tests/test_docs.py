"""The contributor's pages: their examples work as they stand, and what they name is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from darknet_py.ops.cpu.compile.lower import PASSES
from tests.support.worked_examples import (
    ROOT,
    Example,
    changed,
    copy_project,
    examples,
    put,
)

PAGES = {
    name: (ROOT / "docs" / name).read_text()
    for name in ("architecture.md", "kernels.md", "adding.md")
}
EXAMPLES = examples(PAGES["adding.md"])
NEW = {example.path for example in EXAMPLES if example.language == "python"}
PACKAGE, CPU = ROOT / "darknet_py", ROOT / "darknet_py/ops/cpu"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, with all examples."""
    folder = tmp_path_factory.mktemp("copy")
    copy_project(folder)
    for example in EXAMPLES:
        put(example, folder)
    return folder


def run(folder: Path, *words: str) -> None:
    """Runs a module of Python in a folder's project, which has to succeed."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *words],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_is_an_example_of_each_and_it_has_a_test() -> None:
    sections = PAGES["adding.md"].split("\n## ")[1:]
    assert [section.partition("\n")[0] for section in sections] == [
        "A layer of existing ops",
        "An op",
        "A fast step for the CPU",
        "A command",
    ]
    for section in sections:
        kinds = [(each.language, each.path.split("/")[0]) for each in examples(section)]
        assert {("python", "darknet_py"), ("python", "tests")} <= {*kinds}
        assert "diff" in dict(kinds)


OF_THE_HOUSE = (
    "tests/test_imports.py::test_imports_point_down",
    "tests/test_imports.py::test_no_two_files_import_each_other",
    "tests/layers/test_base.py::test_the_docstring_names_every_key_that_is_read[bias-Bias]",
    "tests/layers/test_base.py::test_the_docstring_tells_the_defaults[bias-Bias]",
    "tests/network/test_every_layer.py::test_all_kinds_are_here",
    "tests/network/test_every_layer.py::test_every_key_is_drawn[bias]",
    "tests/network/test_every_layer.py::test_programs[bias]",
    "tests/network/test_every_layer.py::test_what_goes_on[bias]",
    "tests/network/test_targets.py::test_every_kind_is_looked_at",
    "tests/network/test_targets.py::test_a_dream_goes_back_through_every_kind_of_layer[bias]",
    "tests/ops/test_parity.py::test_names",
    "tests/ops/test_parity.py::test_every_function_is_compared",
    "tests/ops/test_gpu_on_numpy.py::test_shared[softshrink-float64]",
    "tests/ops/test_gpu_on_numpy.py::test_shared[softshrink_backward-float32]",
    "tests/ops/gpu/test_program.py::test_every_function_is_captured_or_cannot_be",
    "tests/ops/gpu/test_program.py::test_a_call_does_the_same_in_a_graph[softshrink]",
    "tests/cli/test_cli.py::test_every_command_has_help_and_an_example[darknet kinds]",
    "tests/cli/test_command.py::test_all_commands_are_of_this_kind",
    "tests/cli/test_command.py::test_every_command_stands_in_one_section_of_the_help",
)
"""What every layer, op and command has to pass."""


def test_the_examples_pass_their_tests(copy: Path) -> None:
    own = sorted(path for path in NEW if path.startswith("tests/"))
    run(copy, "pytest", "-q", "-p", "no:cacheprovider", *own, *OF_THE_HOUSE)


def test_the_examples_are_in_the_style_of_the_house(copy: Path) -> None:
    touched = sorted({example.path for example in EXAMPLES} - {"README.md"})
    run(copy, "ruff", "check", "--no-cache", *touched)
    run(copy, "ruff", "format", "--no-cache", "--check", *touched)


def test_an_example_whose_place_is_gone_is_noticed(tmp_path: Path) -> None:
    assert changed("a\nb\nd\n", " b\n+c\n d\n") == "a\nb\nc\nd\n"
    assert changed("a\nb\n", "-a\n+c\n b\n") == "c\nb\n"
    for text in ("a\nd\n", "b\nd\nb\nd\n", "bb\nd\n"):
        with pytest.raises(AssertionError, match=r"not once, but [02] times"):
            changed(text, " b\n+c\n d\n")
    (tmp_path / "there.py").touch()
    with pytest.raises(AssertionError, match="it exists"):
        put(Example("python", "there.py", ""), tmp_path)


# What the pages name


def named_paths(text: str) -> set[str]:
    """Files and folders in backquotes or links; cfg/tiny.cfg of a command is none."""
    quoted = re.findall(r"`([\w./]+)`", text) + re.findall(r"\]\(([\w./]+)\)", text)
    return {path for path in quoted if re.search(r"\w\.(py|md|svg|cfg)$|/$", path)}


def is_there(path: str) -> bool:
    """As a path of the project, of the package or of ops/cpu, or beside the pages; a bare name, as
    that of any file."""
    if any((place / path).exists() for place in (ROOT, PACKAGE, CPU, ROOT / "docs")):
        return True
    return "/" not in path and any(PACKAGE.rglob(path))


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_are_there(page: str) -> None:
    named = named_paths(PAGES[page])
    assert len(named) > 5
    assert sorted(path for path in named - NEW if not is_there(path)) == []


def test_paths_are_found() -> None:
    text = "`ops/graph.py`, [a](b.md), `tests/golden/`, `Model`, `net.say`, `x / y`"
    assert named_paths(text) == {"ops/graph.py", "b.md", "tests/golden/"}
    assert is_there("layers/base.py")
    assert is_there("compile/lower.py")
    assert is_there("cost.py")
    assert not is_there("compile/cost.py")
    assert not is_there("nothing.py")


def test_every_pass_is_described_in_its_order() -> None:
    section = PAGES["kernels.md"].split("\n## The passes\n")[1].split("\n## ")[0]
    described = re.findall(r"^\d+\. `(\w+)`: ", section, re.MULTILINE)
    assert described == [each.__name__ for each in PASSES]


def test_every_file_of_the_compiler_is_named() -> None:
    words = PAGES["kernels.md"]
    files = [path for path in CPU.rglob("*.py") if path.parent != CPU and path.stem != "__init__"]
    assert len(files) > 30
    assert sorted(path.name for path in files if f"{path.name}`" not in words) == []


def test_the_readme_leads_to_the_pages() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page for page in PAGES if f"](docs/{page})" not in readme] == []

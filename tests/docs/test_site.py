"""The site: its pages' code runs as it stands, and they hold nothing that no test reads."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path

import pytest

import darknet_py
from darknet_py.tasks.published import PUBLISHED
from tests.support.cifar import write_archive
from tests.support.site import DOCS, ORDERS, ROOT, Reader, blocks, commands, is_installation, set_up

OF_CONTRIBUTORS = {"adding.md", "architecture.md", "gpu-report.md", "kernels.md"}
"""Held by tests/test_docs.py, or written by a script."""
PAGES = sorted(
    path
    for path in DOCS.rglob("*.md")
    if path.name not in OF_CONTRIBUTORS and "_build" not in path.parts
)
NAMES = [str(path.relative_to(DOCS)) for path in PAGES]
WITH_CODE = [path for path in PAGES if blocks(path.read_text())]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda path: str(path.relative_to(DOCS)))
def test_a_reader_can_work_through_a_page(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(tmp_path)
    monkeypatch.setenv("DARKNET_WEIGHTS_DIR", str(tmp_path / "fetched"))
    monkeypatch.setattr(urllib.request, "urlretrieve", lambda _, path: write_archive(path))
    reader = Reader(tmp_path)
    for block in blocks(page.read_text()):
        reader.read(block)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_all_code_of_a_page_is_in_blocks_that_are_run(page: Path) -> None:
    text = page.read_text()
    assert not re.search(r"\n\n    \S", re.sub(r"(?m)^ *([-*]|\d+\.) .*(\n\n?  +.*)*", "", text))
    for block in blocks(text):
        assert block.language in ("sh", "python", "ini", "text", "json", "csv"), block.line
        assert set(block.orders) <= {*ORDERS}, block.line
        if block.language == "text":
            assert not re.match(r"\$ |darknet ", block.text), block.line


def test_tutorials_begin_with_the_installation_and_end_with_a_picture() -> None:
    pages = [path for path in PAGES if path.parent.name == "tutorials" and path.stem != "index"]
    assert len(pages) == 5
    for page in pages:
        first = blocks(page.read_text())[0]
        assert commands(first)[0] == "pip install darknet-toolkit", page.name
        assert re.search(r"^!\[", page.read_text(), re.MULTILINE), page.name


def test_every_section_of_the_help_has_its_page_of_commands() -> None:
    from darknet_py.cli import darknet

    pages = (DOCS / "reference" / "commands").glob("*.md")
    text = "".join(path.read_text() for path in pages)
    named = re.findall(r"```\{commands\} (.*)", text)
    assert sorted(named) == sorted(title for title, _ in darknet.sections)


def test_every_public_name_is_in_the_python_reference() -> None:
    page = (DOCS / "reference" / "python.md").read_text()
    named = re.findall(r"^\.\. auto\w+:: darknet_py\.(\w+)$", page, re.MULTILINE)
    assert sorted(named) == sorted([*darknet_py.__all__, "darknet"])


def test_every_network_has_its_row() -> None:
    page = (DOCS / "reference" / "networks.md").read_text()
    rows = re.findall(r"^\| `(.*?)` \|", page, re.MULTILINE)
    assert sorted(rows) == sorted(path.stem for path in (ROOT / "cfg").glob("*.cfg"))


def test_the_accuracies_are_those_of_the_published_weights() -> None:
    page = (DOCS / "reference" / "networks.md").read_text()
    for name, published in PUBLISHED.items():
        (row,) = re.findall(rf"^\| `{name}` \|(.*)", page, re.MULTILINE)
        told = re.search(r"top-1 ([\d.]+ %)", published.about)
        assert told is None or told[1] in row, name


def test_installations_are_what_the_program_is_called() -> None:
    project = re.search(r'^name = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert project
    for page in WITH_CODE:
        for block in blocks(page.read_text()):
            if block.language == "sh":
                for command in filter(is_installation, commands(block)):
                    if command.startswith("pip install"):
                        assert re.search(rf"{project[1]}|nvidia-|-e |tensorboard", command), command


def test_blocks_are_found_with_what_stands_before_them() -> None:
    page = "text\n\n% run: --a 1\n% before: b\n```sh\na \\\n  b\n# c\nd\n```\n\n"
    (block,) = blocks(page + "```{toctree}\nx\n```\n")
    assert (block.language, block.line) == ("sh", 5)
    assert block.orders == {"run": ["--a 1"], "before": ["b"]}
    assert commands(block) == ["a    b", "d"]


def test_what_is_wrong_in_a_page_is_noticed(tmp_path: Path) -> None:
    set_up(tmp_path)
    reader = Reader(tmp_path)

    def read(page: str) -> None:
        for block in blocks(page):
            reader.read(block)

    read(
        "```sh\necho 3 pictures of 2 classes\n```\n```text\n12 pictures  of 0.5 classes\n...\n```\n"
    )
    with pytest.raises(AssertionError, match="is not in"):
        read("```sh\necho 3 pictures\n```\n```text\n3 photos\n```\n")
    with pytest.raises(AssertionError, match="No such command"):
        read("```sh\ndarknet clasify\n```\n")
    with pytest.raises(NameError):
        read("```python\nx = 1\n```\n```python\ny\n```\n")
    with pytest.raises(AssertionError, match="is not used"):
        read("```ini\n[net]\nburn_inn=3\n```\n")
    with pytest.raises(AssertionError, match="a block of 'bash'"):
        read("```bash\nls\n```\n")
    with pytest.raises(AssertionError, match="not before text"):
        read("% run: -q\n\ntext\n")

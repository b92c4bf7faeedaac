"""The README's examples run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_python_examples_run(
    number: int, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("cfg", "data"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    code = EXAMPLES[number]
    if "tiny.weights" in code:
        data: Path = request.getfixturevalue("test_data")
        (tmp_path / "tiny.weights").symlink_to(data / "tiny.weights")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, f"README.md example {number + 1}", "exec"), {})


def test_the_readme_names_every_network() -> None:
    listed = re.search(r"`cfg/` holds (.*?)\.\n", TEXT, re.DOTALL)
    assert listed
    words = listed[1].replace("\n", " ")
    for path in (ROOT / "cfg").glob("*.cfg"):
        family, number = re.fullmatch(r"(resne[x]?t|)(.*?)(-32x4d)?", path.stem).groups()[:2]  # type: ignore[union-attr]
        assert (number if family else path.stem) in words, path.name


def test_the_ops_table_is_what_the_program_prints(capsys: pytest.CaptureFixture[str]) -> None:
    from darknet_py.cli import darknet

    table = re.search(r"\$ \./darknet (ops .*)\n((?:    .*\n)+)", TEXT)
    assert table
    names = [str(ROOT / word) if "/" in word else word for word in table[1].split()]
    darknet.main(names, standalone_mode=False)
    printed = capsys.readouterr().out.replace(f"{ROOT}/", "")
    assert [line.split() for line in printed.splitlines()] == [
        line.split() for line in table[2].splitlines()
    ]


def test_the_example_of_scripts_test_selects_something() -> None:
    example = re.search(r"scripts/test (tests/\S+) -k (\w+)", TEXT)
    assert example
    names = [path.stem for path in (ROOT / example[1]).glob("test_*.py")]
    assert any(example[2] in name for name in names)


OF_OTHERS = (
    "scream.jpg",
    "dog.jpg",
    "picture.jpg",
    "photo.jpg",
)  # dreams are on one's own pictures


def test_pictures_that_the_readme_names_are_shipped() -> None:
    commands = re.findall(
        r"^    (?:./darknet weights fetch tiny && )?\./darknet (.*)$", TEXT, re.MULTILINE
    )
    words = [word for command in commands for word in command.split("#")[0].split()]
    named = [word for word in words if re.fullmatch(r"[\w/.-]+\.(png|jpg)", word)]
    missing = [word for word in named if not (ROOT / word).exists()]
    assert not [word for word in missing if "/" in word and not word.startswith("photos/")]
    assert len(named) > len(missing)

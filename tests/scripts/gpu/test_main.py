"""The command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.gpu import main as main_module
from scripts.gpu.main import main
from scripts.gpu.nightmare import TASK
from scripts.gpu.parts import Take
from scripts.gpu.plan import PARTS, Settings
from scripts.gpu.rows import (
    Case,
    Compared,
    Dreamed,
    Failure,
    Row,
    Suite,
)
from tests.scripts.gpu.rows import ROOT


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Those that main has measured: each gives a row, or as many as a test puts into ROWS_OF."""
    asked: list[str] = []

    def run_part(part: str, settings: Settings, take: Take) -> None:
        asked.append(f"{part} {settings.device} {settings.seconds:g}")
        for row in ROWS_OF.get(part, []):
            take(row)

    monkeypatch.setattr(main_module, "run_part", run_part)
    monkeypatch.setattr(main_module, "NEEDS", {})  # nothing is measured
    return asked


ROWS_OF: dict[str, list[Row]] = {
    "nightmare": [Dreamed(TASK, "a", 0.5)],
    "accuracy": [Case("forward", "route", "tf32", 1e-4)],
}


def test_only_some_parts_and_others_stay_in_the_report(
    parts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "report.md"
    common = ["--device", "cpu", "-o", str(output)]
    assert main([*common, "--only", "nightmare", "--seconds", "0.5"]) == 0
    assert parts == ["nightmare cpu 0.5"]
    assert main([*common, "--only", "tests", "--only", "accuracy"]) == 0
    assert parts[1:] == ["accuracy cpu 1.5", "tests cpu 1.5"]
    text = output.read_text()
    assert "## A nightmare" in text
    assert "## Against the C program" in text
    captured = capsys.readouterr()
    assert captured.out == f"{output}\n" * 2
    assert "Dreamed(what=" in captured.err
    # all parts: nothing stays
    assert main(common) == 0
    assert [line.split()[0] for line in parts[3:]] == list(PARTS)


@pytest.mark.parametrize(
    "row",
    [
        Failure("nightmare", "a", "MemoryError"),
        Dreamed(TASK, "a", 1.5),
        Suite(False, "1 failed", []),
        Compared("inference", "tiny", 1, "exact", 2e-4, None, {}),
    ],
)
def test_what_is_missed_makes_the_exit_code_1(
    parts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: Row
) -> None:
    monkeypatch.setitem(ROWS_OF, "nightmare", [row, *ROWS_OF["nightmare"]])
    output = tmp_path / "report.md"
    common = ["--device", "cpu", "-o", str(output)]
    assert main([*common, "--only", "nightmare"]) == 1
    assert "| a nightmare of vgg-conv" in output.read_text()
    # what another run has missed is that one's
    assert main([*common, "--only", "accuracy"]) == 0


def test_the_report_is_there_after_each_row(
    parts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_part(part: str, settings: Settings, take: Take) -> None:
        take(Dreamed(TASK, "a", 0.5))
        raise KeyboardInterrupt

    monkeypatch.setattr(main_module, "run_part", run_part)
    with pytest.raises(KeyboardInterrupt):
        main(["--device", "cpu", "-o", str(tmp_path / "report.md")])
    assert "| 0.50 |" in (tmp_path / "report.md").read_text()


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--only", "speeed"])
    assert ended.value.code == 2
    assert "'speeed'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "/none/such/report.md"], "/none/such/report.md.json: cannot be written"),
        (["--device", "tpu"], "no such device: 'tpu'"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_measured(
    parts: list[str], capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["--device", "cpu", *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(message)
    assert not parts


def test_a_package_that_is_missing(
    parts: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(main_module.NEEDS, "speed", "no_such_package")
    assert main(["--device", "cpu"]) == 1
    assert capsys.readouterr().err.startswith("speed needs no_such_package: pip install")
    assert not parts


def test_without_a_gpu_it_says_why(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "gpu_report"
    options: list[str | Path] = [
        "--device",
        "gpu:999",
        "--only",
        "accuracy",
        "-o",
        tmp_path / "report.md",
    ]
    done = subprocess.run(
        [sys.executable, script, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "GPU" in line
    assert not list(tmp_path.iterdir())


def test_no_report_yet() -> None:
    """README says that no GPU has been seen; who adds a report changes that line, and this test."""
    has_report = (ROOT / "docs" / "gpu-report.md").exists()
    says_none = "No machine with a GPU has run this yet" in (ROOT / "README.md").read_text()
    assert has_report != says_none

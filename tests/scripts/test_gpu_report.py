"""The report on a GPU, where there is none: figures on the stand-in, times on the CPU."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from darknet_py import ops
from darknet_py.errors import DarknetError, OutOfMemoryError
from darknet_py.images import load_image, save_image, store
from scripts.gpu import accuracy, first, loader, nightmare
from scripts.gpu import main as main_module
from scripts.gpu import tests as device_tests
from scripts.gpu.accuracy import GOLDEN, error_of, figures, measure
from scripts.gpu.goals import MET, MISSED, NETWORKS, UNKNOWN, WORKS, goals
from scripts.gpu.main import main
from scripts.gpu.nightmare import COMMAND, TASK
from scripts.gpu.parts import Take, run_workers
from scripts.gpu.plan import PARTS, Settings
from scripts.gpu.report import report
from scripts.gpu.results import Result, read_results, write_results
from scripts.gpu.rows import (
    Case,
    Compared,
    Dreamed,
    Failure,
    First,
    Loaded,
    Row,
    Suite,
    from_json,
)
from scripts.gpu.worker import work
from tests.ops.agreement import FORWARD
from tests.ops.cupy_stand_in import gpu_on_numpy

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def gpu() -> ModuleType:
    return gpu_on_numpy()


NAMES = sorted(path.stem for path in (GOLDEN / "forward").glob("*.npz"))
# those that the GPU's other tests do not compute; one activation stands for all
REST = [name for name in NAMES if name not in FORWARD and not name.startswith("act_")]


@pytest.mark.parametrize("name", [*REST, "act_stair"])
def test_figures(gpu: ModuleType, name: str) -> None:
    case = measure(gpu, "forward", name, "exact")
    assert case.is_good, case


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("train", "sgd_subdivisions"),
        ("train", "connected_bn"),
        ("train", "cost_sse"),
        ("dream", "vgg_like_41x27_layer5_thresh1"),
    ],
)
def test_figures_of_training_and_dreams(gpu: ModuleType, kind: str, name: str) -> None:
    case = measure(gpu, kind, name, "tf32")
    assert case.is_good, case


def test_limits() -> None:
    assert Case("forward", "a", "tf32", 1.9e-3).is_good
    assert not Case("forward", "a", "exact", 1.9e-3).is_good
    assert Case("train", "connected_bn", "exact", 1.9e-3).is_good
    assert not Case("forward", "a", "tf32", float("inf")).is_good


def test_an_error_that_is_no_number_is_infinite() -> None:
    assert error_of(np.array([np.nan]), np.array([1.0])) == float("inf")
    assert error_of(np.array([1.5, 0]), np.array([[2.0, 0]])) == 0.25


def compared(
    network: str,
    ratio: float = 2.5,
    error: float = 1e-3,
    work: tuple[str, int] = ("inference", 1),
    precision: str = "tf32",
) -> Compared:
    times = {"contiguous": 3.0 * ratio, "channels_last": 2.0 * ratio}
    return Compared(*(work[0], network, work[1]), precision, error, 2.0, times)


ROWS: list[Row] = [
    Suite(True, "9 passed, 1 skipped in 2.00s", ["SKIPPED [1] tests/a.py:1: needs b"]),
    Case("forward", "route", "tf32", 1e-4),
    Case("forward", "crop_test", "tf32", 3e-3),
    Case("train", "connected_bn", "exact", 1e-3),
    compared("tiny"),
    compared("tiny", error=0.5, work=("dream", 1)),
    compared("resnet50", error=3e-3),
    Compared("inference", "tiny", 1, "exact", 2e-5, None, {}),
    First("training", "resnet50", 64, 61.2, 7.31),
    Loaded("tiny", 64, 20.5, 10.0, 0.2, 9.9),
    Dreamed(TASK, "vgg-conv, layer 10, random weights", 0.5),
    Failure("speed", "training, darknet19", "OutOfMemoryError: a | b"),
]


def test_what_is_reported() -> None:
    text = report({"speed": Result(["2030-01-02, gpu: a GPU", "a host"], ROWS)})
    for line in (
        "- speed: 2030-01-02, gpu: a GPU; a host",
        "    SKIPPED [1] tests/a.py:1: needs b",
        "    9 passed, 1 skipped in 2.00s",
        "| forward | tf32 | 2 | 3.0e-03 | crop_test | 0.002 | crop_test |",
        "| train | exact | 1 | 1.0e-03 | connected_bn | 0.005 | none |",
        "| inference, tiny, 1 | tf32 | 2 | 7.5 | **5** | 2.50 | 1.0e-03 | 0.002 |",
        "| dream, tiny, 1 | tf32 | 2 | 7.5 | **5** | 2.50 | 5.0e-01 | none |",
        "| inference, resnet50, 1 | tf32 | 2 | 7.5 | **5** | 2.50 "
        "| **3.0e-03: beyond the limit** | 0.002 |",
        "| inference, tiny, 1 | exact |  |  |  |  | 2.0e-05 | 0.0001 |",
        "| training, resnet50, 64 | 61.2 | 7.3 |",
        "| tiny, 64 | 20 | 10 | 0.2 | 9.9 | 2.0 % |",
        f"| {TASK} | vgg-conv, layer 10, random weights | 0.50 |",
        r"| speed | training, darknet19 | OutOfMemoryError: a \| b |",
        "| a nightmare of vgg-conv in less than 1 s | 0.50 s (vgg-conv, layer 10, random weights) "
        "| met |",
    ):
        assert f"\n{line}\n" in text, line
    assert text.index("## Goals") < text.index("## Failures") < text.index("## Tests")


def test_a_report_of_a_part_has_no_empty_tables() -> None:
    text = report({"accuracy": Result(["a machine"], [Case("forward", "route", "tf32", 1e-4)])})
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Goals",
        "## Against the C program",
    ]


def test_rows_come_back_from_json(tmp_path: Path) -> None:
    results = {"speed": Result(["a machine"], ROWS)}
    write_results(tmp_path / "rows.json", results)
    assert read_results(tmp_path / "rows.json") == results
    assert read_results(tmp_path / "none.json") == {}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"speed": 3}', '{"speed": {"machine": [], "rows": [{"type": "X"}]}}']
)
def test_figures_that_are_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(text)
    with pytest.raises(DarknetError, match=r"rows\.json: is not what this program has written"):
        read_results(path)


# Goals


def states(rows: list[Row], words: str) -> list[str]:
    return [goal.state for goal in goals(rows) if words in goal.what]


def test_nothing_is_met_that_was_not_measured() -> None:
    assert {goal.state for goal in goals([])} == {UNKNOWN}


def test_speed_is_met_by_all_networks_in_each_precision() -> None:
    rows: list[Row] = [compared(name, 2.5) for name in NETWORKS]
    fast, twice = "inference, batch 1, at least as fast", "at least 2 times as fast"
    assert states(rows, fast) == [MET, UNKNOWN]
    assert states(rows, twice) == [MET, UNKNOWN]
    assert states(rows[1:], fast) == [UNKNOWN, UNKNOWN]
    assert states([*rows[1:], compared("tiny", 1.9)], twice) == [MISSED, UNKNOWN]
    assert states([*rows[1:], compared("tiny", 1.9)], fast) == [MET, UNKNOWN]
    assert states([*rows, compared("tiny", 0.9, precision="half")], fast) == [MET, MISSED]
    training: list[Row] = [compared(name, 1.0, work=("training", 64)) for name in NETWORKS]
    assert states(training, "training, batch 64, at least") == [MET, UNKNOWN]
    assert states(training, "inference, batch 64, at least") == [UNKNOWN, UNKNOWN]
    (figure,) = {goal.figure for goal in goals(rows) if fast in goal.what if goal.state == MET}
    assert figure == ", ".join(f"{name} 2.50 (channels_last)" for name in NETWORKS)


def test_the_better_layout_counts() -> None:
    row = Compared("inference", "tiny", 1, "tf32", 0.0, 2.0, {"contiguous": 3.0, "b": 5.0})
    assert (row.best, row.ratio) == ("contiguous", 1.5)


def test_answers_beyond_the_limit_are_missed() -> None:
    words = "PyTorch's answers within"
    good: list[Row] = [
        compared(name, work=work) for name in NETWORKS for work in (*WORKS, ("dream", 1))
    ]
    assert states(good, words) == [MET, UNKNOWN, UNKNOWN]
    assert states([*good, compared("tiny", error=3e-3)], words)[0] == MISSED
    # a rounding at a threshold decides
    assert states([*good, compared("tiny", error=1.0, work=("dream", 1))], words)[0] == MET
    exact = [Compared("inference", name, 1, "exact", 2e-5, None, {}) for name in NETWORKS]
    assert states([*exact], words) == [UNKNOWN, UNKNOWN, MET]
    assert states([*exact[1:], exact[0]._replace(error=2e-4)], words)[2] == MISSED
    assert states([compared("tiny", error=float("inf"))], words)[0] == MISSED


def test_all_figures_of_the_c_program_count() -> None:
    cases: list[Row] = [Case(kind, name, "tf32", 1e-3) for kind, name in figures()]
    words = "the C program's figures"
    assert states(cases, words) == [MET, UNKNOWN]
    assert states(cases[:-1], words) == [UNKNOWN, UNKNOWN]
    assert states([*cases[:-1], Case("dream", "a", "tf32", 3e-3)], words)[0] == MISSED
    (goal,) = (goal for goal in goals(cases) if words in goal.what and goal.state == MET)
    assert goal.figure.startswith(f"{len(cases)} of {len(cases)}; worst 1.0e-03 (")


def test_a_step_loses_what_it_waits_or_what_threads_slow() -> None:
    assert Loaded("tiny", 64, 20, 10.0, 0.4, 10.0).share == 0.04
    assert Loaded("tiny", 64, 20, 10.0, 0.1, 9.0).share == 0.1
    assert Loaded("tiny", 64, 20, 10.0, 0.0, 11.0).share == 0
    rows: list[Row] = [Loaded(name, 64, 20, 10.0, 0.4, 10.0) for name in ("tiny", "resnet18")]
    assert states(rows, "waiting for pictures") == [MET]
    assert states([*rows, Loaded("tiny", 64, 20, 10.0, 0.5, 10.0)], "waiting") == [MISSED]


def test_a_nightmare_counts_as_a_task() -> None:
    assert states([Dreamed(TASK, "a", 0.9)], "nightmare") == [MET]
    assert states([Dreamed(TASK, "a", 1.0)], "nightmare") == [MISSED]
    assert states([Dreamed(COMMAND, "a", 0.9)], "nightmare") == [UNKNOWN]


# Workers, and what becomes of rows that fail


def fails(error: BaseException) -> Any:
    def measure() -> Row:
        raise error

    return measure


def test_a_failing_row_does_not_lose_the_next() -> None:
    good = Case("forward", "route", "tf32", 1e-4)
    late = subprocess.TimeoutExpired("pytest", 3)
    plan = [
        ("skipped", fails(RuntimeError())),
        ("a", fails(OutOfMemoryError("out of memory:\n 3 MB", 1))),
        ("b", fails(MemoryError())),
        ("c", fails(late)),
        ("d", lambda: good),
    ]
    sent: list[Any] = []
    work("speed", plan, 1, sent.append)
    assert [each["begin"] for each in sent[::2]] == ["a", "b", "c", "d"]
    rows = [from_json(each) for each in sent[1::2]]
    assert rows == [
        Failure("speed", "a", "darknet_py.errors.OutOfMemoryError: out of memory: 3 MB"),
        Failure("speed", "b", "MemoryError"),
        Failure("speed", "c", f"subprocess.TimeoutExpired: {late}"),
        good,
    ]


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(RuntimeError):
        work("speed", [("a", fails(RuntimeError("illegal address")))], 0, list[Any]().append)


DYING = """
import json, os, sys
skip, rows = int(sys.argv[1]), sys.argv[2:]
for number, row in enumerate(rows[skip:], skip):
    print(json.dumps({"begin": f"row {number}"}), flush=True)
    if row == "fault":
        print(json.dumps({"fault": "RuntimeError: illegal address"}), flush=True)
    if row in ("fault", "dies"):
        os._exit(7)
    print(json.dumps({"type": "Dreamed", "what": row, "on": "a", "seconds": 1.0}), flush=True)
if rows[-1] == "late":
    sys.exit(3)
"""


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            ["good", "fault", "dies", "good"],
            [
                Dreamed("good", "a", 1.0),
                Failure("speed", "row 1", "RuntimeError: illegal address"),
                Failure("speed", "row 2", "the process ended with code 7"),
                Dreamed("good", "a", 1.0),
            ],
        ),
        # after its last row: there is nothing to go on with
        (
            ["late"],
            [Dreamed("late", "a", 1.0), Failure("speed", "", "the process ended with code 3")],
        ),
        (
            ["dies"] * 9,
            [
                *(Failure("speed", f"row {n}", "the process ended with code 7") for n in range(5)),
                Failure("speed", "", "given up after 5 processes"),
            ],
        ),
    ],
)
def test_a_worker_that_dies_loses_one_row(rows: list[str], expected: list[Row]) -> None:
    taken: list[Row] = []
    run_workers("speed", [sys.executable, "-c", DYING], rows, taken.append)
    assert taken == expected


def test_a_worker_says_rows_on_stdout_and_all_else_on_stderr() -> None:
    rows = list_worker("accuracy", str(2 * len(figures()) - 2), "cpu", "0")
    assert [next(iter(row)) for row in rows] == ["begin", "type"] * 2
    assert from_json(rows[-1]).is_good  # type: ignore[union-attr]


def test_a_worker_that_cannot_begin_says_why(capfd: pytest.CaptureFixture[str]) -> None:
    (row,) = list_worker("nothing", "0", "cpu", "0", code=1)
    assert row == {"fault": "ModuleNotFoundError: No module named 'scripts.gpu.nothing'"}
    assert "Traceback" in capfd.readouterr().err


def list_worker(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "scripts.gpu.worker", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, timeout=120
    )
    assert done.returncode == code
    return [json.loads(line) for line in done.stdout.splitlines()]


# The command


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


# Parts, on the CPU and as small as can be

CPU = Settings("cpu", 0.0)


def test_pytorchs_names_of_devices() -> None:
    devices = ("cpu", "gpu", "gpu:1")
    assert [Settings(device, 1.0).peer for device in devices] == ["cpu", "cuda:0", "cuda:1"]


def test_plans_have_the_rows_that_goals_ask_for() -> None:
    speed = pytest.importorskip("scripts.gpu.speed", reason="needs torch")
    names = [name for name, _ in speed.plan(CPU)]
    assert len(names) == len(set(names))
    for name in NETWORKS:
        for precision in ("tf32", "half"):
            for what, batch in WORKS:
                assert f"{what}, {name}, {batch}, {precision}" in names
        assert f"inference, {name}, 1, exact" in names
    assert len(list(loader.plan(CPU))) == 2
    assert len(list(accuracy.plan(CPU))) == 2 * len(figures())


@pytest.fixture(scope="module")
def speed() -> Any:
    return pytest.importorskip("scripts.gpu.speed", reason="needs torch")


@pytest.fixture(scope="module")
def subject(speed: Any) -> Any:
    return speed.make_subject("cifar_small", batch=4)


def test_answers_and_times(speed: Any, subject: Any) -> None:
    for row in (
        speed.inference(subject, 2, "tf32", CPU),
        speed.training(subject, "tf32", CPU),
    ):
        assert row.precision == "tf32"
        assert row.error < 1e-4, row
        assert row.ours > 0
        assert list(row.torch) == ["contiguous", "channels_last"]
        assert min(row.torch.values()) > 0


def test_whole_floats_are_compared_and_not_timed(speed: Any, subject: Any) -> None:
    row = speed.inference(subject, 1, "exact", CPU)
    assert row.error < 1e-5
    assert (row.ours, row.torch) == (None, {})


def test_another_network_is_beyond_the_limit(
    speed: Any, subject: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = speed.make_subject("cifar_small", batch=4)
    other.net.parameters()[-1].value[...] *= 1.5
    net = speed.our_network(other, "exact", CPU)
    monkeypatch.setattr(speed, "our_network", lambda *_: net)
    assert not speed.inference(subject, 1, "exact", CPU).is_good
    assert not speed.training(subject, "tf32", CPU).is_good


def test_answers_of_a_graph_count_too(speed: Any) -> None:
    """Ours is one from its second run on: a third answer that is wrong is seen."""
    answers = iter([2.0, 2.0, 3.0])
    assert speed._difference(lambda: next(answers), [lambda: 2.0, lambda: 2.0]) == 0.5


def test_a_network_that_ends_in_cost(speed: Any, tmp_path: Path) -> None:
    """As tiny does: its loss is a sum of squares."""
    cfg = tmp_path / "ends.cfg"
    text = (ROOT / "cfg" / "cifar_small.cfg").read_text()
    cfg.write_text(f"{text}\n[cost]\ntype=sse\n")
    row = speed.training(speed.make_subject(str(cfg), batch=4), "tf32", CPU)
    assert row.error < 1e-4, row


def test_half_is_for_gpus(speed: Any, subject: Any) -> None:
    with pytest.raises(DarknetError, match="half precision is for GPUs alone"):
        speed.inference(subject, 1, "half", CPU)


SMALL = """
[net]
width=12
height=10
channels=3
batch=2
[convolutional]
filters=6
size=3
pad=1
batch_normalize=1
activation=leaky
[avgpool]
[softmax]
"""


def test_half_precision_on_what_stands_in_for_a_gpu(
    speed: Any, gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.cfg").write_text(SMALL)
    small = speed.make_subject(str(tmp_path / "small.cfg"), batch=2)
    monkeypatch.setattr(ops, "for_device", lambda _: gpu)
    monkeypatch.setattr(Settings, "peer", "cpu")
    for row in (
        speed.inference(small, 2, "half", Settings("gpu", 0.0)),
        speed.training(small, "half", Settings("gpu", 0.0)),
    ):
        assert 0 < row.error <= row.limit == 5e-2
        assert row.is_good


def test_dreams(speed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "FULL_SIZE", (48, 40))
    row = speed.dream("cifar_small", 2, "tf32", CPU)
    assert row.error < 0.05
    assert min(row.ours, *row.torch.values()) > 0


def test_pictures_from_files() -> None:
    row = loader.loaded("cifar_small", 4, 8, CPU)
    assert row.files > 0
    assert row.memory > 0
    assert 0 <= row.waited <= row.files
    assert 10 < row.kilobytes < 40


def test_a_slow_loader_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that take long to decode are waited for, each time anew."""
    decoded = []

    def slow(path: Path) -> Any:
        decoded.append(path)
        time.sleep(0.02)
        return load_image(path)

    monkeypatch.setattr(store, "load_image", slow)
    row = loader.loaded("cifar_small", 4, 4, CPU)
    assert len(decoded) >= 4 * 6
    assert row.waited > 10
    assert row.share > 0.5


def test_nightmares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKNET_TEST_DATA", str(tmp_path / "nothing"))
    monkeypatch.setattr(nightmare, "SIZE", (64, 48))
    dream = nightmare.prepare("cifar_small", 1, "scream.jpg", tmp_path)
    about = "cifar_small, layer 1, scream.jpg, 10 steps, random weights, random picture of 64 x 48"
    assert dream.about == about
    found = nightmare.task(dream, CPU)
    assert (found.what, found.on) == (TASK, about)
    assert found.seconds > 0
    as_process = nightmare.command(dream, CPU)
    assert (as_process.what, as_process.on) == (COMMAND, about)
    assert as_process.seconds > found.seconds


def test_the_task_is_what_the_command_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from darknet_py.cli import darknet

    monkeypatch.setenv("DARKNET_TEST_DATA", str(tmp_path / "nothing"))
    monkeypatch.setattr(nightmare, "SIZE", (64, 48))
    dream = nightmare.prepare("cifar_small", 1, "scream.jpg", tmp_path)
    save_image(nightmare.ready(dream, "cpu")(), tmp_path / "task.png")
    files = [str(path) for path in (dream.cfg, dream.weights, dream.picture)]
    output = str(tmp_path / "command.png")
    words = ["nightmare", "--device", "cpu", "-o", output, *files, "1"]
    darknet.main(words, standalone_mode=False)
    task, command = (load_image(tmp_path / f"{name}.png") for name in ("task", "command"))
    assert np.array_equal(task, command)


def test_data_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cifar_small.weights").touch()
    (tmp_path / "scream.jpg").touch()
    monkeypatch.setenv("DARKNET_TEST_DATA", str(tmp_path))
    dream = nightmare.prepare("cifar_small", 1, "scream.jpg", tmp_path / "unused")
    assert dream.weights == tmp_path / "cifar_small.weights"
    assert dream.picture == tmp_path / "scream.jpg"
    assert dream.about == "cifar_small, layer 1, scream.jpg, 10 steps"


def test_first_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first, "CACHES", ())  # kernels are compiled elsewhere
    row = first.measure("training", "cifar_small", 2, CPU)
    assert row[:3] == ("training", "cifar_small", 2)
    assert min(row.compiled, row.kept) > 0


def test_first_runs_have_caches_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def seconds_of(arguments: list[str], environment: Any) -> float:
        seen.append(dict(environment))
        assert not seen[1:] or Path(environment["DARKNET_CACHE_DIR"]).is_dir()
        return float(len(seen))

    monkeypatch.setattr(first, "seconds_of", seconds_of)
    assert first.measure("inference", "tiny", 1, CPU) == ("inference", "tiny", 1, 1.0, 2.0)
    assert seen[0] == seen[1]
    assert set(seen[0]) == {"DARKNET_CACHE_DIR", "CUPY_CACHE_DIR", "CUDA_CACHE_PATH"}


def test_a_process_that_fails() -> None:
    code = "import os, sys; sys.exit(int(os.environ['DARKNET_CODE']))"
    assert first.seconds_of(["-c", code], {"DARKNET_CODE": "0"}) > 0
    with pytest.raises(subprocess.CalledProcessError):
        first.seconds_of(["-c", code], {"DARKNET_CODE": "3"})


def test_the_tests(tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert 0\n"
        "def test_left_out(): pytest.skip('needs a moon')\n"
    )
    found = device_tests.run((str(path),))
    assert not found.passed
    assert found.line.startswith("1 failed, 1 passed, 1 skipped")
    assert sorted(note.split()[0] for note in found.notes) == ["FAILED", "SKIPPED"]


@pytest.mark.parametrize(
    ("output", "code", "passed"),
    [
        ("..\n2 passed in 1s\n", 0, True),
        ("SKIPPED [1] a.py:3: needs a moon\n2 passed, 1 skipped in 1s\n", 0, True),
        ("SKIPPED [1] a.py:3: no GPU: none\n2 passed, 1 skipped in 1s\n", 0, False),
        ("ERROR a.py\n1 error in 1s\n", 2, False),
        ("", 3, False),
    ],
)
def test_tests_that_find_no_gpu_show_nothing(output: str, code: int, passed: bool) -> None:
    found = device_tests.read(output, code)
    assert found.passed == passed
    assert found.line == (output.splitlines() or ["pytest ended with code 3"])[-1]


def test_what_tests_without_a_gpu_say() -> None:
    """The words by which they are known."""
    words = f'pytest.skip(f"{device_tests.NO_GPU.removeprefix(": ")}{{error}}")'
    assert words in (ROOT / "tests" / "ops" / "test_gpu.py").read_text()

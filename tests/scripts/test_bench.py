"""scripts/bench: its builds for other frameworks agree with ours, and its figures are right."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darknet_py.network import Network
from scripts.benchmark.c_program import CProgram, read_speed
from scripts.benchmark.dreams import our_steps, sizes
from scripts.benchmark.errors import relative_error
from scripts.benchmark.graph import Dropout, Graph, Norm, UnsupportedError, fold
from scripts.benchmark.machine import describe_machine, machine_line
from scripts.benchmark.measure import Plan, calls, interleave
from scripts.benchmark.networks import GRADIENT, INFERENCE, TRAINING, find_cfg, with_batch
from scripts.benchmark.options import parse_options
from scripts.benchmark.peers import PACKAGES, PeerError, load_peers
from scripts.benchmark.pictures import random_pictures, random_truths
from scripts.benchmark.quiet import Load, Reading
from scripts.benchmark.results import OURS, Cell, Row, as_json, geometric_means
from scripts.benchmark.table import Table
from scripts.benchmark.walk import walk

SCRIPT = Path(__file__).parents[2] / "scripts/bench"

NET = "[net]\nwidth=13\nheight=11\nchannels=3\nbatch=2\n"
CONV = "[convolutional]\nfilters=8\nsize=3\npad=1\nactivation=leaky\n"
NORMED = CONV + "batch_normalize=1\n"
HALF = "[convolutional]\nfilters=6\nsize=3\npad=1\nstride=2\nactivation=relu\n"

CFGS = {
    "plain": CONV + "[avgpool]\n[softmax]\n[cost]\n",
    "normalised": NORMED + "[maxpool]\nsize=2\nstride=2\n" + NORMED + "[avgpool]\n[softmax]\n",
    "groups": CONV + "[convolutional]\nfilters=4\ngroups=4\nstride=2\nsize=5\nactivation=ramp\n",
    "logistic": "[convolutional]\nfilters=3\nsize=2\npadding=2\nactivation=logistic\n[logistic]\n",
    "pools": CONV + "[maxpool]\nsize=3\nstride=2\n[maxpool]\nsize=2\nstride=1\n[maxpool]\nsize=3\n"
    "stride=2\npadding=0\n",
    "pools with much padding": CONV + "[maxpool]\nsize=3\nstride=2\npadding=4\n",
    "connected": "[maxpool]\nsize=2\nstride=2\n[connected]\noutput=9\nactivation=relu\n[dropout]\n"
    "[connected]\noutput=6\nbatch_normalize=1\nactivation=linear\n[softmax]\ngroups=3\n",
    "a map after a vector": "[connected]\noutput=5\nactivation=leaky\n" + CONV,
    "crop": "[crop]\ncrop_width=8\ncrop_height=6\n" + CONV + "[crop]\ncrop_width=5\ncrop_height=5\n"
    "noadjust=1\n",
    "lrn": CONV
    + "[normalization]\nsize=5\nalpha=.5\nkappa=2\n[normalization]\nsize=3\nalpha=.3\nbeta=1\n",
    "route": CONV + CONV + "[route]\nlayers=-1,-2\n" + CONV + "[route]\nlayers=0\n" + CONV,
    "shortcut": CONV + NORMED + "[shortcut]\nfrom=-2\nactivation=leaky\n" + CONV,
    "shortcut, weighed": CONV + CONV + "[shortcut]\nfrom=-2\nalpha=.5\nbeta=-2\n",
    "shortcut from a larger map": CONV + HALF + "[shortcut]\nfrom=-2\nalpha=.7\n",
    "shortcut from more channels": HALF + CONV.replace("8", "3") + "[shortcut]\nfrom=0\nbeta=3\n",
    # the larger map comes last by way of a route
    "shortcut from a smaller map": CONV
    + HALF
    + "[route]\nlayers=0\n[shortcut]\nfrom=1\nalpha=.7\nbeta=2\n",
    "layers of their own": CONV + "[batchnorm]\n[activation]\nactivation=relu\n[route]\n"
    "layers=-1,-2,0\n",
    "softmax of pixels": CONV + "[softmax]\nspatial=1\ngroups=2\ntemperature=2\n",
    "softmax of a map": CONV + "[softmax]\ntemperature=3\n",
}


def network(tmp_path: Path, text: str, net: str = NET) -> Network:
    """With parameters all unlike their defaults."""
    path = tmp_path / "small.cfg"
    path.write_text(net + text)
    made = Network.from_cfg(path, "cpu")
    made.initialise()
    rng = np.random.default_rng(3)
    for parameter in made.parameters():
        if parameter.name != "weights":
            parameter.value[...] = rng.uniform(0.5, 1.5, parameter.shape)
    return made


def graph_of(tmp_path: Path, text: str) -> Graph:
    return walk(network(tmp_path, text))


def pictures(graph: Graph, n: int = 2) -> np.ndarray:
    return random_pictures(n, *graph.shape)


# The builds


@pytest.mark.parametrize("text", CFGS.values(), ids=CFGS)
def test_torch_agrees_at_every_layer(tmp_path: Path, text: str) -> None:
    pytest.importorskip("torch")
    from scripts.benchmark.torch_net import TorchNet
    from scripts.benchmark.torch_peer import infer

    net = network(tmp_path, text)
    graph = walk(net)
    x = pictures(graph)
    expected = net.activations(x)
    for build in (graph, fold(graph)):
        for channels_last in (False, True):
            for layer in range(len(net.layers)):
                found = infer(TorchNet(build.truncated(layer), channels_last=channels_last), x)()
                assert relative_error(found, expected[layer]) < 1e-5, layer


@pytest.mark.parametrize("package", ["onnxruntime", "cv2"])
@pytest.mark.parametrize("text", CFGS.values(), ids=CFGS)
def test_onnx_agrees(tmp_path: Path, text: str, package: str) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip(package)
    peer = {"onnxruntime": "onnxruntime", "cv2": "opencv"}[package]
    module = load_peers([peer], 1, print)[peer]
    net = network(tmp_path, text)
    graph = walk(net)
    x = pictures(graph)
    for build in module.SETTINGS.values():
        try:
            call = build(fold(graph), x)
        except PeerError as error:
            pytest.skip(f"{peer} cannot: {error}")
        for _ in range(2):
            assert relative_error(call(), net.activations(x)[-1]) < 1e-5


def test_training_agrees(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from scripts.benchmark.networks import Subject
    from scripts.benchmark.truth import true_training
    from scripts.benchmark.works import accumulated, scores_layer, training_errors

    for text in (CFGS["normalised"], CFGS["plain"]):
        net = network(tmp_path, text)
        subject = Subject("small", Path("small.cfg"), net, walk(net))
        graph = subject.graph.truncated(scores_layer(subject))
        x, y = pictures(graph), random_truths(2, net.outputs)
        truth = true_training(graph, x, y, exact=True)
        errors = training_errors(accumulated(subject, x, y), truth)
        assert set(errors) == {net.layers[-1].kind, "updates"}
        assert max(errors.values()) < 1e-4


def test_the_two_normalisations_differ_a_little(tmp_path: Path) -> None:
    """PyTorch's divides by n, darknet's by n - 1: each is compared with its own."""
    pytest.importorskip("torch")
    from scripts.benchmark.truth import true_training

    graph = graph_of(tmp_path, CFGS["normalised"]).truncated(3)
    x, y = pictures(graph), random_truths(2, 8)
    ours, theirs = (true_training(graph, x, y, exact=exact) for exact in (True, False))
    assert 1e-6 < relative_error(theirs["updates"], ours["updates"]) < 0.1


def test_gradient_agrees(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from scripts.benchmark.torch_peer import image_deltas
    from scripts.benchmark.truth import true_delta

    net = network(tmp_path, CFGS["normalised"] + CONV)
    graph = walk(net).truncated(2)
    x = pictures(graph)
    truth = true_delta(graph, x, 1.0)
    assert truth.any()
    assert relative_error(net.image_delta(x, 2, 1.0), truth) < 1e-5
    for call in image_deltas(fold(graph), x, 1.0).values():
        assert relative_error(call(), truth) < 1e-5


def test_dreams_agree(tmp_path: Path) -> None:
    """A step in each octave, by nightmare and by PyTorch."""
    pytest.importorskip("torch")
    from scripts.benchmark.torch_peer import all_dream_steps
    from scripts.benchmark.truth import true_dream

    net = network(tmp_path, CFGS["normalised"] + CONV)
    x = random_pictures(1, 3, 48, 60)
    graphs = [walk(net.resized(w=w, h=h)).truncated(2) for w, h in sizes(x)]
    truth = true_dream(graphs, x, 1.0)
    assert np.abs(truth - x).max() > 0.05
    assert relative_error(our_steps(net, x, 2, 1.0)(), truth) < 1e-3
    for call in all_dream_steps([fold(graph) for graph in graphs], x, 1.0).values():
        assert relative_error(call(), truth) < 1e-3


def test_a_call_may_do_several_things() -> None:
    (one, *_), (four, *_) = (calls(lambda: time.sleep(0.02), n)(0.01) for n in (1, 4))
    assert four < one / 2


def test_calibration_writes_into_the_network(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from scripts.benchmark.calibrate import calibrate

    net = network(tmp_path, NORMED + NORMED.replace("leaky", "linear"))
    for layer in net.layers:
        layer.parameters()[0].value[...] = 0  # biases
        layer.parameters()[1].value[...] = 1  # scales
    graph = walk(net)
    x = pictures(graph, 4)
    calibrate(graph, x)
    y = net.activations(x)[-1]
    np.testing.assert_allclose(y.mean((0, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(y.std((0, 2, 3)), 1, atol=1e-2)


def test_folding_leaves_no_normalisation_and_no_dropout(tmp_path: Path) -> None:
    folded = fold(graph_of(tmp_path, CFGS["connected"]))
    assert not folded.has(Norm, Dropout)
    assert len(folded.ends) == 5


def test_folding_leaves_a_normalisation_whose_input_is_read_elsewhere(tmp_path: Path) -> None:
    assert fold(graph_of(tmp_path, CFGS["layers of their own"])).has(Norm)


def test_a_layer_that_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match=r"layer 1 \[l2norm\]"):
        graph_of(tmp_path, CONV + "[l2norm]\n")
    with pytest.raises(UnsupportedError, match="activation=selu"):
        graph_of(tmp_path, CONV.replace("leaky", "selu"))
    with pytest.raises(UnsupportedError, match="size=4"):
        graph_of(tmp_path, "[normalization]\nsize=4\n")
    for key in ("antialiasing=1", "dilation=2\nsize=3", "stride_x=2"):
        with pytest.raises(UnsupportedError, match="two strides"):
            graph_of(tmp_path, f"[convolutional]\n{key}\n")
    for key in ("antialiasing=1", "maxpool_depth=1", "stride_x=2"):
        with pytest.raises(UnsupportedError, match="two strides"):
            graph_of(tmp_path, f"[maxpool]\n{key}\n")


@pytest.mark.parametrize("name", sorted({*INFERENCE, *TRAINING, *GRADIENT}))
def test_cfgs_are_there(name: str) -> None:
    assert find_cfg(name).is_file()


def test_a_cfg_gets_another_batch() -> None:
    text = "# c\n[net] # first\n batch = 128\nsubdivisions=4\nwidth=3\n[conv]\nbatch_normalize=1\n"
    assert [line for line in with_batch(text, 7).splitlines() if line] == [
        "# c",
        "[net] # first",
        "batch=7",
        "subdivisions=1",
        "width=3",
        "[conv]",
        "batch_normalize=1",
    ]


# Measuring


class Machine:
    """Whose other processes use what is in `others`, one value a look."""

    def __init__(self, *others: float) -> None:
        self.others = list(others)
        self.sum = 0.0
        self.looks = 0

    def read(self) -> Reading:
        """Every second look ends a span: then others have used something."""
        self.looks += 1
        if self.looks % 2 == 0 and self.others:
            self.sum += self.others.pop(0)
        return Reading(self.sum + self.looks, self.looks)  # our own time does not count


def no_sleep(_seconds: float) -> None:
    pass


def test_quiet_is_what_others_used() -> None:
    for used, quiet in ((0.0, True), (0.06, True), (0.08, False)):
        load = Load(Machine(used).read)
        assert load.was_quiet(load.mark(), elapsed=1.0) is quiet


def test_without_a_load_all_is_quiet() -> None:
    load = Load(None)
    assert load.was_quiet(load.mark(), 1)


def test_waits_for_a_quiet_moment() -> None:
    slept: list[float] = []
    Load(Machine(1, 1, 0, 1).read).wait(60, slept.append)
    assert len(slept) == 3
    slept.clear()
    Load(Machine(*[1] * 99).read).wait(1.5, slept.append)
    assert len(slept) == 10


def block_of(*times: float) -> Callable[[float], list[float]]:
    """A block of one call after the other."""
    left = list(times)
    return lambda _seconds: [left.pop(0)]


def test_disturbed_blocks_are_repeated() -> None:
    load = Load(Machine(0, 1, 0, 0).read)  # block, disturbed block, wait, block again
    blocks = {"a": block_of(1), "b": block_of(7, 2)}
    timings = interleave(blocks, Plan(rounds=1), load, no_sleep)
    assert (timings["a"].quiet, timings["a"].rejected) == ([1], 0)
    assert (timings["b"].quiet, timings["b"].rejected) == ([2], 1)
    assert not timings["b"].is_noisy
    assert timings["b"].median == 2


def test_a_busy_machine_gives_noisy_timings() -> None:
    load = Load(Machine(*[1] * 99).read)
    plan = Plan(rounds=2, max_tries=3, patience=0)
    timings = interleave({"a": block_of(1, 2, 3, 4)}, plan, load, no_sleep)
    assert timings["a"].is_noisy
    assert timings["a"].noisy == [3, 4]  # the last of three tries, then one try
    assert timings["a"].rejected == 4
    assert timings["a"].median == 3.5


def test_rounds_are_interleaved() -> None:
    order: list[str] = []

    def block(name: str) -> Callable[[float], list[float]]:
        def run(_seconds: float) -> list[float]:
            order.append(name)
            return [1.0]

        return run

    interleave({"a": block("a"), "b": block("b")}, Plan(rounds=2), Load(None), no_sleep)
    assert order == ["a", "b", "a", "b"]


def test_a_block_has_calls() -> None:
    times = calls(lambda: None)(0.001)
    assert len(times) >= 3
    assert sum(times) <= 0.1


# Figures


def row(**seconds: float) -> Row:
    cells = {name.replace("_", " "): Cell(value) for name, value in seconds.items()}
    return Row("inference", "tiny", 1, 224, 224, cells)


def test_ratio_is_the_best_peer_over_ours() -> None:
    found = row(ours=0.002, torch=0.008, torch_channels_last=0.004, opencv=0.005)
    assert found.best_peer == "torch channels last"
    assert found.ratio == 2
    best = found.best_of("torch")
    assert best is not None
    assert best.seconds == 0.004
    assert found.best_of("onnxruntime") is None
    assert row(ours=1).ratio is None


def test_geometric_mean_of_the_ratios() -> None:
    rows = [row(ours=1, torch=2), row(ours=1, torch=8), row(ours=1)]
    assert geometric_means(rows) == pytest.approx({"inference": 4})


def test_relative_error() -> None:
    truth = np.array([[0.0, -4.0]])
    assert relative_error(np.array([1, -4], np.float32), truth) == 0.25
    assert relative_error(np.zeros(2), np.zeros(2)) == 0
    assert np.isnan(relative_error(np.array([np.nan, 0]), truth))
    with pytest.raises(ValueError, match="compared"):
        relative_error(np.zeros(3), truth)


def test_table_lines_stand_in_columns() -> None:
    table = Table(["onnxruntime", "torch"])
    cells = {
        OURS: Cell(0.0012345, errors={"scores": 2e-6, "output": 1e-7}),
        "torch": Cell(0.5, noisy=True),
        "torch channels_last": Cell(0.01),
    }
    line = table.line(Row("inference", "densenet201", 16, 256, 256, cells))
    words = line.split()
    assert words[:6] == ["inference", "densenet201", "16", "1.234", "-", "10.0"]
    assert words[6:] == ["8.10", "torch", "channels_last", "2e-06", "-", "~"]
    for name in (OURS, "torch"):
        end = table.head.index(name) + len(name)
        assert line[end - 1] != " "
        assert line[end] == " "


def test_foot_says_what_the_mark_means() -> None:
    quiet = row(ours=1, torch=2)
    noisy = Row("training", "tiny", 1, 1, 1, {OURS: Cell(1, noisy=True)})
    table = Table(["torch"])
    assert table.foot([quiet])[0] == "inference: geometric mean of the ratios 2.00"
    assert not any("~" in line for line in table.foot([quiet]))
    assert any("~" in line for line in table.foot([quiet, noisy]))


def test_json_has_all() -> None:
    cells = {OURS: Cell(0.001, errors={"delta": 1e-6}), "torch": Cell(0.002, True, 0, 4)}
    rows = [Row("gradient", "tiny", 2, 224, 200, cells, layer=13)]
    found = json.loads(json.dumps(as_json({"threads": 2}, {"rounds": 5}, rows)))
    (only,) = found["rows"]
    assert only["picture"] == [224, 200]
    assert (only["layer"], only["noisy"], only["best_peer"], only["ratio"]) == (
        13,
        True,
        "torch",
        2,
    )
    assert only["contestants"][OURS]["milliseconds"] == 1
    assert only["contestants"][OURS]["errors"] == {"delta": 1e-6}
    assert only["contestants"]["torch"]["rejected_blocks"] == 4
    assert found["geometric_means"] == {"gradient": 2}


def test_machine_line_names_threads_and_versions() -> None:
    line = machine_line(describe_machine(3, ["no-such-package"]))
    assert "3 threads" in line
    assert f"numpy {np.__version__}" in line
    assert "no-such-package" not in line


# The C program


def test_reads_what_the_c_program_prints() -> None:
    text = "\n4 evals, 2.000000 Seconds\nFloating Point Operations: 0.98 Bn\n"
    assert read_speed(text) == 0.5
    assert read_speed("Segmentation fault") is None


def test_runs_the_c_program_from_its_folder(tmp_path: Path) -> None:
    program = tmp_path / "darknet"
    program.write_text('#!/bin/sh\npwd >&2\nprintf "\\n%d evals, 1.0 Seconds\\n" "$4"\n')
    program.chmod(0o755)
    for path in (tmp_path, program):
        assert CProgram(path, 1).block(find_cfg("tiny"))(3.0) == [pytest.approx(1 / 3)]


def test_says_how_the_c_program_failed(tmp_path: Path) -> None:
    program = tmp_path / "darknet"
    program.write_text("#!/bin/sh\necho out of memory >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(PeerError, match="ended with 3: out of memory"):
        CProgram(tmp_path, 1).block(find_cfg("tiny"))
    with pytest.raises(PeerError, match="no program"):
        CProgram(tmp_path / "nowhere", 1)


# The command line


def test_options() -> None:
    options = parse_options(["--networks", "tiny, resnet18", "--batches", "4", "--peers", ""])
    assert options.networks == ["tiny", "resnet18"]
    assert options.batches == [4]
    assert options.peers == []


@pytest.mark.parametrize(
    "arguments",
    [["--networks", "nothing"], ["--batches", "0"], ["--work", "sleep"], ["--peers", "caffe"]],
    ids=lambda arguments: arguments[0],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as found:
        parse_options(arguments)
    assert found.value.code == 2
    assert "expected" in (err := capsys.readouterr().err) or "there is no" in err


def test_a_missing_peer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGES, "torch", ("no_such_package",))
    said: list[str] = []
    assert load_peers(["torch"], 1, said.append) == {}
    (line,) = said
    assert "no_such_package" in line
    assert "pip install -e '.[bench]'" in line


def test_runs_without_peers(tmp_path: Path) -> None:
    cfg = tmp_path / "small.cfg"
    cfg.write_text(NET + CFGS["normalised"])
    out = tmp_path / "found.json"
    arguments: list[Any] = [
        *("--networks", cfg, "--batches", "1", "--training-batches", "2", "--layer", "0"),
        *("--peers", "", "--rounds", "1", "--max-tries", "1", "--seconds", "0.001"),
        *("--json", out),
    ]
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    works = [line.split()[0] for line in done.stdout.splitlines()[2:6]]
    assert works == ["inference", "training", "gradient", "dream"]
    assert len(json.loads(out.read_text())["rows"]) == 4
    assert "bench: training, " in done.stderr

"""Times beside those of PyTorch, on the CPU and as small as can be."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from darknet_py import ops
from darknet_py.errors import DarknetError
from scripts.gpu import accuracy, loader
from scripts.gpu.accuracy import figures
from scripts.gpu.goals import NETWORKS, WORKS
from scripts.gpu.plan import Settings
from tests.scripts.gpu.rows import CPU, ROOT


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

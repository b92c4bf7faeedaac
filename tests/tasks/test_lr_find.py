from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import TrainingError
from darknet_py.images import Dataset
from darknet_py.images.draw.chart import draw_chart
from darknet_py.network import Network
from darknet_py.tasks.data import open_data
from darknet_py.tasks.lr_find import DIVERGED, Probe, chart, suggest, sweep
from tests.support.shapes import CFG, draw_shapes

SGD = CFG.replace("optimizer=adam\n", "")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return open_data(
        draw_shapes(tmp_path_factory.mktemp("data") / "shapes", 40), share=0
    ).training()


def new_net(tmp_path: Path) -> Network:
    path = tmp_path / "shapes.cfg"
    path.write_text(SGD)
    net = Network.from_cfg(path, "cpu")
    net.initialise(1)
    return net


def contrived(noise: float = 0.0) -> list[Probe]:
    """2 up to about 1e-3, falling fastest at 1e-2, lowest at 1e-1, then climbing."""
    rng = np.random.default_rng(0)
    probes = []
    for number, rate in enumerate(np.geomspace(1e-6, 1, 100).tolist(), start=1):
        place = math.log10(rate)
        loss = 2 - 1.5 / (1 + math.exp(-4 * (place + 2))) + 6 * max(place + 1, 0) ** 2
        probes.append(Probe(number, rate, loss + noise * rng.standard_normal()))
    return probes


@pytest.mark.parametrize("noise", [0, 0.05])
def test_the_rate_at_which_the_loss_falls_fastest(noise: float) -> None:
    found = suggest(contrived(noise), 100)
    assert 0.005 < found.steepest < 0.02
    assert 0.05 < found.lowest < 0.15
    assert found.rate == min(found.steepest, found.lowest / 10)
    assert found.smoothed.shape == (100,)


def test_a_steep_end_is_not_suggested() -> None:
    losses = [2.0] * 60 + [1.0] + [1.9] * 39
    rates = np.geomspace(1e-6, 1, 100).tolist()
    found = suggest(
        [Probe(i, r, y) for i, (r, y) in enumerate(zip(rates, losses, strict=True))], 100
    )
    assert found.rate == found.lowest / 10 < found.steepest


def test_a_loss_that_never_falls() -> None:
    probes = [Probe(i, 1e-3 * i, 2.0 + 0.001 * (i % 3)) for i in range(1, 50)]
    with pytest.raises(TrainingError, match="the loss never falls between these rates"):
        suggest(probes, 50)
    with pytest.raises(TrainingError, match="no number after 3 of 50 batches: begin with a lower"):
        suggest(probes[:3], 50)


def loss_after(tmp_path: Path, shapes: Dataset, rate: float) -> float:
    """The mean loss of the last of 200 batches at one rate."""
    net = new_net(tmp_path)
    losses = [probe.loss for probe in sweep(net, shapes, rate, rate * 1.0001, 200)]
    return float(np.mean(losses[-10:])) if len(losses) == 200 else math.inf


def test_the_suggestion_trains_and_a_hundred_times_as_much_does_not(
    tmp_path: Path, shapes: Dataset
) -> None:
    probes = list(sweep(new_net(tmp_path), shapes, 1e-4, 10, 100))
    found = suggest(probes, 100)
    start = probes[0].loss
    assert loss_after(tmp_path, shapes, found.rate) < 0.8 * start
    assert loss_after(tmp_path, shapes, 100 * found.rate) > start


def test_the_sweep_ends_where_the_loss_has_climbed(tmp_path: Path, shapes: Dataset) -> None:
    net = new_net(tmp_path)
    probes = list(sweep(net, shapes, 1e-3, 1e6, 50))
    assert len(probes) < 50
    np.testing.assert_allclose(
        [probe.rate for probe in probes], np.geomspace(1e-3, 1e6, 50)[: len(probes)]
    )
    lowest = min(probe.loss for probe in probes)
    assert all(probe.loss < 100 * DIVERGED * lowest for probe in probes[:-1])
    again = list(sweep(new_net(tmp_path), shapes, 1e-3, 1e6, 50, workers=1))
    assert again == probes


def test_each_batch_is_trained_on_at_its_rate(tmp_path: Path, shapes: Dataset) -> None:
    net = new_net(tmp_path)
    weights = net.layers[0].parameters()[-1]
    before, moves = weights.value.copy(), []
    for _ in sweep(net, shapes, 1e-9, 1e-3, 4):
        moves.append(float(np.abs(weights.value - before).max()))
        before = weights.value.copy()
    # at a probe its own update is still to come: the first move is none
    assert moves[0] == 0
    assert moves[1] < moves[2] < moves[3]


def test_the_chart_has_the_rates_by_their_logarithm() -> None:
    probes = contrived()
    found = suggest(probes, 100)
    (panel,) = chart(probes, found)
    assert panel.log_x
    assert [one.name for one in panel.series] == [
        "loss of a batch",
        "smoothed",
        f"suggested: {found.rate:.2g}",
    ]
    assert panel.top is not None
    assert 2 <= panel.top <= 1.5 * found.smoothed.max()  # what explodes lies beyond
    axes = draw_chart([panel]).figure.axes[0]
    assert axes.get_xscale() == "log"
    (star,) = [line for line in axes.get_lines() if line.get_marker() == "*"]
    assert star.get_xdata().tolist() == [found.rate]


def test_a_picture_that_goes_bad_is_told(tmp_path: Path) -> None:
    data = open_data(draw_shapes(tmp_path / "shapes", 8), share=0).training()
    data.paths[5].write_bytes(b"")
    told: list[str] = []
    probes = list(
        sweep(
            new_net(tmp_path), data, 1e-6, 1e-5, 6, left_out=lambda error: told.append(str(error))
        )
    )
    assert len(probes) == 6
    assert [each.split(": ")[0] for each in told] == [str(data.paths[5])]

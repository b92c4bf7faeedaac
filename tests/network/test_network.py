from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError, DeviceError, WeightsError
from darknet_py.network import Network, load_network
from tests.support.golden import golden_names, golden_network, load_golden, relative_error
from tests.support.networks import (
    BRANCHED,
    CPU,
    FLOAT64,
    LAYERS,
    SMALL,
    make_network,
    pictures,
    truths,
    values,
)


@pytest.mark.parametrize("name", golden_names("dream"))
def test_dreams_are_the_c_programs(name: str, tmp_path: Path) -> None:
    figure = load_golden("dream", name)
    network = golden_network(figure, tmp_path)
    layer, thresh = int(figure["layer"]), float(figure["thresh"])
    output = network.activations(figure["x"][None])[layer][0]
    assert relative_error(output, figure["output"]) < 1e-5
    delta = network.image_delta(figure["x"], layer, thresh)
    assert relative_error(delta, figure["image_delta"]) < 1e-4
    batched = network.image_delta(figure["x"][None], layer, thresh)
    np.testing.assert_array_equal(batched, delta[None])


@pytest.mark.parametrize("tail", ["", "[cost]\n", "[cost]\n[cost]\n"])
def test_predict_gives_the_last_activation(tail: str) -> None:
    network = make_network(SMALL + LAYERS + tail)
    x = pictures(network, 5)
    y = network.predict(x)
    activations = network.activations(x)
    assert network.output_layer == 4
    assert network.outputs == 3
    assert y.shape == (5, 3)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, activations[-1], rtol=2e-6)  # fused otherwise
    np.testing.assert_allclose(y.sum(axis=1), np.ones(5), rtol=1e-6)
    assert [a.shape for a in activations[:4]] == [
        (5, 4, 6, 8),
        (5, 4, 3, 4),
        (5, 3, 3, 4),
        (5, 3, 1, 1),
    ]


def test_a_map_is_predicted_in_darknets_order() -> None:
    network = make_network(SMALL + "[convolutional]\nfilters=3\n")
    x = pictures(network, 2)
    np.testing.assert_array_equal(network.predict(x), network.activations(x)[0].reshape(2, -1))


def test_each_picture_is_predicted_by_itself() -> None:
    network = make_network(SMALL + LAYERS)
    x = pictures(network, 3)
    alone = np.concatenate([network.predict(x[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(network.predict(x), alone, rtol=1e-5)


def test_no_pictures_give_no_predictions() -> None:
    network = make_network(SMALL + LAYERS)
    assert network.predict(pictures(network, 0)).shape == (0, 3)


def test_a_vector_network() -> None:
    network = make_network("[net]\ninputs=5\n[connected]\noutput=3\nactivation=linear\n[softmax]\n")
    x = np.random.default_rng(0).random((4, 5)).astype(np.float32)
    biases, weights = (p.value for p in network.parameters())
    scores = np.exp(x @ weights.T + biases)
    expected = scores / scores.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-5)
    np.testing.assert_allclose(network.predict(x[:, :, None, None]), expected, rtol=1e-5)


def test_inputs_are_left_alone() -> None:
    network = make_network(SMALL + "batch=2\n" + LAYERS)
    x, y = pictures(network), truths(network)
    before = x.copy(), y.copy()
    network.predict(x)
    network.image_delta(x, 2, 0)
    network.train_step(x, y)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])


def test_predict_lets_intermediate_maps_go() -> None:
    network = make_network(
        "[net]\nheight=64\nwidth=64\nchannels=8\n"
        + "[convolutional]\nfilters=8\nactivation=relu\n" * 30
    )
    x = pictures(network, 4)
    network.predict(x)
    tracemalloc.start()
    try:
        network.predict(x)
        _, peak = tracemalloc.get_traced_memory()
        network.activations(x)
        _, all_kept = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * x.nbytes
    assert all_kept > 30 * x.nbytes


def test_nothing_is_kept_for_a_backward_that_never_comes() -> None:
    network = make_network(SMALL + "batch=2\n" + LAYERS)
    x, y = pictures(network), truths(network)
    before = [dict(vars(layer)) for layer in network.layers]
    for run in (
        lambda: network.predict(x),
        lambda: network.activations(x),
        lambda: network.image_delta(x, 2, 0),
        lambda: network.train_step(x, y),
    ):
        run()
        assert [vars(layer) for layer in network.layers] == before


def test_a_dreams_delta_is_a_gradient() -> None:
    """Of half the squares of the values that are dreamed of, which stay the same ones nearby."""
    network = make_network(SMALL + BRANCHED, FLOAT64)
    x = pictures(network, 2).astype(np.float64)
    layer, step = 9, 1e-6
    outputs = network.activations(x)[layer]
    limit = outputs.mean(axis=(1, 2, 3)) + 0.5 * outputs.std(axis=(1, 2, 3))
    chosen = outputs > limit[:, None, None, None]
    assert 0.1 < chosen.mean() < 0.5
    delta = network.image_delta(x, layer, 0.5)
    flat = x.reshape(-1)
    for place in np.random.default_rng(4).permutation(flat.size)[:40]:
        value = flat[place]
        sums = []
        for moved in (value + step, value - step):
            flat[place] = moved
            sums.append((network.activations(x)[layer][chosen] ** 2).sum() / 2)
        flat[place] = value
        gradient = (sums[0] - sums[1]) / (2 * step)
        assert delta.reshape(-1)[place] == pytest.approx(gradient, rel=1e-6, abs=1e-7)


def test_the_rate_is_that_of_the_batch_that_ends() -> None:
    """Batch 1 of burn_in=2 has a quarter of the rate, at power 2."""

    def change(keys: str) -> np.ndarray:
        network = make_network(SMALL + "learning_rate=.1\nbatch=2\ndecay=0\n" + keys + LAYERS)
        before = values(network)
        network.train_step(pictures(network), truths(network))
        return np.asarray(values(network)[2] - before[2])

    np.testing.assert_allclose(change("burn_in=2\npower=2\n"), change("") / 4, rtol=1e-2, atol=1e-6)


def test_save_and_load(tmp_path: Path) -> None:
    network = make_network(SMALL + LAYERS)
    network.train_step(pictures(network), truths(network))
    path = tmp_path / "some.weights"
    network.save_weights(path)
    again = Network(parse_sections(SMALL + LAYERS), "my.cfg", CPU)
    loaded = again.load_weights(path)
    assert again.seen == network.seen == loaded.header.seen == 1
    for one, other in zip(values(again), values(network), strict=True):
        np.testing.assert_array_equal(one, other)
    again.load_weights(path, clear=True)
    assert again.seen == 0
    again.save_weights(path)
    assert struct.unpack("<iiiQ", path.read_bytes()[:20]) == (0, 2, 0, 0)


@pytest.mark.parametrize("name", ["scales", "rolling_mean", "rolling_variance", "weights"])
def test_a_parameter_that_is_another_array_is_another_parameter(name: str) -> None:
    """Whatever of it was folded or packed before."""
    text = SMALL + "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\npad=1\n"
    network = make_network(text)
    x = pictures(network, 1)
    network.predict(x)
    (parameter,) = (p for p in network.parameters() if p.name == name)
    parameter.value = parameter.value * 2 + np.float32(0.1)
    found = network.predict(x)
    network.changed()
    np.testing.assert_array_equal(found, network.predict(x))


def test_outputs_of_some_layers() -> None:
    network = make_network(SMALL + LAYERS)
    x = pictures(network, 2)
    all_of_them = network.activations(x)
    for found, layer in zip(network.outputs_of(x, [3, 0]), (3, 0), strict=True):
        np.testing.assert_allclose(found.reshape(2, -1), all_of_them[layer].reshape(2, -1), 1e-5)


# load_network


def test_a_partial_file_leaves_the_rest_drawn(tmp_path: Path) -> None:
    network = make_network(SMALL + LAYERS)
    path = tmp_path / "some.weights"
    network.save_weights(path)
    first = 4 * sum(p.size for p in network.layers[0].parameters())
    path.write_bytes(path.read_bytes()[: 20 + first])
    cfg = tmp_path / "my.cfg"
    cfg.write_text(SMALL + LAYERS)
    with pytest.raises(WeightsError, match=r"is a partial file that ends before layer 2"):
        load_network(cfg, path, "cpu")
    partial = load_network(cfg, path, "cpu", partial=True)
    for one, other in zip(values(partial)[:2], values(network)[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(values(partial)[3], values(network)[3])
    partial.predict(pictures(partial, 1))


def test_load_network(tmp_path: Path) -> None:
    cfg = tmp_path / "my.cfg"
    cfg.write_text(SMALL + "filtres=3\n" + LAYERS)
    network = load_network(cfg, device="cpu")
    assert network.warnings == [f"{cfg}:5: [net] filtres= is not used"]
    assert network.predict(pictures(network, 1)).shape == (1, 3)
    with pytest.raises(CfgError, match="filtres= is not used"):
        load_network(cfg, device="cpu", strict=True)
    with pytest.raises(DeviceError, match="no such device: 'tpu'"):
        load_network(cfg, device="tpu")
    with pytest.raises(CfgError, match="no such file"):
        load_network(tmp_path / "none.cfg", device="cpu")

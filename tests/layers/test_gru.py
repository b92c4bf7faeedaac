from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError, ShapeError
from darknet_py.layers.gru import Gru
from darknet_py.network import Network
from tests.support.golden import golden_network, load_golden, relative_error
from tests.support.gradients import check_layer, make_layer

STEPS = 3
CFG = f"[net]\ninputs=4\ntime_steps={STEPS}\n[gru]\noutput=3\n"

# What the C program computes for the cfg, weights and x of tests/golden/forward/gru.npz as the
# last step of layer 0, which all steps before it reach.
LAST_STEP = """
    0.2636904 0.6079634 0.1746520 0.2459949 0.3641272
    0.6584046 0.4516837 0.4625229 0.4789392 0.4370300
    0.2967384 0.5986872 0.1354479 0.2665384 0.3296353
    0.6367008 0.4904919 0.5366471 0.4905909 0.3910669
"""

ops = devices.for_device("cpu")


def make_gru(keys: str = "") -> Gru:
    layer = make_layer(CFG + keys)
    assert isinstance(layer, Gru)
    return layer


def noise(batch: int, seed: int = 1) -> np.ndarray:
    """Sequences as rows, time the slower index."""
    return np.random.default_rng(seed).normal(size=(STEPS * batch, 1, 1, 4))


def forward(layer: Gru, x: np.ndarray, train: bool = False) -> np.ndarray:
    """As (steps, batch, outputs)."""
    y: np.ndarray = layer.forward(x, ops, train)[0]
    return y.reshape(STEPS, -1, 3)


def logistic(x: np.ndarray) -> np.ndarray:
    y: np.ndarray = 1 / (1 + np.exp(-x))
    return y


def test_forward_and_the_order_of_weights_are_the_c_programs(tmp_path: Path) -> None:
    figure = load_golden("forward", "gru")
    network = golden_network(figure, tmp_path)
    y = network.activations(figure["x"])[0]
    expected = np.array(LAST_STEP.split(), np.float32).reshape(2, 10)
    assert relative_error(y[-2:], expected) < 1e-6
    network.save_weights(tmp_path / "again.weights")
    assert (tmp_path / "again.weights").read_bytes() == figure["weights"].tobytes()


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize(
    ("keys", "n"),
    [
        ("", 6),
        ("tanh=1\n", 6),
        ("batch_normalize=1\n", 12),
        ("batch_normalize=1\ntanh=1\n", 12),
    ],
)
def test_gradients_are_exact_through_time(keys: str, n: int, train: bool) -> None:
    check_layer(CFG + keys, train=train, n=n)


def test_gradients_where_the_input_is_a_map() -> None:
    check_layer("[net]\nwidth=3\nheight=2\nchannels=2\ntime_steps=2\n[gru]\noutput=3\n", n=4)


@pytest.mark.parametrize("tanh", [0, 1])
def test_forward_is_the_docstrings(tanh: int) -> None:
    layer = make_gru(f"tanh={tanh}\n")
    values = [p.value for p in layer.parameters()]
    wz, wr, wh, uz, ur, uh = zip(values[1::2], values[::2], strict=True)
    x = noise(batch=1)
    state = np.zeros(3)
    for step, y in zip(x.reshape(STEPS, 4), forward(layer, x)[:, 0], strict=True):
        z = logistic(wz[0] @ state + wz[1] + uz[0] @ step + uz[1])
        r = logistic(wr[0] @ state + wr[1] + ur[0] @ step + ur[1])
        h = wh[0] @ (r * state) + wh[1] + uh[0] @ step + uh[1]
        state = z * state + (1 - z) * (np.tanh(h) if tanh else logistic(h))
        np.testing.assert_allclose(y, state, rtol=1e-12)


@pytest.mark.parametrize("train", [False, True])
def test_a_step_reaches_itself_and_later_ones_only(train: bool) -> None:
    layer, x = make_gru("batch_normalize=1\n"), noise(batch=4)
    before = forward(layer, x, train)
    x[4:8] += 1 + x[4:8] ** 2
    layer = make_gru("batch_normalize=1\n")
    after = forward(layer, x, train)
    np.testing.assert_array_equal(after[0], before[0])
    assert (np.abs(after - before)[1:].max(axis=(1, 2)) > 1e-3).all()


def test_sequences_do_not_meet() -> None:
    layer, x = make_gru(), noise(batch=4)
    order = [2, 0, 3, 1]
    permuted = x.reshape(STEPS, 4, 1, 1, 4)[:, order].reshape(x.shape)
    np.testing.assert_allclose(forward(layer, permuted), forward(layer, x)[:, order], rtol=1e-12)


def test_every_forward_begins_anew() -> None:
    layer, x = make_gru(), noise(batch=2)
    np.testing.assert_array_equal(forward(layer, x), forward(layer, x))


def test_each_step_is_normalised_by_itself_in_training() -> None:
    layer, x = make_gru("batch_normalize=1\n"), noise(batch=4)
    part = layer.update.from_input
    assert part.norm is not None
    mean, variance = part.norm.rolling_mean.value.copy(), part.norm.rolling_variance.value.copy()
    for step in x.reshape(STEPS, 4, 4) @ part.weights.value.T:
        mean = 0.99 * mean + 0.01 * step.mean(axis=0)
        variance = 0.99 * variance + 0.01 * step.var(axis=0, ddof=1)
    forward(layer, x, train=True)
    np.testing.assert_allclose(part.norm.rolling_mean.value, mean)
    np.testing.assert_allclose(part.norm.rolling_variance.value, variance)


def test_training_learns_to_remember() -> None:
    network = Network(
        parse_sections(
            "[net]\nbatch=8\ninputs=2\ntime_steps=3\nlearning_rate=.03\noptimizer=adam\n"
            "[gru]\noutput=8\ntanh=1\n[connected]\noutput=2\nactivation=linear\n[softmax]\n"
        ),
        "net.cfg",
        ops,
    )
    network.initialise()
    bits = np.random.default_rng(0).integers(0, 2, (3, 8))
    x = np.eye(2, dtype=np.float32)[bits].reshape(24, 2)
    y = np.eye(2, dtype=np.float32)[np.roll(bits, 1, axis=0)]
    y[0] = [1, 0]  # nothing comes before the first step
    losses = [network.train_step(x, y.reshape(24, 2)) for _ in range(80)]
    assert losses[0] > 0.3
    assert losses[-1] < 0.05


def test_rows_that_are_no_whole_sequences_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"time_steps=3 rows each, found 7 rows"):
        make_gru().forward(noise(batch=3)[:7], ops, False)[0]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("output=0", "output=0: expected a whole number of 1 or more"),
        ("output=x", "output=x: expected a whole number of 1 or more"),
    ],
)
def test_errors_say_where(key: str, expected: str) -> None:
    with pytest.raises(CfgError) as error:
        Network(parse_sections(f"[net]\ninputs=4\n[gru]\n{key}\n", "my.cfg"), "my.cfg", ops)
    assert str(error.value) == f"my.cfg:4: [gru] {expected}"


def test_defaults_table_and_operations() -> None:
    network = Network(parse_sections("[net]\ninputs=4\n[gru]\n"), "my.cfg", ops)
    (layer,) = network.layers
    assert isinstance(layer, Gru)
    assert layer.out_shape == (1, 1, 1)
    assert layer.is_vector
    assert layer.candidate.activation == "logistic"
    layer = make_gru()
    assert layer.describe() == "GRU Layer: 4 inputs, 3 outputs"
    assert layer.operations() == 2 * 3 * (3 * 4 + 3 * 3)


def test_the_order_of_weights_by_alexeyabs_rules() -> None:
    """Those of the input come first."""
    gru = make_layer(CFG, rules="alexeyab")
    assert isinstance(gru, Gru)
    gates = [gru.update, gru.reset, gru.candidate]
    expected = [*(gate.from_input for gate in gates), *(gate.from_state for gate in gates)]
    assert gru.products() == expected
    assert gru.parameters() == [p for product in expected for p in product.parameters()]

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError, ShapeError
from darknet_py.layers.lstm import Lstm
from darknet_py.network import Network
from tests.support.golden import golden_network, load_golden, relative_error
from tests.support.gradients import check_layer, make_layer

STEPS = 3
CFG = f"[net]\ninputs=4\ntime_steps={STEPS}\n[lstm]\noutput=3\n"

# What the C program computes for the cfg, weights and x of tests/golden/forward/lstm.npz as the
# last step of layer 0, which all steps before it reach.
LAST_STEP = """
    -0.1993258 0.0009446 -0.1321236 0.1919714 0.1240832
    0.0214432 -0.1678216 0.1080001 0.0013338 0.1738222
    0.2333511 -0.0946214 0.3073389 0.2623974 0.0522047
    0.0288578 -0.1888631 0.0173821 -0.1495970 0.1647929
"""

ops = devices.for_device("cpu")


def make_lstm(keys: str = "") -> Lstm:
    layer = make_layer(CFG + keys)
    assert isinstance(layer, Lstm)
    return layer


def noise(batch: int, seed: int = 1) -> np.ndarray:
    """Sequences as rows, time the slower index."""
    return np.random.default_rng(seed).normal(size=(STEPS * batch, 1, 1, 4))


def forward(layer: Lstm, x: np.ndarray, train: bool = False) -> np.ndarray:
    """As (steps, batch, outputs)."""
    y: np.ndarray = layer.forward(x, ops, train)[0]
    return y.reshape(STEPS, -1, 3)


def logistic(x: np.ndarray) -> np.ndarray:
    y: np.ndarray = 1 / (1 + np.exp(-x))
    return y


def test_forward_and_the_order_of_weights_are_the_c_programs(tmp_path: Path) -> None:
    figure = load_golden("forward", "lstm")
    network = golden_network(figure, tmp_path)
    y = network.activations(figure["x"])[0]
    expected = np.array(LAST_STEP.split(), np.float32).reshape(2, 10)
    assert relative_error(y[-2:], expected) < 1e-6
    network.save_weights(tmp_path / "again.weights")
    assert (tmp_path / "again.weights").read_bytes() == figure["weights"].tobytes()


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize(("keys", "n"), [("", 6), ("batch_normalize=1\n", 12)])
def test_gradients_are_exact_through_time(keys: str, n: int, train: bool) -> None:
    check_layer(CFG + keys, train=train, n=n)


def test_gradients_where_the_input_is_a_map() -> None:
    check_layer("[net]\nwidth=3\nheight=2\nchannels=2\ntime_steps=2\n[lstm]\noutput=3\n", n=4)


def test_forward_is_the_docstrings() -> None:
    layer = make_lstm()
    values = [p.value for p in layer.parameters()]
    wi, wf, wo, wg, ui, uf, uo, ug = zip(values[1::2], values[::2], strict=True)
    x = noise(batch=1)
    state = cell = np.zeros(3)
    for step, y in zip(x.reshape(STEPS, 4), forward(layer, x)[:, 0], strict=True):
        i = logistic(wi[0] @ state + wi[1] + ui[0] @ step + ui[1])
        f = logistic(wf[0] @ state + wf[1] + uf[0] @ step + uf[1])
        o = logistic(wo[0] @ state + wo[1] + uo[0] @ step + uo[1])
        g = np.tanh(wg[0] @ state + wg[1] + ug[0] @ step + ug[1])
        cell = f * cell + i * g
        state = o * np.tanh(cell)
        np.testing.assert_allclose(y, state, rtol=1e-12)


@pytest.mark.parametrize("train", [False, True])
def test_a_step_reaches_itself_and_later_ones_only(train: bool) -> None:
    layer, x = make_lstm("batch_normalize=1\n"), noise(batch=4)
    before = forward(layer, x, train)
    x[4:8] += 1 + x[4:8] ** 2
    layer = make_lstm("batch_normalize=1\n")
    after = forward(layer, x, train)
    np.testing.assert_array_equal(after[0], before[0])
    assert (np.abs(after - before)[1:].max(axis=(1, 2)) > 1e-3).all()


def test_sequences_do_not_meet() -> None:
    layer, x = make_lstm(), noise(batch=4)
    order = [2, 0, 3, 1]
    permuted = x.reshape(STEPS, 4, 1, 1, 4)[:, order].reshape(x.shape)
    np.testing.assert_allclose(forward(layer, permuted), forward(layer, x)[:, order], rtol=1e-12)


def test_every_forward_begins_anew() -> None:
    layer, x = make_lstm(), noise(batch=2)
    np.testing.assert_array_equal(forward(layer, x), forward(layer, x))


def test_each_step_is_normalised_by_itself_in_training() -> None:
    layer, x = make_lstm("batch_normalize=1\n"), noise(batch=4)
    part = layer.gates[0].from_input
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
            "[lstm]\noutput=8\n[connected]\noutput=2\nactivation=linear\n[softmax]\n"
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
        make_lstm().forward(noise(batch=3)[:7], ops, False)[0]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("output=0", "output=0: expected a whole number of 1 or more"),
        ("output=x", "output=x: expected a whole number of 1 or more"),
    ],
)
def test_errors_say_where(key: str, expected: str) -> None:
    with pytest.raises(CfgError) as error:
        Network(parse_sections(f"[net]\ninputs=4\n[lstm]\n{key}\n", "my.cfg"), "my.cfg", ops)
    assert str(error.value) == f"my.cfg:4: [lstm] {expected}"


def test_defaults_table_and_operations() -> None:
    network = Network(parse_sections("[net]\ninputs=4\n[lstm]\n"), "my.cfg", ops)
    (layer,) = network.layers
    assert layer.out_shape == (1, 1, 1)
    assert layer.is_vector
    layer = make_lstm()
    assert layer.describe() == "LSTM Layer: 4 inputs, 3 outputs"
    assert layer.operations() == 2 * 4 * (3 * 4 + 3 * 3)


def test_the_order_of_weights_by_alexeyabs_rules() -> None:
    """f, i, g, o, where the other program has i, f, o, g."""
    lstm = make_layer(CFG, rules="alexeyab")
    assert isinstance(lstm, Lstm)
    i, f, o, g = lstm.gates
    gates = [f, i, g, o]
    expected = [*(gate.from_state for gate in gates), *(gate.from_input for gate in gates)]
    assert lstm.products() == expected
    assert lstm.parameters() == [p for product in expected for p in product.parameters()]

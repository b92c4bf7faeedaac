from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError, ShapeError
from darknet_py.layers.rnn import Rnn
from darknet_py.network import Network
from tests.support.golden import golden_network, load_golden, relative_error
from tests.support.gradients import check_layer, make_layer

STEPS = 3
CFG = f"[net]\ninputs=4\ntime_steps={STEPS}\n[rnn]\noutput=3\n"

# What the C program computes for the cfg, weights and x of tests/golden/forward/rnn.npz as the
# last step of layer 0, which all steps before it reach.
LAST_STEP = """
    -0.9376037 -0.6460340 0.7209623 0.5599232 0.8820801
    0.6976359 0.9899495 0.9610499 -0.9973921 0.6561280
    -0.8997860 -0.8365515 0.9463704 0.6825801 0.4362625
    0.5043714 0.7443664 0.8984109 -0.9489541 0.8460754
"""

ops = devices.for_device("cpu")


def make_rnn(keys: str = "") -> Rnn:
    layer = make_layer(CFG + keys)
    assert isinstance(layer, Rnn)
    return layer


def noise(batch: int, seed: int = 1) -> np.ndarray:
    """Sequences as rows, time the slower index."""
    return np.random.default_rng(seed).normal(size=(STEPS * batch, 1, 1, 4))


def forward(layer: Rnn, x: np.ndarray, train: bool = False) -> np.ndarray:
    """As (steps, batch, outputs)."""
    y: np.ndarray = layer.forward(x, ops, train)[0]
    return y.reshape(STEPS, -1, 3)


def test_forward_and_the_order_of_weights_are_the_c_programs(tmp_path: Path) -> None:
    figure = load_golden("forward", "rnn")
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
        ("activation=tanh\n", 6),
        ("shortcut=1\n", 6),
        ("batch_normalize=1\nactivation=tanh\n", 12),
        ("batch_normalize=1\nshortcut=1\n", 12),
    ],
)
def test_gradients_are_exact_through_time(keys: str, n: int, train: bool) -> None:
    check_layer(CFG + keys, train=train, n=n)


def test_gradients_where_the_input_is_a_map() -> None:
    check_layer("[net]\nwidth=3\nheight=2\nchannels=2\ntime_steps=2\n[rnn]\noutput=3\n", n=4)


@pytest.mark.parametrize("shortcut", [0, 1])
def test_forward_is_the_docstrings(shortcut: int) -> None:
    layer = make_rnn(f"activation=tanh\nshortcut={shortcut}\n")
    input_b, input_w, self_b, self_w, output_b, output_w = (p.value for p in layer.parameters())
    x = noise(batch=1)
    state = np.zeros(3)
    for step, y in zip(x.reshape(STEPS, 4), forward(layer, x)[:, 0], strict=True):
        changed = np.tanh(input_w @ step + input_b) + np.tanh(self_w @ state + self_b)
        state = changed + shortcut * state
        np.testing.assert_allclose(y, np.tanh(output_w @ state + output_b), rtol=1e-12)


@pytest.mark.parametrize("train", [False, True])
def test_a_step_reaches_itself_and_later_ones_only(train: bool) -> None:
    layer, x = make_rnn("batch_normalize=1\n"), noise(batch=4)
    before = forward(layer, x, train)
    x[4:8] += 1 + x[4:8] ** 2
    layer = make_rnn("batch_normalize=1\n")
    after = forward(layer, x, train)
    np.testing.assert_array_equal(after[0], before[0])
    assert (np.abs(after - before)[1:].max(axis=(1, 2)) > 1e-3).all()


def test_sequences_do_not_meet() -> None:
    layer, x = make_rnn(), noise(batch=4)
    order = [2, 0, 3, 1]
    permuted = x.reshape(STEPS, 4, 1, 1, 4)[:, order].reshape(x.shape)
    np.testing.assert_allclose(forward(layer, permuted), forward(layer, x)[:, order], rtol=1e-12)


def test_every_forward_begins_anew() -> None:
    layer, x = make_rnn(), noise(batch=2)
    np.testing.assert_array_equal(forward(layer, x), forward(layer, x))


def test_each_step_is_normalised_by_itself_in_training() -> None:
    layer, x = make_rnn("batch_normalize=1\n"), noise(batch=4)
    norm = layer.input.norm
    assert norm is not None
    mean, variance = norm.rolling_mean.value.copy(), norm.rolling_variance.value.copy()
    for step in x.reshape(STEPS, 4, 4) @ layer.input.weights.value.T:
        mean = 0.99 * mean + 0.01 * step.mean(axis=0)
        variance = 0.99 * variance + 0.01 * step.var(axis=0, ddof=1)
    forward(layer, x, train=True)
    np.testing.assert_allclose(norm.rolling_mean.value, mean)
    np.testing.assert_allclose(norm.rolling_variance.value, variance)


def test_training_learns_to_remember() -> None:
    network = Network(
        parse_sections(
            "[net]\nbatch=8\ninputs=2\ntime_steps=3\nlearning_rate=.03\noptimizer=adam\n"
            "[rnn]\noutput=8\nactivation=tanh\n[connected]\noutput=2\nactivation=linear\n[softmax]\n"
        ),
        "net.cfg",
        ops,
    )
    network.initialise()
    bits = np.random.default_rng(0).integers(0, 2, (3, 8))
    x = np.eye(2, dtype=np.float32)[bits].reshape(24, 2)
    y = np.eye(2, dtype=np.float32)[np.roll(bits, 1, axis=0)]
    y[0] = [1, 0]  # nothing comes before the first step
    losses = [network.train_step(x, y.reshape(24, 2)) for _ in range(60)]
    assert losses[0] > 0.3
    assert losses[-1] < 0.05


def test_rows_that_are_no_whole_sequences_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"time_steps=3 rows each, found 7 rows"):
        make_rnn().forward(noise(batch=3)[:7], ops, False)[0]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("output=0", "output=0: expected a whole number of 1 or more"),
        ("activation=prelu", "activation=prelu is not computed here: expected one of"),
        ("logistic=1", "logistic=1 changes what the network answers"),
    ],
)
def test_errors_say_where(key: str, expected: str) -> None:
    with pytest.raises(CfgError) as error:
        Network(parse_sections(f"[net]\ninputs=4\n[rnn]\n{key}\n", "my.cfg"), "my.cfg", ops)
    assert str(error.value).startswith(f"my.cfg:4: [rnn] {expected}")
    assert "\n" not in str(error.value)


def test_defaults_table_and_operations() -> None:
    network = Network(parse_sections("[net]\ninputs=4\n[rnn]\nhidden=8\n", "my.cfg"), "my.cfg", ops)
    (layer,) = network.layers
    assert isinstance(layer, Rnn)
    assert layer.out_shape == (1, 1, 1)
    assert layer.is_vector
    assert {part.activation for part in (layer.input, layer.self, layer.output)} == {"logistic"}
    assert not layer.shortcut
    assert network.warnings == ["my.cfg:4: [rnn] hidden=8 is read as 1, as output"]
    layer = make_rnn()
    assert layer.describe() == "RNN Layer: 4 inputs, 3 outputs"
    assert layer.operations() == 2 * (3 * 4 + 3 * 3 + 3 * 3)

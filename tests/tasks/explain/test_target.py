from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import ShapeError
from darknet_py.network import Network
from darknet_py.tasks.explain.target import (
    check_map_layer,
    class_scores,
    last_map,
    repeated,
    score_delta,
    score_layer,
)
from tests.support.networks import CLASSIFIER, NET, make_network

CFG = Path(__file__).parents[3] / "cfg"


@pytest.mark.parametrize(
    ("name", "scores", "found"),
    [
        ("tiny", 20, 19),  # class maps, then [avgpool] [softmax] [cost]
        ("darknet19", 24, 23),
        ("resnet18", 27, 25),
        ("vgg-16", 23, 17),  # the last convolution, not the pooling after it
        ("alexnet", 12, 6),
        ("cifar_res", 12, 11),
        ("mnist", 6, 5),
    ],
)
def test_the_shipped_networks(name: str, scores: int, found: int) -> None:
    net = Network.from_cfg(CFG / f"{name}.cfg", "cpu")
    assert (score_layer(net), last_map(net)) == (scores, found)
    h, w, _ = net.layers[found].out_shape
    assert h * w > 1
    assert net.layers[scores].out_shape.size == net.outputs


def test_a_network_of_vectors() -> None:
    net = make_network("[net]\ninputs=5\n[connected]\noutput=3\n[softmax]\n")
    assert score_layer(net) == 0
    with pytest.raises(ShapeError, match="has no layer with a map before its scores"):
        last_map(net)


def test_layers_that_have_no_map() -> None:
    net = make_network(CLASSIFIER)
    for layer in range(4):
        check_map_layer(net, layer)
    for layer in (4, 5, 9, -1):
        with pytest.raises(ShapeError, match="is not before the scores: expected 0 to 3"):
            check_map_layer(net, layer)
    pooled = make_network(NET + "[avgpool]\n[connected]\noutput=3\n[softmax]\n")
    with pytest.raises(ShapeError, match="has no layer with a map"):
        check_map_layer(pooled, 0)
    twice = CLASSIFIER.replace("[softmax]", "[connected]\noutput=3\n[softmax]")
    with pytest.raises(ShapeError, match=r"layer 4 \[avgpool\] has one pixel: .* such as 3"):
        check_map_layer(make_network(twice), 4)


def test_deltas_and_batches() -> None:
    net = make_network(CLASSIFIER)
    assert score_delta(net, [2, 0]).tolist() == [[0, 0, 1, 0, 0], [1, 0, 0, 0, 0]]
    x = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    batch = repeated(x, 2)
    assert batch.flags.c_contiguous
    np.testing.assert_array_equal(batch, [x, x])


def test_one_sigmoid_output_has_the_scores_of_two_classes() -> None:
    net = make_network(NET + "[avgpool]\n[connected]\noutput=1\nactivation=linear\n[logistic]\n")
    assert score_delta(net, [1, 0]).tolist() == [[1], [-1]]
    x = np.random.default_rng(0).random((2, 3, 12, 16), np.float32)
    scores = class_scores(net, x)
    assert scores.shape == (2, 2)
    np.testing.assert_array_equal(scores[:, 1], net.output(x, score_layer(net)).reshape(2))
    np.testing.assert_array_equal(scores[:, 0], -scores[:, 1])

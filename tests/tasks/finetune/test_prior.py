from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.images import Dataset, Loader
from darknet_py.tasks.data import open_data
from darknet_py.tasks.finetune.prior import head_decay
from tests.support.shapes import draw_shapes
from tests.tasks.finetune.nets import HEAD, open_net, write_net


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return open_data(draw_shapes(tmp_path_factory.mktemp("d") / "shapes", 8), share=0).training()


def test_scores_have_a_variance_of_ten(tmp_path: Path, train: Dataset) -> None:
    """1 / (pictures x variance of a weight), where 16 features of that mean square are summed."""
    net = open_net(write_net(tmp_path)[0])
    net.load_weights(tmp_path / "base.weights")
    ((x, _),) = Loader(train, 16, 16, 1, 64, None).once()
    square = np.square(net.output(x, HEAD - 1).mean(axis=(2, 3))).mean()
    variance = 10 / (16 * square)
    found = head_decay(net, HEAD, train)
    assert found is not None
    assert found == pytest.approx(1 / (len(train) * variance), rel=1e-4)
    # whatever the scale of the features is: weights grow as they shrink
    for parameter in net.layers[HEAD - 1].parameters()[:2]:
        parameter.value *= 3
    net.changed()
    assert head_decay(net, HEAD, train) == pytest.approx(9 * found, rel=1e-3)


def test_features_that_say_nothing(tmp_path: Path, train: Dataset) -> None:
    net = open_net(write_net(tmp_path)[0])
    net.load_weights(tmp_path / "base.weights")
    for parameter in net.layers[HEAD - 1].parameters()[:2]:
        parameter.value[...] = 0
    net.changed()
    assert head_decay(net, HEAD, train) is None

from __future__ import annotations

import numpy as np
import pytest

from tests.support.gradients import check_layer, make_inputs, make_layer, ops

AVG = "[net]\nheight=5\nwidth=6\nchannels=3\n[avgpool]\n"


@pytest.mark.parametrize("train", [True, False])
def test_gradients(train: bool) -> None:
    check_layer(AVG, train=train)


def test_the_mean_of_each_channel() -> None:
    (x,) = make_inputs(AVG)
    y = make_layer(AVG).forward(x, ops, False)[0]
    assert y.shape == (2, 1, 1, 3)
    np.testing.assert_allclose(y[1, 0, 0, 2], x[1, :, :, 2].mean(), rtol=1e-12)


def test_table() -> None:
    layer = make_layer(AVG.replace("[avgpool]", "[avg]"))
    assert layer.kind == "avgpool"
    assert layer.describe() == "avg                        6 x   5 x   3   ->     3"

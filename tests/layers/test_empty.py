from __future__ import annotations

import numpy as np
import pytest

from tests.support.gradients import check_layer, make_inputs, make_layer, ops

NET = "[net]\nheight=4\nwidth=5\nchannels=2\n"


@pytest.mark.parametrize("name", ["empty", "silence"])
def test_it_is_its_input(name: str) -> None:
    text = f"{NET}[{name}]"
    layer, (x,) = make_layer(text), make_inputs(text)
    np.testing.assert_array_equal(layer.forward(x, ops, True)[0], x)
    assert layer.describe() == "empty"
    check_layer(text)

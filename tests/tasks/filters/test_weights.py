from __future__ import annotations

import numpy as np
import pytest

from darknet_py.errors import ShapeError
from darknet_py.tasks.filters import first_filters
from tests.support.networks import CLASSIFIER, make_network


def test_the_first_convolutions_weights_as_pictures() -> None:
    net = make_network(CLASSIFIER)
    found = first_filters(net)
    assert (found.layer, found.weights.shape) == (0, (6, 3, 3, 3))
    # (filters, size, size, c) within
    inside = net.layers[0].parameters()[-1].value
    np.testing.assert_array_equal(found.weights[4, 2, 1, 0], inside[4, 1, 0, 2])
    for picture, weights in zip(found.pictures(), inside, strict=True):
        assert (picture.min(), picture.max()) == (0, 1)
        expected = (weights - weights.min()) / (weights.max() - weights.min())
        np.testing.assert_allclose(picture, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("channels", "shape"), [(1, (3, 3, 1)), (2, (3, 6, 1)), (5, (3, 15, 1))])
def test_filters_of_other_channels(channels: int, shape: tuple[int, ...]) -> None:
    net = make_network(
        f"[net]\nheight=9\nwidth=9\nchannels={channels}\n[conv]\nfilters=2\nsize=3\n"
    )
    assert [picture.shape for picture in first_filters(net).pictures()] == [shape] * 2


def test_a_filter_that_is_all_one_is_black() -> None:
    net = make_network("[net]\nheight=9\nwidth=9\nchannels=1\n[conv]\nsize=3\n")
    net.layers[0].parameters()[-1].value[...] = 7
    assert not first_filters(net).pictures()[0].any()


def test_no_convolution() -> None:
    with pytest.raises(ShapeError, match=r"has no \[convolutional\] layer"):
        first_filters(make_network("[net]\ninputs=5\n[connected]\noutput=3\n"))

from __future__ import annotations

import numpy as np

from darknet_py.tasks.dream.options import DreamOptions
from darknet_py.tasks.dream.sheet import sheet, thumbnail_of, thumbnails, usable_layers
from tests.support.dreams import CFG, make_network, make_picture


def test_layers_up_to_the_first_that_takes_one_size() -> None:
    assert usable_layers(make_network(), 56, 40) == [0, 1, 2, 3, 4]
    assert usable_layers(make_network(), 32, 32) == [0, 1, 2, 3, 4, 6]


def test_a_thumbnail_for_each() -> None:
    network, picture = make_network(), make_picture()
    layers = usable_layers(network, 56, 40)
    found = list(thumbnails(network, picture, layers, DreamOptions(iters=2), 1.0))
    assert [each.caption for each in found] == [
        "0 convolutional",
        "1 maxpool",
        "2 convolutional",
        "3 maxpool",
        "4 convolutional",
    ]
    assert all(each.picture.shape == picture.shape for each in found)
    assert len({each.picture.tobytes() for each in found}) == 5
    drawn = sheet(picture, found)
    assert drawn.shape[2] == 3
    assert drawn.shape[0] * drawn.shape[1] > 6 * 40 * 56


def test_as_many_octaves_as_there_is_room_for() -> None:
    network = make_network(CFG.replace("pad=1", "pad=0"))
    found = list(
        thumbnails(network, make_picture(20, 20), [4], DreamOptions(iters=3, octaves=9), 1.0)
    )
    assert len(found) == 1


def test_large_pictures_become_small() -> None:
    assert thumbnail_of(np.zeros((500, 1000, 3), np.float32)).shape == (96, 192, 3)
    small = make_picture()
    assert thumbnail_of(small) is small

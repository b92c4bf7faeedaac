from __future__ import annotations

import pytest

from darknet_py.network.derived import averages, backbone_end
from tests.support.networks import CONV, FRONT, HEAD, NET, POINT, make_network

FROZEN = FRONT + "stopbackward=1\n"


@pytest.mark.parametrize(
    ("layers", "end"),
    [
        (FROZEN + HEAD, 2),
        (FRONT + HEAD, -1),
        # what draws at random in training belongs to the rear, and what is frozen does not draw
        (FROZEN + "[dropout]\n" + HEAD, 2),
        ("[dropout]\n" + FROZEN + HEAD, 3),
        # the rear may read the front's end alone
        (FROZEN + CONV.format(6) + "[shortcut]\nfrom=-2\n" + HEAD, 2),
        (FROZEN + "[route]\nlayers=1\n" + HEAD, 3),
        (FROZEN + CONV.format(6) + "[route]\nlayers=-1,1\n" + HEAD, 1),
        (FROZEN + "[maxpool]\nsize=2\nstride=2\n" + HEAD, 3),
    ],
)
def test_where_the_front_ends(layers: str, end: int) -> None:
    assert backbone_end(make_network(NET + layers).layers) == end


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (HEAD, True),
        ("[avgpool]\n" + POINT + "[softmax]\n", True),
        (HEAD.replace("linear", "leaky"), False),
        (HEAD.replace("size=1", "size=1\nstride=2"), False),
        (HEAD.replace("size=1", "size=1\npadding=1"), False),
        (HEAD.replace("size=1", "size=1\nbatch_normalize=1"), False),
        (HEAD.replace("size=1", "size=3\npad=1"), False),
        (POINT + "[softmax]\n", False),
        (POINT + "[avgpool]\n[route]\nlayers=-2\n[softmax]\n", False),
        (POINT + "[avgpool]\n[route]\nlayers=-3\n[softmax]\n", False),
    ],
)
def test_when_means_are_enough(rest: str, expected: bool) -> None:
    assert averages(make_network(NET + FROZEN + rest).layers, 2) is expected

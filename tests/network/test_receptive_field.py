"""What a layer sees of the picture, against what changes when a pixel does."""

from __future__ import annotations

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network
from darknet_py.network.receptive_field import ReceptiveField, receptive_field

NETS = {
    "[convolutional]\nsize=3\npad=1\n": ReceptiveField(1, 1, 1),
    "[convolutional]\nsize=5\n": ReceptiveField(1, 4, 1),
    "[convolutional]\nsize=3\npad=1\n[maxpool]\nstride=2\n[convolutional]\nsize=3\npad=1\nstride=2\n"
    "[maxpool]\nsize=3\nstride=1\n": ReceptiveField(4, 1 + 1 + 2 + 4, 4),
    "[convolutional]\nsize=3\npad=1\nstride=4\n[upsample]\nstride=2\n": ReceptiveField(2, 3, 4),
    "[convolutional]\nfilters=4\n[maxpool]\nstride=2\n[reorg]\nstride=2\n": ReceptiveField(4, 3, 4),
    "[maxpool]\nstride=4\n[upsample]\nstride=-2\n": ReceptiveField(8, 6, 8),
    "[crop]\ncrop_height=40\ncrop_width=40\nnoadjust=1\n": ReceptiveField(1, 4, 1),
    "[maxpool]\nstride=2\n[convolutional]\nsize=3\npad=1\n[route]\nlayers=0\n"
    "[shortcut]\nfrom=1\n": ReceptiveField(2, 3, 2),
}


def make(text: str, size: int = 48) -> Network:
    text = f"[net]\nheight={size}\nwidth={size}\nchannels=2\n{text}"
    network = Network(parse_sections(text), "my.cfg", devices.for_device("cpu"))
    network.initialise(0)
    return network


@pytest.mark.parametrize(("text", "expected"), NETS.items())
def test_windows_add_up(text: str, expected: ReceptiveField) -> None:
    network = make(text)
    assert receptive_field(network.layers, len(network.layers) - 1) == expected


@pytest.mark.parametrize("text", [text for text in NETS if "reorg" not in text])
def test_nothing_is_seen_beyond(text: str) -> None:
    network = make(text)
    last = len(network.layers) - 1
    found = receptive_field(network.layers, last)
    x = np.random.default_rng(0).random((1, 2, 48, 48), np.float32)
    (before,) = network.outputs_of(x, [last])
    for row in (0, 23, 47):
        changed = x.copy()
        changed[:, :, row] += 5
        (after,) = network.outputs_of(changed, [last])
        rows = np.flatnonzero((before != after).any(axis=(0, 1, 3))) * found.jump
        offset = 4 if "crop" in text else 0
        for seen in rows + offset:
            assert seen - found.side - offset <= row <= seen + found.jump - 1 + found.side + offset

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.cfg.write import write_sections
from darknet_py.errors import WeightsError
from darknet_py.network import Network
from darknet_py.tasks.finetune.head import with_new_head
from darknet_py.tasks.finetune.start import Start, sized, start
from tests.tasks.finetune.nets import CFG, HEAD, open_net, write_net


def begin(
    folder: Path,
    cfg: str = CFG,
    size: int | None = None,
    reinit: tuple[int, ...] = (),
    seed: int = 0,
) -> tuple[Network, Start]:
    path, weights = write_net(folder, cfg)
    net = open_net(path)
    new = with_new_head(net, 3)
    found = start(net, str(weights), sized(new.sections, size), new.head, reinit, seed)
    return net, found


def equal(net: Network, other: Network, layer: int) -> bool:
    pairs = zip(net.layers[layer].parameters(), other.layers[layer].parameters(), strict=True)
    return all(one.value.tobytes() == two.value.tobytes() for one, two in pairs)


def test_all_but_the_head_is_copied(tmp_path: Path) -> None:
    net, found = begin(tmp_path)
    assert found.drawn == {HEAD: "new"}
    assert [equal(net, found.net, layer) for layer in (0, 1, 3)] == [True] * 3
    assert found.net.layers[HEAD].parameters()[1].shape == (3, 1, 1, 16)


def test_layers_are_drawn_anew_where_asked(tmp_path: Path) -> None:
    net, found = begin(tmp_path, reinit=(1,))
    assert found.drawn == {1: "re-initialised", HEAD: "new"}
    assert [equal(net, found.net, layer) for layer in (0, 1, 3)] == [True, False, True]
    _, again = begin(tmp_path, reinit=(1,))
    assert equal(again.net, found.net, 1)
    assert equal(again.net, found.net, HEAD)
    _, other = begin(tmp_path, reinit=(1,), seed=1)
    assert not equal(other.net, found.net, 1)
    assert not equal(other.net, found.net, HEAD)


def test_a_partial_file(tmp_path: Path) -> None:
    path, weights = write_net(tmp_path)
    net = open_net(path)
    net.load_weights(weights)
    net.layers[3].dontsave = net.layers[4].dontsave = True
    net.save_weights(weights)
    new = with_new_head(net, 3)
    found = start(open_net(path), str(weights), new.sections, new.head, (), 0)
    assert found.drawn == {3: "not in WEIGHTS", HEAD: "new"}
    assert [equal(net, found.net, layer) for layer in (0, 1, 3)] == [True, True, False]


def test_a_layer_that_the_file_leaves_out(tmp_path: Path) -> None:
    _, found = begin(tmp_path, CFG.replace("learning_rate=2", "dontload=1\ndontsave=1"))
    assert found.drawn == {0: "not in WEIGHTS", HEAD: "new"}


def test_another_size(tmp_path: Path) -> None:
    net, found = begin(tmp_path, size=24)
    assert found.net.in_shape == (24, 24, 1)
    augmentation = found.net.settings.augmentation
    assert (augmentation.min_crop, augmentation.max_crop) == (24, 27)
    assert equal(net, found.net, 3)


def test_a_size_that_the_weights_do_not_fit(tmp_path: Path) -> None:
    connected = "[connected]\noutput=5\nactivation=leaky\n\n[connected]\noutput=7\n"
    cfg = CFG.replace("[convolutional]\nfilters=7\nsize=1\n", connected)
    with pytest.raises(
        WeightsError, match=r"layer 4 \[connected\] has other weights at this --size"
    ):
        begin(tmp_path, cfg.replace("[avgpool]\n\n", ""), size=24)


def test_the_size_of_sections_without_crops() -> None:
    sections = parse_sections("[net]\nwidth=10\nheight=10\nchannels=3\n[avgpool]\n")
    assert write_sections(sized(sections, None)) == write_sections(sections)
    text = write_sections(sized(sections, 20))
    assert text == "[net]\nwidth=20\nheight=20\nchannels=3\n\n[avgpool]\n"
    np.testing.assert_equal(len(sections), 2)

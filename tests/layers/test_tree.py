"""Hierarchies of classes, as of YOLO9000."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import CfgError
from darknet_py.layers.parts.tree import Tree
from darknet_py.layers.region import Region
from darknet_py.network import Network, load_network
from tests.support.gradients import check_layer
from tests.support.networks import pictures

# animal (cat, dog (poodle, beagle)), thing
TREE = "animal -1\nthing -1\ncat 0\ndog 0\npoodle 3\nbeagle 3\n"
CFG = (
    "[net]\nwidth=4\nheight=2\nchannels=3\n[convolutional]\nfilters=22\nactivation=linear\n"
    "[region]\nnum=2\nclasses=6\ntree=my.tree\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my.tree").write_text(TREE)
    (tmp_path / "my.cfg").write_text(CFG)
    return tmp_path


def region(net: Network) -> Region:
    layer = net.layers[-1]
    assert isinstance(layer, Region)
    return layer


def test_siblings_share_a_softmax(folder: Path) -> None:
    net = load_network(folder / "my.cfg", device="cpu")
    tree = region(net).tree
    assert tree == Tree((-1, -1, 0, 0, 3, 3), ((0, 2), (2, 4), (4, 6)))
    y = net.activations(pictures(net, 1))[-1].reshape(2, 11, 2, 4)[:, 5:]
    for start, end in tree.groups:
        np.testing.assert_allclose(y[:, start:end].sum(axis=1), 1, rtol=1e-5)


def test_gradients(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    check_layer(
        CFG.replace("[convolutional]\nfilters=22\nactivation=linear\n", "").replace(
            "channels=3", "channels=22"
        )
    )


def test_probabilities_down_from_the_root() -> None:
    tree = Tree((-1, -1, 0, 0, 3, 3), ((0, 2), (2, 4), (4, 6)))
    whole = tree.absolute(np.array([[0.9, 0.1, 0.2, 0.8, 0.6, 0.4]]))
    np.testing.assert_allclose(whole, [[0.9, 0.1, 0.18, 0.72, 0.432, 0.288]])
    # as in the C programs, products are multiplied once more on the way
    for thresh, best in ((0.95, 0), (0.7, 0), (0.6, 3), (0.2, 4), (0, 4)):
        assert tree.top(whole, thresh).tolist() == [best], thresh


def test_a_box_has_one_class(folder: Path) -> None:
    net = load_network(folder / "my.cfg", device="cpu")
    boxes = net.boxes(pictures(net, 1), 0.1, hier=0.5)
    assert boxes.shape == (16, 11)
    assert (np.count_nonzero(boxes[:, 5:], axis=1) == (boxes[:, 4] > 0)).all()


def test_a_map_of_classes(folder: Path) -> None:
    (folder / "my.map").write_text("2\n4\n")
    cfg = folder / "mapped.cfg"
    cfg.write_text(CFG + "map=my.map\n")
    net = load_network(cfg, device="cpu")
    boxes = net.boxes(pictures(net, 1), 0)
    assert (boxes[:, 7:] == 0).all()
    assert (boxes[:, 5:7] > 0).all()


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (
            "a -1\nb 1\n",
            "tree=my.tree: line 2: b 1: expected a name and",
        ),
        ("a -2\n", "tree=my.tree: line 1: a -2: expected"),
        ("a x\n", "tree=my.tree: line 1: a x: expected"),
        ("a\n", "tree=my.tree: has 1 classes, and classes=6"),
    ],
)
def test_wrong_trees(folder: Path, tree: str, message: str) -> None:
    (folder / "my.tree").write_text(tree)
    with pytest.raises(CfgError) as error:
        load_network(folder / "my.cfg", device="cpu")
    assert f"my.cfg:11: [region] {message}" in str(error.value)


def test_wrong_maps(folder: Path) -> None:
    (folder / "my.map").write_text("6\n")
    (folder / "my.cfg").write_text(CFG + "map=my.map\n")
    with pytest.raises(CfgError, match=r"map=my.map: expected numbers from 0 to 5"):
        load_network(folder / "my.cfg", device="cpu")

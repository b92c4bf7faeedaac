"""None"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.cfg.write import write_sections
from darknet_py.errors import TrainingError, WeightsError
from darknet_py.images import Dataset, Loader
from darknet_py.network import Network
from darknet_py.ops import for_device
from darknet_py.tasks.data import open_data
from darknet_py.tasks.finetune.head import (
    Start,
    head_decay,
    start,
    with_new_head,
)
from darknet_py.tasks.outputs import learning_layers, sized
from tests.support.shapes import draw_shapes
from tests.tasks.finetune.nets import CFG, HEAD, open_net, write_net

ROOT = Path(__file__).parents[3]


def net_of(folder: Path, cfg: str) -> Network:
    return open_net(write_net(folder, cfg)[0])


def built(net: Network, classes: int) -> Network:
    new = with_new_head(net, classes)
    return Network(new.sections, "new.cfg", for_device("cpu"), strict=True)


def test_the_last_layer_with_weights_gets_other_outputs(tmp_path: Path) -> None:
    net = net_of(tmp_path, CFG)
    new = with_new_head(net, 3)
    assert (new.head, new.added) == (HEAD, False)
    text = write_sections(new.sections)
    # nothing else is other, but for how layers were trained
    expected = write_sections(net.sections).replace("filters=7", "filters=3")
    assert text == expected.replace("learning_rate=2\n", "")
    assert built(net, 3).outputs == 3


CFGS = sorted((ROOT / "cfg").glob("*.cfg"))
DETECTORS = [path for path in CFGS if path.stem.startswith("yolo")]


@pytest.mark.parametrize("cfg", DETECTORS, ids=lambda path: path.stem)
def test_a_detector_that_comes_with_the_program_says_that_it_is_one(cfg: Path) -> None:
    with pytest.raises(TrainingError, match="makes it a detector"):
        with_new_head(open_net(cfg), 5)


@pytest.mark.parametrize(
    "cfg", [path for path in CFGS if path not in DETECTORS], ids=lambda path: path.stem
)
def test_every_classifier_that_comes_with_the_program_can_be_fine_tuned(cfg: Path) -> None:
    net = open_net(cfg)
    new = with_new_head(net, 5)
    layers = built(net, 5)
    assert layers.outputs == 5
    assert new.head == learning_layers(layers.layers)[-1]
    assert new.added is (cfg.stem in ("vgg-conv", "jnet-conv"))
    assert layers.layers[-1].is_loss


def test_a_connected_head(tmp_path: Path) -> None:
    cfg = CFG.replace("[convolutional]\nfilters=7\nsize=1\n", "[connected]\noutput=7\n")
    net = net_of(tmp_path, cfg.replace("[avgpool]\n\n", ""))
    assert built(net, 4).outputs == 4


def test_frozen_layers_and_gaps_are_not_taken_over(tmp_path: Path) -> None:
    cfg = CFG.replace("learning_rate=2", "learning_rate=2\nstopbackward=1\ndontload=1\ndontsave=1")
    new = with_new_head(net_of(tmp_path, cfg), 3)
    assert "stopbackward" not in write_sections(new.sections)
    assert "dont" not in write_sections(new.sections)


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        (CFG + "[yolo]\nclasses=2\nnum=1\nmask=0\n", r"layer 8 \[yolo\] makes it a detector"),
        (CFG.replace("batch=12", "batch=12\ntime_steps=3"), "is a recurrent network"),
        (CFG[: CFG.index("[conv")] + "[avgpool]\n[softmax]\n", "no layer with weights"),
        (
            CFG.replace("[avgpool]", "[batchnorm]\n[avgpool]"),
            r"layer 5 \[batchnorm\] is the last with weights: expected one of",
        ),
    ],
)
def test_what_cannot_be_fine_tuned(tmp_path: Path, cfg: str, message: str) -> None:
    path = tmp_path / "bad.cfg"
    path.write_text(cfg)
    with pytest.raises(TrainingError, match=message):
        with_new_head(open_net(path), 3)


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

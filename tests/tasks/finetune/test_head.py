from __future__ import annotations

from pathlib import Path

import pytest

from darknet_py.cfg.write import write_sections
from darknet_py.errors import TrainingError
from darknet_py.network import Network
from darknet_py.ops import for_device
from darknet_py.tasks.finetune.head import learning_layers, with_new_head
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


@pytest.mark.parametrize("cfg", sorted((ROOT / "cfg").glob("*.cfg")), ids=lambda path: path.stem)
def test_every_network_that_comes_with_the_program_can_be_fine_tuned(cfg: Path) -> None:
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

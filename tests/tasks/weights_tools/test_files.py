from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import DarknetError, WeightsError
from darknet_py.network import Network
from darknet_py.tasks.weights_tools import (
    average,
    check_outputs,
    check_stored,
    first_layers,
    oneoff,
)
from tests.tasks.weights_tools.networks import (
    CONV,
    END,
    NET,
    NORM,
    NORMED,
    RECURRENT,
    learned,
    pictures,
    values,
)


def saved(net: Network, path: Path) -> Path:
    net.save_weights(path)
    return path


# partial


@pytest.mark.parametrize("count", [1, 2, 4, 5, 7])
def test_the_first_layers_are_those_bytes_of_the_file(count: int, tmp_path: Path) -> None:
    net = learned(NORMED)
    whole = saved(net, tmp_path / "whole.weights").read_bytes()
    part = first_layers(learned(NORMED, seed=9), tmp_path / "whole.weights", count)
    found = saved(part, tmp_path / "part.weights").read_bytes()
    size = 20 + 4 * sum(p.size for layer in net.layers[:count] for p in layer.parameters())
    assert found[:12] == whole[:12]
    assert found[12:20] == bytes(8)
    assert found[20:] == whole[20:size]


def test_the_first_layers_of_a_partial_file(tmp_path: Path) -> None:
    saved(learned(NORMED).truncated(4), tmp_path / "part.weights")
    part = first_layers(learned(NORMED, seed=9), tmp_path / "part.weights", 3)
    assert len(part.parameters()) == len(learned(NORMED).truncated(2).parameters())
    with pytest.raises(WeightsError, match="partial file that ends before layer 5"):
        first_layers(learned(NORMED), tmp_path / "part.weights", 6)


@pytest.mark.parametrize("count", [0, 9, -1])
def test_layers_that_are_not_there(count: int, tmp_path: Path) -> None:
    with pytest.raises(DarknetError, match=f"has 8 layers, and not the first {count} of them"):
        first_layers(learned(NORMED), tmp_path / "none", count)


def test_layers_without_weights(tmp_path: Path) -> None:
    with pytest.raises(DarknetError, match="the first 2 layers have no weights"):
        first_layers(learned(NET + "[dropout]\n[maxpool]\n" + END), tmp_path / "none", 2)


# average


@pytest.mark.parametrize("text", [NORMED, RECURRENT], ids=["pictures", "sequences"])
def test_the_mean_of_every_number(text: str, tmp_path: Path) -> None:
    nets = [learned(text, seed) for seed in range(3)]
    nets[1].seen = 9
    paths = [saved(net, tmp_path / f"{k}.weights") for k, net in enumerate(nets)]
    found = learned(text, 5)
    average(found, paths)
    assert found.seen == 4321
    for value, *each in zip(values(found), *map(values, nets), strict=True):
        mean = np.mean([one.astype(np.float64) for one in each], axis=0)
        np.testing.assert_array_equal(value, mean.astype(np.float32))


def test_the_mean_of_one_file_is_that_file(tmp_path: Path) -> None:
    path = saved(learned(NORMED), tmp_path / "one.weights")
    net = learned(NORMED, 5)
    average(net, [path])
    assert saved(net, tmp_path / "mean.weights").read_bytes() == path.read_bytes()


def test_the_mean_is_what_predicts(tmp_path: Path) -> None:
    """Also where something was predicted before."""
    path, net = saved(learned(NORMED), tmp_path / "one.weights"), learned(NORMED, 5)
    net.predict(pictures(net))
    average(net, [path, path])
    np.testing.assert_array_equal(
        net.predict(pictures(net)), learned(NORMED).predict(pictures(net))
    )


def test_a_file_of_another_network_has_no_part_in_a_mean(tmp_path: Path) -> None:
    paths = [saved(learned(text), tmp_path / str(len(text))) for text in (NORMED, NET + END)]
    with pytest.raises(
        WeightsError, match=f"^{paths[1]}: holds .* than the .* that the cfg asks for"
    ):
        average(learned(NORMED), paths)


# oneoff

ENDS = {
    "connected": "[connected]\noutput={}\nactivation=linear\n[softmax]\n",
    "connected norm": "[connected]\noutput={}\nactivation=linear\nbatch_normalize=1\n[softmax]\n",
    "convolutional": CONV.format("{}") + "[avgpool]\n[softmax]\n",
    "convolutional norm": CONV.format("{}") + NORM + "[avgpool]\n[softmax]\n",
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("outputs", [3, 5, 8])
def test_outputs_that_both_have_are_kept(end: str, outputs: int, tmp_path: Path) -> None:
    front = NET + CONV.format(6) + NORM
    old = learned(front + ENDS[end].format(5))
    path = saved(old, tmp_path / "old.weights")
    net = learned(front + ENDS[end].format(outputs), 5)
    for parameter in net.parameters():
        parameter.value = None
    fitted = oneoff(net, path)
    kept = min(outputs, 5)
    assert (fitted.layer, fitted.kept, fitted.drawn, fitted.left) == (
        1,
        kept,
        outputs - kept,
        5 - kept,
    )
    assert net.seen == 0
    for new, was in zip(net.layers[0].parameters(), old.layers[0].parameters(), strict=True):
        np.testing.assert_array_equal(new.value, was.value)
    for new, was in zip(net.layers[1].parameters(), old.layers[1].parameters(), strict=True):
        np.testing.assert_array_equal(new.value[:kept], was.value[:kept])
        drawn = new.value[kept:]
        if new.name == "weights":
            usual = np.sqrt(2 / (new.size / outputs))
            assert np.abs(drawn).max(initial=0) < 0.5 * usual
            assert len(np.unique(drawn)) == drawn.size
        else:
            assert (drawn == (new.name in ("scales", "rolling_variance"))).all()


def test_the_scores_of_outputs_that_are_kept_stay(tmp_path: Path) -> None:
    front = NET + CONV.format(6) + NORM
    old = learned(front + ENDS["connected"].format(5))
    net = learned(front + ENDS["connected"].format(8), 5)
    oneoff(net, saved(old, tmp_path / "old.weights"))
    x = pictures(old)
    np.testing.assert_allclose(
        net.activations(x)[1][:, :5], old.activations(x)[1], rtol=1e-4, atol=1e-5
    )


def test_a_file_with_a_short_header(tmp_path: Path) -> None:
    front = NET + CONV.format(6)
    path = saved(learned(front + ENDS["connected"].format(5)), tmp_path / "old.weights")
    content = path.read_bytes()
    path.write_bytes(b"\0\0\0\0\1\0\0\0\0\0\0\0" + content[12:16] + content[20:])
    net = learned(front + ENDS["connected"].format(6), 5)
    assert oneoff(net, path).kept == 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file or folder"),
        (b"<html>" + bytes(999), "is an HTML page"),
        (bytes(999), "runs short in layer"),
    ],
)
def test_a_file_that_fits_no_number_of_outputs(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "old.weights"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        oneoff(learned(NET + CONV.format(6) + END), path)


def test_a_last_layer_that_has_no_outputs_to_change(tmp_path: Path) -> None:
    for end, message in (("[avgpool]\n", "no layer has weights"), ("[batchnorm]\n", "is the last")):
        with pytest.raises(DarknetError, match=message):
            oneoff(learned(NET + end + "[softmax]\n"), tmp_path / "none")


# What may be read and written


def test_nothing_is_written_over(tmp_path: Path) -> None:
    there, new, read = (tmp_path / name for name in ("there", "new", "read"))
    there.write_text("")
    read.write_text("")
    (tmp_path / "link").symlink_to(read)
    check_outputs([new], [read, tmp_path / "none"], overwrite=False)
    check_outputs([new, there], [read], overwrite=True)
    with pytest.raises(DarknetError, match=f"^{there}: is there already"):
        check_outputs([new, there], [read], overwrite=False)
    for force in (False, True):
        with pytest.raises(DarknetError, match="is read and would be written over"):
            check_outputs([tmp_path / "link"], [read], force)


@pytest.mark.parametrize("key", ["dontload", "dontsave"])
def test_layers_that_are_in_no_file(key: str) -> None:
    check_stored(learned(NET + f"[dropout]\n{key}=1\n" + END))
    with pytest.raises(DarknetError, match=rf"layer 0 \[convolutional\] has {key}=1"):
        check_stored(learned(NET + CONV.format(6) + f"{key}=1\n" + END))

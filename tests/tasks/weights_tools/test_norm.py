from __future__ import annotations

import numpy as np
import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.cfg.write import write_sections
from darknet_py.errors import DarknetError
from darknet_py.network import Network
from darknet_py.tasks.weights_tools import denormalize, normalize, reset
from tests.support.networks import CPU
from tests.tasks.weights_tools.networks import (
    CONV,
    END,
    NET,
    NORMED,
    RECURRENT,
    assert_same_answers,
    learned,
    pictures,
    values,
)

TEXTS = pytest.mark.parametrize("text", [NORMED, RECURRENT], ids=["pictures", "sequences"])
PLAIN = NORMED.replace("batch_normalize=1\n", "")


@TEXTS
def test_denormalize_answers_the_same(text: str) -> None:
    net = learned(text)
    x, expected = pictures(net), net.predict(pictures(net))
    other = denormalize(net)
    assert_same_answers(other.predict(x), expected)
    assert other.seen == 4321


@pytest.mark.parametrize("key", ["xnor", "binary"])
def test_signs_stay_where_scales_are_negative(key: str) -> None:
    net = learned(NORMED.replace("groups=2\n", f"groups=2\n{key}=1\n"))
    _, scales, *_ = net.layers[4].parameters()
    scales.value[::2] *= -1
    net.changed()
    x, expected = pictures(net), net.predict(pictures(net))
    assert_same_answers(denormalize(net).predict(x), expected)


def test_a_denormalized_network_is_that_of_the_cfg_without_the_key() -> None:
    other = denormalize(learned(NORMED))
    assert write_sections(other.sections) == write_sections(parse_sections(PLAIN))
    plain = Network(parse_sections(PLAIN), "my.cfg", CPU)
    assert [p.shape for p in other.parameters()] == [p.shape for p in plain.parameters()]
    assert [p.name for layer in other.layers for p in layer.parameters()].count("scales") == 1


def test_a_channel_that_never_varied() -> None:
    """Epsilon counts where the variance is 0."""
    net = learned(NORMED)
    net.layers[0].parameters()[3].value[:] = 0
    net.layers[0].parameters()[1].value[:] = 5e-6
    net.changed()
    expected = net.predict(pictures(net))
    assert_same_answers(denormalize(net).predict(pictures(net)), expected)


@TEXTS
def test_reset_answers_the_same_and_begins_the_statistics_anew(text: str) -> None:
    net = learned(text)
    x, expected, before = pictures(net), net.predict(pictures(net)), values(net)
    reset(net)
    assert_same_answers(net.predict(x), expected)
    assert net.seen == 4321
    for layer in net.layers:
        for parameter in layer.parameters():
            if layer.kind != "batchnorm" and parameter.name in ("scales", "rolling_variance"):
                np.testing.assert_allclose(parameter.value, 1, rtol=2e-6)
            if layer.kind != "batchnorm" and parameter.name == "rolling_mean":
                assert not parameter.value.any()
    own = [p.value for layer in net.layers if layer.kind == "batchnorm" for p in layer.parameters()]
    assert all(any(np.array_equal(value, old) for old in before) for value in own)


@TEXTS
def test_normalize_answers_the_same(text: str) -> None:
    plain = learned(text.replace("batch_normalize=1\n", ""))
    expected = plain.predict(pictures(plain))
    other = normalize(plain)
    assert_same_answers(other.predict(pictures(plain)), expected)
    assert other.seen == 4321
    for layer, own in zip(other.layers, plain.layers, strict=True):
        if layer.kind not in ("softmax", "maxpool", "batchnorm"):
            assert "scales" in {p.name for p in layer.parameters()}
        kept = [p for p in layer.parameters() if len(own.parameters()) == len(layer.parameters())]
        kept = kept or [p for p in layer.parameters() if p.name in ("biases", "weights")]
        for parameter, old in zip(kept, own.parameters(), strict=True):
            np.testing.assert_array_equal(parameter.value, old.value)


def test_normalize_leaves_norms_that_are_there() -> None:
    net = learned(NORMED)
    expected = net.predict(pictures(net))
    other = normalize(net)
    assert_same_answers(other.predict(pictures(net)), expected)
    first = net.layers[0].parameters()
    for parameter, own in zip(other.layers[0].parameters(), first, strict=True):
        np.testing.assert_array_equal(parameter.value, own.value)
    assert "scales" in {p.name for p in other.layers[-2].parameters()}


def test_normalized_and_denormalized_is_the_network_again() -> None:
    plain = learned(PLAIN)
    again = denormalize(normalize(plain))
    for found, expected in zip(values(again), values(plain), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_nothing_to_do_is_said() -> None:
    plain, all_normed = NET + CONV.format(4) + END, NET + CONV.format(4) + NORM_END
    for change in (denormalize, reset):
        with pytest.raises(DarknetError, match=r"my.cfg: no layer has batch_normalize=1"):
            change(learned(plain))
    with pytest.raises(DarknetError, match=r"my.cfg: no layer is without batch_normalize"):
        normalize(learned(all_normed))


NORM_END = "batch_normalize=1\n" + END.replace("[softmax]", "batch_normalize=1\n[softmax]")

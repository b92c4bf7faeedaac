from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import darknet_py
from darknet_py.errors import DarknetError, PictureError, ShapeError
from darknet_py.images import spread_heat
from darknet_py.network import Network
from darknet_py.tasks.explain import METHODS, explain
from darknet_py.tasks.explain.methods import gradcam
from darknet_py.tasks.pictures import load_picture
from tests.support.golden import golden_network, load_golden


@pytest.fixture
def net(tmp_path: Path) -> Network:
    return golden_network(load_golden("forward", "tiny_like"), tmp_path)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (50, 70, 3), np.uint8)).save(path)
    return path


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_heat_over_the_picture(net: Network, picture: Path, method: str) -> None:
    names = [f"class {k}" for k in range(10)]
    found = explain(net, picture, method=method, top=2, names=names, steps=8)
    probabilities = net.predict(load_picture(net, picture, "min").x[None])[0]
    best = np.argsort(-probabilities)[:2].tolist()
    assert [each.index for each in found] == best
    for each in found:
        assert each.name == f"class {each.index}"
        assert each.probability == pytest.approx(probabilities[each.index], rel=1e-5)
        assert each.heat.shape == (50, 70)
        assert each.heat.min() >= 0
        assert (each.layer is None) == (not method.startswith("gradcam"))
        assert (each.parts is None) == (method != "integrated")
    assert not np.array_equal(found[0].values, found[1].values)


def test_scores_are_those_before_softmax(net: Network, picture: Path) -> None:
    found = explain(net, picture, list(range(10)))
    scores = np.array([each.score for each in found])
    shares = np.exp(scores) / np.exp(scores).sum()
    np.testing.assert_allclose(shares, [each.probability for each in found], rtol=1e-4)


@pytest.mark.parametrize("fit", ["min", "letterbox", "crop"])
def test_heat_lies_where_the_fitted_picture_was(net: Network, picture: Path, fit: str) -> None:
    (found,) = explain(net, picture, [3], fit=fit)
    loaded = load_picture(net, picture, fit)
    sized = net.sized(loaded.x[None])
    assert found.layer is not None
    values = gradcam(sized, loaded.x, [3], found.layer)[0]
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.heat, spread_heat(values, 70, 50, loaded.frame))
    outside = found.heat[:, :10].any() or found.heat[:, 60:].any()
    assert fit != "crop" or not outside


def test_classes_by_name_and_by_number(net: Network, picture: Path) -> None:
    names = ["Crane", "cat", "crane", *(f"x{k}" for k in range(7))]
    found = explain(net, picture, ["CAT", 2, " x6 ", "0"], names=names)
    assert [each.index for each in found] == [1, 2, 9, 0]
    assert [each.index for each in explain(net, picture, ["crane", "Crane"], names=names)] == [2, 0]
    with pytest.raises(DarknetError, match="'CRANE' is the name of 2 classes: say 0 or 2"):
        explain(net, picture, ["CRANE"], names=names)
    with pytest.raises(DarknetError, match="no class 10: expected 0 to 9"):
        explain(net, picture, [10], names=names)
    with pytest.raises(DarknetError, match=r"no class 'cta': did you mean cat\?"):
        explain(net, picture, ["cta"], names=names)
    with pytest.raises(DarknetError, match=r"no class '10': expected abcdef0, .*, or 0 to 9"):
        explain(net, picture, ["10"], names=[f"abcdef{k * 7}" for k in range(10)])


def test_what_cannot_be(net: Network, picture: Path, tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="is not before the scores"):
        explain(net, picture, layer=99)
    with pytest.raises(PictureError):
        explain(net, tmp_path / "none.png")


def test_it_is_offered_by_the_package() -> None:
    assert darknet_py.explain is explain

"""Parameters in the order of a file; what every registered layer says of itself."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.cfg.sections import Section
from darknet_py.errors import CfgError
from darknet_py.layers.base import LAYERS, BuildContext, Layer, Parameter, Shape, zeros
from tests.support.sections import RecordingSection

SHAPE = Shape(16, 16, 25)
SHAPES = {"scale_channels": Shape(1, 1, 25)}
"""Of what the layer reads, where it cannot be SHAPE."""
NEEDED = {
    "Gaussian_yolo": {"classes": "16"},
    "detection": {"side": "16", "classes": "20", "coords": "4"},
    "route": {"layers": "-1"},
    "sam": {"from": "-1"},
    "scale_channels": {"from": "0"},
    "shortcut": {"from": "-1"},
}
"""What a section cannot be without."""


def place(index: int = 1, shape: Shape = SHAPE) -> BuildContext:
    return BuildContext(index, shape, shape, [SHAPE] * index, time_steps=1, seed=0)


def layer_classes() -> list[tuple[str, type[Layer]]]:
    return sorted((layer.kind, layer) for layer in set(LAYERS.values()))


def read(kind: str, layer: type[Layer]) -> tuple[Layer, dict[str, Any]]:
    """A layer of a section that says no more than it must, and the keys it asked for."""
    section = RecordingSection(kind, NEEDED.get(kind, {}))
    made = layer(section, place(shape=SHAPES.get(kind, SHAPE)))
    return made, section.asked


@pytest.mark.parametrize(("kind", "layer"), layer_classes())
def test_the_docstring_names_every_key_that_is_read(kind: str, layer: type[Layer]) -> None:
    doc = inspect.getdoc(layer) or ""
    assert re.search(r"\bKeys: |\bNo keys\b", doc), "expected `Keys:` or `No keys`"
    assert "->" in doc, "expected input and output shape"
    _, asked = read(kind, layer)
    unnamed = [key for key in asked if not re.search(rf"\b{key}\b", doc)]
    assert unnamed == []


@pytest.mark.parametrize(("kind", "layer"), layer_classes())
def test_the_docstring_tells_the_defaults(kind: str, layer: type[Layer]) -> None:
    """`stride (1)` in the docstring is the default that the layer gives its getter."""
    doc = inspect.getdoc(layer) or ""
    _, asked = read(kind, layer)
    for key, default in asked.items():
        for told in re.findall(rf"\b{key} \(([\w.+-]+)[,;:)]", doc):
            if re.fullmatch(r"[+-]?[\d.]+", told):
                assert float(told) == pytest.approx(float(default)), key
            elif isinstance(default, str):
                assert told == default, key


@pytest.mark.parametrize(("kind", "layer"), layer_classes())
def test_every_layer_describes_itself(kind: str, layer: type[Layer]) -> None:
    made, _ = read(kind, layer)
    assert made.describe().isprintable()
    assert made.operations() >= 0
    assert made.in_shape == SHAPES.get(kind, SHAPE)
    assert min(made.out_shape) >= 1


@pytest.mark.parametrize(("kind", "layer"), layer_classes())
def test_every_parameter_knows_its_order_in_a_file(kind: str, layer: type[Layer]) -> None:
    made, _ = read(kind, layer)
    for parameter in made.parameters():
        assert parameter.learned or not parameter.decay
        values = np.arange(parameter.size)
        stored = parameter.to_file(values.reshape(parameter.shape))
        assert sorted(stored.tolist()) == values.tolist()
        np.testing.assert_array_equal(parameter.from_file(stored), values.reshape(parameter.shape))


def test_aliases() -> None:
    aliases = {name: layer.kind for name, layer in LAYERS.items() if name != layer.kind}
    assert {
        "avg": "avgpool",
        "conn": "connected",
        "conv": "convolutional",
        "lrn": "normalization",
        "max": "maxpool",
        "soft": "softmax",
    }.items() <= aliases.items()


# Parameters


@st.composite
def parameters(draw: st.DrawFn) -> Parameter:
    file_shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=5)))
    axes = tuple(draw(st.permutations(range(len(file_shape)))))
    shape = [0] * len(axes)
    for axis, length in zip(axes, file_shape, strict=True):
        shape[axis] = length
    return Parameter("some", tuple(shape), zeros, file_shape=file_shape, file_axes=axes)


@given(parameters())
def test_axis_i_of_the_file_is_axis_file_axes_i_in_here(parameter: Parameter) -> None:
    assert parameter.file_axes
    assert parameter.file_shape
    values = np.arange(parameter.size).reshape(parameter.shape)
    stored = parameter.to_file(values).reshape(parameter.file_shape)
    for place_in_file in np.ndindex(*parameter.file_shape):
        here = [0] * len(place_in_file)
        for axis, index in zip(parameter.file_axes, place_in_file, strict=True):
            here[axis] = index
        assert stored[place_in_file] == values[tuple(here)]


@given(parameters())
def test_a_parameters_way_to_a_file_and_back(parameter: Parameter) -> None:
    values = np.arange(parameter.size)
    there = parameter.to_file(values.reshape(parameter.shape))
    np.testing.assert_array_equal(parameter.from_file(there), values.reshape(parameter.shape))
    back = parameter.from_file(values)
    assert back.shape == parameter.shape
    assert back.flags.c_contiguous
    np.testing.assert_array_equal(parameter.to_file(back), values)


def test_a_parameter_may_have_more_axes_in_a_file() -> None:
    # connected: (outputs, h w c) here, (outputs, c, h, w) in a file
    parameter = Parameter(
        "weights", (2, 12), zeros, file_shape=(2, 3, 2, 2), file_axes=(0, 3, 1, 2)
    )
    values = np.arange(24)
    here = parameter.from_file(values)
    assert here.shape == (2, 12)
    expected = values.reshape(2, 3, 2, 2).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(here, expected.reshape(2, 12))
    np.testing.assert_array_equal(parameter.to_file(here), values)


def test_size() -> None:
    assert Parameter("some", (3, 4, 5), zeros).size == 60
    assert Parameter("some", (2**31, 2**31, 2**31), zeros).size == 2**93


# Shape and BuildContext


def test_shapes_are_written_width_first() -> None:
    assert str(Shape(5, 6, 7)) == "6 x 5 x 7"
    assert Shape(5, 6, 7).size == 210


@pytest.mark.parametrize(("index", "expected"), [(-1, 4), (-5, 0), (0, 0), (4, 4)])
def test_a_layer_is_counted_from_the_start_or_from_here(index: int, expected: int) -> None:
    at_5 = place(index=5)
    assert at_5.resolve(Section("route", "<text>", 1), "layers", index) == expected


@pytest.mark.parametrize("index", [-6, 5, 6, 10**9])
def test_a_layer_must_stand_before(index: int) -> None:
    at_5 = place(index=5)
    with pytest.raises(CfgError, match=rf"^<text>:1: \[route\] layers={index}: there is no such"):
        at_5.resolve(Section("route", "<text>", 1), "layers", index)

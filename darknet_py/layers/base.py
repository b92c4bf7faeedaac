"""The base of all layers: one section of a cfg that runs forward and backward.

The contract:

- Maps are (n, h, w, c); a vector is a map of height and width 1. A layer uses arrays only through
  the functions of `ops`, whatever their device.
- `forward` returns a new array, and what `backward` needs; it never edits its inputs, and the layer
  keeps no state of a batch.
- `delta` is truth - prediction, the *negative* gradient of the loss. So updates are added.
- `backward` returns the delta of each input, and adds to the `updates` of its own parameters. Where
  a map is read twice, the Network alone sums its deltas.
- A frozen layer's `forward` gets train=False, its `backward` updates=False. With `use_global_stats`
  the former alone: rolling statistics normalise, and all else learns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np

from darknet_py.cfg import keys
from darknet_py.cfg.rules import Rules
from darknet_py.cfg.sections import Section, shown
from darknet_py.layers.parameter import Initialiser
from darknet_py.layers.parameter import Parameter as Parameter
from darknet_py.ops.activations import ACTIVATIONS, saved_of
from darknet_py.ops.random import random_key
from darknet_py.ops.sizes import Stride

Array = Any
Ops = Any  # the module that ops.for_device gives


class Shape(NamedTuple):
    """Height, width and channels of a map, without the batch."""

    h: int
    w: int
    c: int

    @property
    def size(self) -> int:
        return self.h * self.w * self.c

    def __str__(self) -> str:
        return f"{self.w} x {self.h} x {self.c}"


class Window(NamedTuple):
    """The input window of an output pixel, along each side: `size` pixels, starting `before` its
    own position, and `stride` from one output to the next."""

    size: int = 1
    stride: Fraction = Fraction(1)
    before: int = 0


@dataclass(frozen=True)
class BuildContext:
    """A layer's place in the network that is being built."""

    index: int
    in_shape: Shape
    cfg_in_shape: Shape
    """Its input at the cfg's own picture size, where the network is resized to another."""
    out_shapes: Sequence[Shape]
    """The outputs of layers 0 to index - 1, and of later ones as they are built."""
    time_steps: int
    seed: int
    layers: Sequence[Layer] = ()
    """Layers 0 to index - 1, for those that share another's parameters."""
    rules: Rules = field(default_factory=Rules)
    """To be asked where it matters, not kept: weights may decide on them."""

    def resolve(self, section: Section, key: str, index: int) -> int:
        """The layer that `index` means in a cfg: from the start, or if negative from here."""
        absolute = index if index >= 0 else self.index + index
        if not 0 <= absolute < self.index:
            section.fail(f"{key}={index}: there is no such layer before layer {self.index}", key)
        return absolute


class Wanted(NamedTuple):
    """What `backward` is to compute. Layers that do not learn need not check."""

    input_deltas: bool
    updates: bool


class Layer(ABC):
    """One section of a cfg. See the module's text for the contract."""

    kind: ClassVar[str] = ""
    """The section's name, as in `[maxpool]`."""
    is_vector = False
    """Whether the public API gives the output as (n, outputs), as darknet has it."""
    is_pixel_major = False
    """Whether the public API gives the values of a map pixel after pixel, each with its channels,
    as darknet has them in some layers."""
    is_loss = False
    """Whether the layer can end a network in training: it has a `loss`."""

    in_shape: Shape
    out_shape: Shape
    inputs: tuple[int, ...]
    """The layers it reads; -1 is the network's input."""

    counters: ClassVar[tuple[str, ...]] = ()
    """Attributes that count in training, from 0: state beside the parameters."""
    is_random = False
    """Whether the layer is random in training: `forward` then takes a key, and `draws` counts."""
    draws = 0
    learning_rate = 1.0
    """Multiplies the network's rate."""
    smooth = 0.0
    """Label smoothing, where the layer has a loss."""
    clip = 0.0
    """Weights are clipped to -clip..clip; 0: not at all."""
    use_global_stats = False
    """Whether a layer that learns normalises with its rolling statistics, which stay fixed."""
    shares: Layer | None = None
    """An earlier layer of this kind whose parameters it uses, and has none of its own."""
    frozen = False
    dontload = False
    dontsave = False

    def __init__(self, section: Section, context: BuildContext) -> None:
        """Reads a section: layers that have keys, or other shapes or inputs than these, go on.
        Raises CfgError, with file and line, for what cannot be."""
        self.in_shape = self.out_shape = context.in_shape
        self.inputs = (context.index - 1,)
        self.seed = context.seed + context.index

    # forward(*inputs, ops, train) -> output, saved: one array for each of `self.inputs`, and where
    # the layer is_random in training key=...
    forward: Callable[..., tuple[Array, Any]]

    @abstractmethod
    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        """The delta of each input, from that of the output."""

    # loss(y, truth, ops) -> losses of the pictures (n, 1, 1, 1), and the delta of the layer's
    # *input*; where is_loss
    loss: Callable[[Array, Array, Ops], tuple[Array, Array]]

    @property
    def input_window(self) -> Window:
        """For the receptive field; one pixel also for layers of the whole map."""
        return Window()

    @property
    def is_pointwise(self) -> bool:
        """Whether each pixel of the output is weights times the same pixel of the input, plus
        biases: the mean over pixels may then be taken before it as well as after."""
        return False

    def parameters(self) -> list[Parameter]:
        """In the order of a `.weights` file."""
        return []

    def state(self) -> dict[str, int]:
        """The counters: its state beside the parameters."""
        return {name: getattr(self, name) for name in self.counters}

    def restore(self, state: Mapping[str, int]) -> None:
        """Loads what `state` returned."""
        for name in self.counters:
            setattr(self, name, state[name])

    def key(self) -> np.ndarray:
        """The random key of the next draw, of the network's seed, the layer and the number of draws
        so far, so that training repeats bit for bit. See ops/random.py."""
        return random_key(self.seed, self.draws)

    def operations(self) -> int:
        """Multiplications and additions for one picture, as the C program's `ops` counts them."""
        return 0

    @property
    def title(self) -> str:
        """How its line in the table of layers begins: 24 letters, before its shapes."""
        return f"{self.kind:<24}"

    def describe(self) -> str:
        """The layer's line in the table that the C program prints, without its number."""
        return f"{self.title}{table_shape(self.in_shape)}   ->  {table_shape(self.out_shape)}"


def table_shape(shape: Shape) -> str:
    """`w x h x c` in the columns of the C program's table."""
    return f"{shape.w:4d} x{shape.h:4d} x{shape.c:4d}"


def table_window(size: int, strides: tuple[int, int], dilation: int = 1) -> str:
    """Size and stride in the columns of the C program's table, of AlexeyAB's where pjreddie's does
    not know the key. strides: down and to the right."""
    down, right = strides
    if down != right:
        return f"{size:2d}x{size:2d}/{right:2d}x{down:2d} "
    if dilation > 1:
        return f"{size:2d} x{size:2d}/{right:2d}({dilation:1d})"
    return f"{size:2d} x{size:2d} /{right:2d}  "


LAYERS: dict[str, type[Layer]] = {}
"""Section names, aliases included, and their layers."""


def register(*names: str) -> Callable[[type[Layer]], type[Layer]]:
    """Makes a layer known under these section names; the first becomes its `kind`."""

    def add(layer: type[Layer]) -> type[Layer]:
        layer.kind = names[0]
        for name in names:
            assert name not in LAYERS, name
            LAYERS[name] = layer
        return layer

    return add


def read_activation(section: Section, default: str) -> str:
    """activation=: a name in ops/activations.py; silu, as forks call it, is swish. One that no C
    program knows is relu, as there, with a warning. Raises CfgError for one that only other
    programs compute."""
    name = section.get_text("activation", default)
    if name == "silu":
        return "swish"
    if name not in ACTIVATIONS and name in keys.ACTIVATIONS:
        known = ", ".join(sorted(ACTIVATIONS))
        section.fail(
            f"activation={name} is not computed here: expected one of {known}", "activation"
        )
    if "#" in name:
        section.warn(
            f"activation={shown(name)} is read as relu, as the C program does, to which the "
            "comment is part of the name: move it to a line of its own",
            "activation",
        )
        return "relu"
    return section.get_choice("activation", default, ACTIVATIONS, fallback="relu")


def read_pool(section: Section) -> tuple[int, Stride, int]:
    """Size, stride (one number, or down and to the right) and padding of windows that are pooled.
    With less padding than two windows each of them has something of the map."""
    stride = section.get_int("stride", 1, minimum=1)
    right, down = (section.get_int(key, stride, minimum=1) for key in ("stride_x", "stride_y"))
    size = section.get_int("size", stride, minimum=1)
    padding = section.get_int("padding", size - 1, minimum=0, maximum=2 * size - 2)
    return size, down if down == right else (down, right), padding


def activate(x: Array, activation: str, ops: Ops) -> tuple[Array, Array]:
    """The activation of x, and what ops.activate_backward has to be given for it: x itself or the
    result, see ops/activations.py. The other is not kept."""
    y = ops.activate(x, activation)
    return y, saved_of(x, y, activation)


def read_anchors(section: Section, num: int) -> list[float]:
    """anchors=: a width and a height for each of num boxes; .5 where there are fewer numbers, and
    with more the first ones, as in the C program."""
    anchors = section.get_floats("anchors", [0.5] * 2 * num, comment=True)
    if len(anchors) != 2 * num:
        of_them = f"{2 * num}, a width and a height for each of num={num}"
        made = "the others are .5" if len(anchors) < 2 * num else "only the first ones count"
        section.warn(f"anchors has {len(anchors)} numbers instead of {of_them}: {made}", "anchors")
    return [*anchors, *[0.5] * (2 * num - len(anchors))][: 2 * num]


def zeros(_: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.zeros(shape, np.float32)


def ones(_: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.ones(shape, np.float32)


def normal(fan_in: int) -> Initialiser:
    """Normal with deviation sqrt(2 / fan_in) (He et al. 2015), as the C program's convolutions."""
    return partial(_draw_normal, fan_in)


def uniform(fan_in: int) -> Initialiser:
    """From -sqrt(2 / fan_in) to sqrt(2 / fan_in), as the C program's connected layers."""
    return partial(_draw_uniform, fan_in)


def _draw_normal(fan_in: int, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / fan_in))


def _draw_uniform(fan_in: int, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return (rng.random(shape, np.float32) * 2 - 1) * np.float32(np.sqrt(2 / fan_in))

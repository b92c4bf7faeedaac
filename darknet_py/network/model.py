"""The state of a network: its layers, settings, parameters and counters, on one device.

The other files of this folder compute with a Model; `Network` (network.py) has that as methods.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from darknet_py import ops as devices
from darknet_py.cfg.sections import Section
from darknet_py.layers import Layer, Parameter, Shape
from darknet_py.network.builder import build
from darknet_py.network.optimiser import Average, Optimiser
from darknet_py.network.plateau import Plateau
from darknet_py.network.settings import Settings

Array = Any
M = TypeVar("M", bound="Model")

_OWN = "ops", "engine", "communicator", "say"
"""Attributes of the process: neither copied nor pickled."""


class Communicator(Protocol):
    """Collective communication of processes. rank: of this one, from 0; size: how many."""

    rank: int
    size: int

    def sum(self, arrays: Sequence[Array]) -> None:
        """All-reduce: each array becomes the sum over all processes, in place, equal bit for bit in
        all. All have to call it, with arrays of the same shapes. Raises TrainingError where another
        process has ended."""


class Model:
    """Layers, their settings and the training's counter. `warnings`: about the cfg.

    `copy.copy` shares the parameters and the engine; `copy.deepcopy` and `pickle` copy all state,
    on the same device, but for the engine (threads, locks, compiled programs), the communicator and
    `say`, which are new. Untrusted pickles are not safe.
    """

    def __init__(
        self,
        sections: Sequence[Section],
        path: str,
        ops: Any,
        *,
        strict: bool = False,
        exact: bool = False,
        half: bool = False,
        rules: str | None = None,
    ) -> None:
        plan = build(sections, path, strict, rules)
        self.whole: Sequence[Layer] = plan.layers
        self.path = path
        self.weights_path: str | None = None
        """The file that its weights were, or are to be, read from."""
        self.ops = ops
        self.settings: Settings = plan.settings
        self.layers: list[Layer] = plan.layers
        self.warnings: list[str] = plan.warnings
        self.in_shape: Shape = plan.settings.shape
        self.seen = 0
        self.optimiser = Optimiser(plan.settings.optimiser, ops)
        self.sections = sections
        self.engine = ops.Engine(exact, half)
        self.average: Average | None = None
        self.communicator: Communicator | None = None
        """Of data-parallel training, where each process has a part of every batch."""
        self.next_sizes: dict[tuple[int, int, int], tuple[int, int]] = {}
        """The cache of next_size, by number of layers and size."""
        self.say: Callable[[str], None] = warnings.warn
        self._said: set[str] = set()
        steering = plan.settings.plateau
        self.plateau = Plateau(steering) if steering is not None else None

    # Copies and pickles

    def __copy__(self: M) -> M:
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        return other

    def __deepcopy__(self: M, memo: dict[int, Any]) -> M:
        other = memo[id(self)] = object.__new__(type(self))
        other.ops = self.ops
        other.__setstate__(copy.deepcopy(self._state(), memo))
        return other

    def __reduce__(self) -> tuple[Any, ...]:
        return _on_device, (type(self), devices.device_name(self.ops)), self._state()

    def _state(self) -> dict[str, Any]:
        found = {name: value for name, value in vars(self).items() if name not in _OWN}
        optimiser, average = self.optimiser, self.average
        found["engine"] = self.engine.exact, self.engine.half
        found["optimiser"] = optimiser.steps, optimiser.moments
        found["average"] = average and (average.decay, average.steps, average.values)
        return found

    def __setstate__(self, found: dict[str, Any]) -> None:
        exact, half = found.pop("engine")
        steps, moments = found.pop("optimiser")
        average = found.pop("average")
        vars(self).update(found)
        self.engine = self.ops.Engine(exact, half)
        self.communicator, self.say = None, warnings.warn
        self.optimiser = Optimiser(self.settings.optimiser, self.ops)
        self.optimiser.steps, self.optimiser.moments = steps, moments
        self.average = None
        if average is not None:
            self.average = Average(average[0], self.ops)
            _, self.average.steps, self.average.values = average

    @property
    def output_layer(self) -> int:
        """The layer whose output is the prediction: the last that is no [cost]."""
        last = len(self.layers) - 1
        while last > 0 and self.layers[last].kind == "cost":
            last -= 1
        return last

    @property
    def outputs(self) -> int:
        """Numbers in a prediction."""
        return self.layers[self.output_layer].out_shape.size

    @property
    def batch_num(self) -> int:
        """Batches seen in training."""
        return self.seen // self.settings.batch

    @property
    def rate(self) -> float:
        """The learning rate of the last batch."""
        factor = 1.0 if self.plateau is None else self.plateau.factor
        return factor * self.settings.schedule.rate(self.batch_num)

    def parameters(self) -> list[Parameter]:
        """Of all layers, in `.weights` order."""
        return [parameter for layer in self.layers for parameter in layer.parameters()]

    def note(self, text: str) -> None:
        """Reports once what is done otherwise than requested: by `say`, a Python warning unless the
        command line has set another."""
        if text not in self._said:
            self._said.add(text)
            self.say(text)

    def changed(self) -> None:
        """Invalidates what was derived of parameters, after a change of their `data`; not needed
        after a change of `value`."""
        self.engine.clear()


def _on_device(cls: type[M], device: str) -> M:
    """An empty network, for __setstate__; arrays unpickled after it are on the device. Raises
    DeviceError where that cannot be used."""
    net = object.__new__(cls)
    net.ops = devices.for_device(device)
    return net

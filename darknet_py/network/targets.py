"""Objectives that a picture is optimised for: each gives a delta at one layer's output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from darknet_py.errors import NotFiniteError, ShapeError

Array = Any
Ops = Any


class Target(Protocol):
    """An objective at a layer: the negative gradient of a loss at its output."""

    @property
    def layer(self) -> int:
        """The layer at whose output the delta is."""

    @property
    def name(self) -> str:
        """Equal for objectives whose `delta` makes the same calls of ops."""

    @property
    def given(self) -> Sequence[np.ndarray]:
        """Further arguments of `delta`: float32."""

    def delta(self, ops: Ops, y: Array, *given: Array) -> Array:
        """The delta of the output y (n, h, w, c)."""


@dataclass(frozen=True)
class StandOut:
    """Amplifies strong activations: `weight` times the output where it exceeds a limit, else 0.

    The limit is the mean of the output plus `thresh` standard deviations, or `limit` if that is
    given. channels: the only ones; all if there are none.
    """

    layer: int
    thresh: float = 1.0
    channels: tuple[int, ...] = ()
    weight: float = 1.0
    limit: float | None = None

    @property
    def name(self) -> str:
        measured = self.thresh if self.limit is None else "limit"
        return f"{self.layer} {measured} {self.channels} {self.weight}"

    @property
    def given(self) -> Sequence[np.ndarray]:
        return () if self.limit is None else (np.full((1, 1, 1, 1), self.limit, np.float32),)

    def delta(self, ops: Ops, y: Array, *given: Array) -> Array:
        if not all(0 <= channel < y.shape[3] for channel in self.channels):
            raise ShapeError(
                f"layer {self.layer} has channels 0 to {y.shape[3] - 1}: found {self.channels}"
            )
        if any(value is not None and math.isnan(value) for value in (self.thresh, self.limit)):
            raise NotFiniteError(f"layer {self.layer}: a threshold or limit is no number (NaN)")
        if not given and not self.channels:
            return self.weight * ops.dream_delta(y, self.thresh)
        limit = given[0] if given else ops.dream_limit(y, self.thresh, self.channels)
        return self.weight * ops.stand_out(y, limit, self.channels)


@dataclass(frozen=True)
class Score:
    """Maximises one output, numbered in darknet's order: the delta is 1 there (Simonyan et al.
    2013, who explain why before the softmax). sign: -1 minimises it."""

    layer: int
    index: int
    sign: float = 1.0

    @property
    def name(self) -> str:
        return f"{self.layer} score {self.index} {self.sign}"

    @property
    def given(self) -> Sequence[np.ndarray]:
        return ()

    def delta(self, ops: Ops, y: Array, *given: Array) -> Array:
        outputs = math.prod(y.shape[1:])
        if not 0 <= self.index < outputs:
            raise ShapeError(
                f"layer {self.layer} has outputs 0 to {outputs - 1}: found {self.index}"
            )
        delta = ops.one_hot(y, self.index)
        return delta if self.sign == 1 else self.sign * delta


@dataclass(frozen=True, eq=False)
class Guided:
    """Guided by another picture: amplifies at each pixel the nearest of its features (m, c)."""

    layer: int
    features: np.ndarray
    weight: float = 1.0

    @property
    def name(self) -> str:
        return f"{self.layer} guide {len(self.features)} {self.weight}"

    @property
    def given(self) -> Sequence[np.ndarray]:
        return (self.features[None, None],)

    def delta(self, ops: Ops, y: Array, *given: Array) -> Array:
        if given[0].shape[3] != y.shape[3]:
            raise ShapeError(
                f"layer {self.layer} has {y.shape[3]} channels, and its guide {given[0].shape[3]}"
            )
        return self.weight * ops.guide_delta(y, given[0])


@dataclass(frozen=True, eq=False)
class Match:
    """Feature inversion: the delta is the difference to these features (h, w, c)."""

    layer: int
    features: np.ndarray

    @property
    def name(self) -> str:
        return f"{self.layer} match"

    @property
    def given(self) -> Sequence[np.ndarray]:
        return (self.features[None],)

    def delta(self, ops: Ops, y: Array, *given: Array) -> Array:
        if given[0].shape[1:] != y.shape[1:]:
            raise ShapeError(
                f"layer {self.layer} gives {y.shape[1:]}, and is to match {given[0].shape[1:]}"
            )
        return ops.add(given[0], -1.0 * y)

"""The entries of boxes, in two passes: logistics, factors and offsets, a vector of channels at a
time; then each softmax, which begins anywhere in a pixel."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.codegen.emit import Builder, fused, load, load_i64, store, where
from darknet_py.ops.cpu.codegen.float64_sums import float_at, put_float
from darknet_py.ops.cpu.codegen.functions import logistic
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import ChannelArrays, TensorView, kernel
from darknet_py.ops.cpu.compile.allocate import padded
from darknet_py.ops.cpu.compile.match import Chain, Rules
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, Unary, address
from darknet_py.ops.cpu.operations.elementwise import Site, elementwise_row, make_elementwise
from darknet_py.ops.detection import Entries


def activate_boxes_reference(x: np.ndarray, entries: Entries) -> np.ndarray:
    """Entry by entry of x (n, h, w, boxes * entries)."""
    y = x.astype(np.float64)
    each = x.shape[3] // entries.boxes
    for start in range(0, x.shape[3], each):
        for a, b in entries.logistic:
            for k in range(start + a, start + b):
                y[..., k] = 1 / (1 + np.exp(-y[..., k]))
        for a, b in entries.softmaxes:
            powers = np.exp(y[..., start + a : start + b])
            y[..., start + a : start + b] = powers / powers.sum(axis=3, keepdims=True)
        for a, b in entries.scaled:
            y[..., start + a : start + b] *= entries.factor
            y[..., start + a : start + b] -= (entries.factor - 1) / 2
    return y


def emit_entries(builder: Builder, at: Site) -> None:
    """channels.mean: 1 where the logistic is taken, else 0; scale and shift: what it is multiplied
    by, and what is added then; zeros in the channels that pad the map."""
    x = load(builder, at.x)
    takes, factor, offset = (load(builder, each) for each in at.channels[:3])
    y = where(takes > 0.5, logistic(x), x)
    store(fused(y, factor, offset), at.y)


activate_entries = make_elementwise("activate_entries", emit_entries)


@kernel
def softmaxes(
    thread: int, threads: int, x: TensorView, y: TensorView, ranges: int, count: int
) -> None:
    """Of each pixel the softmax of some ranges of channels. ranges: the address of `count` pairs
    of 64-bit integers, the first channel and how many."""
    rows = x.n * x.h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        picture = number // x.h
        row = number - picture * x.h
        for column in range(x.w):
            here, to = pixel_at(x, picture, row, column), pixel_at(y, picture, row, column)
            for i in range(count):
                first, length = load_i64(ranges + 16 * i), load_i64(ranges + 16 * i + 8)
                largest = float_at(here + 4 * first)
                for k in range(first, first + length):
                    largest = max(largest, float_at(here + 4 * k))
                total = 0.0
                for k in range(first, first + length):
                    value = math.exp(float_at(here + 4 * k) - largest)
                    put_float(to + 4 * k, value)
                    total += value
                for k in range(first, first + length):
                    put_float(to + 4 * k, float_at(to + 4 * k) / total)


@dataclass
class ActivateBoxes(Unary):
    """See ops.activate_boxes."""

    entries: Entries

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        arrays = [binding.room(padded(x.c)) for _ in range(3)]
        for array, values in zip(arrays, _of_channels(self.entries, x.c), strict=True):
            array[: x.c] = values
        channels = ChannelArrays(*(address(array) for array in arrays))
        rows = [elementwise_row(activate_entries, x, y, channels=channels)]
        pairs = list(_softmaxes(self.entries, x.c))
        if pairs:
            # as integers of 64 bits in a room of floats
            ranges = binding.room(4 * len(pairs))
            ranges.view(np.int64)[:] = np.array(pairs).ravel()
            rows.append(softmaxes.step(x=x, y=y, ranges=address(ranges), count=len(pairs)))
        return rows


def _of_channels(entries: Entries, c: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether the logistic is taken, factor and offset of each channel."""
    each = c // entries.boxes
    takes, factors, offsets = np.zeros(each), np.ones(each), np.zeros(each)
    for start, end in entries.logistic:
        takes[start:end] = 1
    for start, end in entries.scaled:
        factors[start:end] = entries.factor
        offsets[start:end] = -(entries.factor - 1) / 2
    takes, factors, offsets = (np.tile(a, entries.boxes) for a in (takes, factors, offsets))
    return takes, factors, offsets


def _softmaxes(entries: Entries, c: int) -> Iterator[tuple[int, int]]:
    each = c // entries.boxes
    for box in range(0, c, each):
        for start, end in entries.softmaxes:
            yield box + start, end - start


def match_activate_boxes(chain: Chain) -> Step | None:
    x, entries = chain.call.arguments
    scaled = {k for start, end in entries.scaled for k in range(start, end)}
    softened = {k for start, end in entries.softmaxes for k in range(start, end)}
    # a softmax is of what x was, and scaled after it
    return None if scaled & softened else ActivateBoxes(x, chain.call.result, entries)


RULES: Rules = {"activate_boxes": match_activate_boxes}

from __future__ import annotations

import errno
import os
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darknet_py.cfg.sections import parse_sections, read_sections
from darknet_py.errors import WeightsError
from darknet_py.layers.base import Layer, Parameter
from darknet_py.network.builder import build
from darknet_py.network.weights import Loaded, read_weights, weights_bytes, write_weights
from darknet_py.text import one_line
from tests.support.golden import golden_names, load_golden

CFG = """[net]
height=2
width=3
channels=2
[convolutional]
filters=4
size=3
pad=1
batch_normalize=1
[maxpool]
[connected]
output=5
[connected]
output=3
batch_normalize=1
[softmax]
"""
SIZES = [4 * (4 * 4 + 4 * 2 * 9), 4 * (5 + 5 * 24), 4 * (3 + 3 * 5 + 3 * 3)]
"""Bytes of the three layers that have weights: 0, 2 and 3."""
TINY_CFG = Path(__file__).parents[2] / "cfg" / "tiny.cfg"


def make_layers(text: str = CFG) -> list[Layer]:
    return build(parse_sections(text), "<text>").layers


def make_values(size: int = sum(SIZES)) -> bytes:
    """0, 1, 2 and so on, which float32 has exactly: `size` bytes."""
    return np.arange(size // 4, dtype="<f4").tobytes()


def header(major: int, minor: int, seen: int, bits: int) -> bytes:
    return struct.pack("<iii", major, minor, 7) + struct.pack("<Q" if bits == 64 else "<I", seen)


NEW = header(0, 2, 5, 64)


def parameters(layers: list[Layer]) -> list[Parameter]:
    return [parameter for layer in layers for parameter in layer.parameters()]


def in_file_order(layers: list[Layer]) -> np.ndarray:
    return np.concatenate([p.to_file(p.value).reshape(-1) for p in parameters(layers)])


def read(
    folder: Path, content: bytes, layers: list[Layer] | None = None, partial: bool = False
) -> Loaded:
    path = folder / "some.weights"
    path.write_bytes(content)
    return read_weights(path, make_layers() if layers is None else layers, partial)


def mistake(folder: Path, content: bytes, text: str = CFG, partial: bool = False) -> str:
    """What the error says after the file's name; the layers have been left alone."""
    layers = make_layers(text)
    with pytest.raises(WeightsError) as caught:
        read(folder, content, layers, partial)
    name, _, message = str(caught.value).partition(": ")
    assert name == str(folder / "some.weights")
    assert message.isprintable()
    assert all(parameter.value is None for parameter in parameters(layers))
    return message


# Headers


@pytest.mark.parametrize(
    ("major", "minor", "seen", "bits"),
    [
        (0, 1, 2**32 - 1, 32),
        (0, 2, 2**40 + 5, 64),
        (0, 3, 9, 64),
        (1, 0, 2**40 + 5, 64),
        (1000, 0, 9, 32),
        (0, 1000, 9, 32),
        # some real files: their size tells
        (0, 2, 204_800_000, 32),
    ],
)
def test_every_version_is_read(
    major: int, minor: int, seen: int, bits: int, tmp_path: Path
) -> None:
    layers = make_layers()
    loaded = read(tmp_path, header(major, minor, seen, bits) + make_values(), layers)
    found = loaded.header
    assert (found.major, found.minor, found.revision, found.seen) == (major, minor, 7, seen)
    assert found.size == (20 if bits == 64 else 16)
    assert not found.transposed
    assert (loaded.layers, loaded.of_layers, loaded.is_partial) == (3, 3, False)
    np.testing.assert_array_equal(in_file_order(layers), np.arange(sum(SIZES) // 4))
    for parameter in parameters(layers):
        assert parameter.value.dtype == np.float32
        assert parameter.value.shape == parameter.shape


@pytest.mark.parametrize(("major", "minor"), [(1001, 0), (0, 1001), (2000, 5)])
def test_above_1000_connected_weights_stand_transposed(
    major: int, minor: int, tmp_path: Path
) -> None:
    layers, plain = make_layers(), make_layers()
    loaded = read(tmp_path, header(major, minor, 77, 32) + make_values(), layers)
    assert loaded.header.transposed
    assert loaded.header.seen == 77
    read(tmp_path, NEW + make_values(), plain)
    for found, usual in zip(parameters(layers), parameters(plain), strict=True):
        stored, expected = (p.to_file(p.value) for p in (found, usual))
        if found.name == "weights" and len(found.shape) == 2:
            outputs, inputs = found.shape
            expected = expected.reshape(inputs, outputs).T.reshape(-1)
        np.testing.assert_array_equal(stored, expected, found.name)


# Sizes


@pytest.mark.parametrize(
    ("major", "minor", "bits"),
    [(0, 1, 32), (0, 2, 64), (1, 0, 64), (1000, 0, 32), (0, 1000, 32), (0, 1001, 32)],
)
def test_a_partial_file_fills_the_first_layers(
    major: int, minor: int, bits: int, tmp_path: Path
) -> None:
    layers = make_layers()
    content = header(major, minor, 5, bits) + make_values(sum(SIZES[:2]))
    loaded = read(tmp_path, content, layers, partial=True)
    assert loaded.header.seen == 5
    assert (loaded.layers, loaded.of_layers, loaded.is_partial) == (2, 3, True)
    assert all(p.value is not None for p in parameters(layers[:3]))
    assert all(p.value is None for p in parameters(layers[3:]))


def test_a_partial_file_is_an_error_where_it_is_not_wanted(tmp_path: Path) -> None:
    assert mistake(tmp_path, NEW + make_values(SIZES[0])) == (
        f"is a partial file that ends before layer 2 [connected]: expected {sum(SIZES):,} bytes "
        f"of weights, found {SIZES[0]}"
    )


@pytest.mark.parametrize("partial", [True, False])
@pytest.mark.parametrize(
    ("size", "first"),
    [
        (0, "0 [convolutional]"),
        (4, "0 [convolutional]"),
        (SIZES[0] - 1, "0 [convolutional]"),
        (SIZES[0] + 4, "2 [connected]"),
        (SIZES[0] + SIZES[1] + 1, "3 [connected]"),
        (sum(SIZES) - 1, "3 [connected]"),
    ],
)
def test_a_short_file_is_an_error(size: int, first: str, partial: bool, tmp_path: Path) -> None:
    content = NEW + make_values()[:size]
    assert mistake(tmp_path, content, partial=partial) == (
        f"runs short in layer {first}: expected {sum(SIZES):,} bytes of weights, found {size:,}"
    )


@pytest.mark.parametrize("partial", [True, False])
@pytest.mark.parametrize("more", [1, 4, 5000])
def test_a_long_file_is_an_error(more: int, partial: bool, tmp_path: Path) -> None:
    content = NEW + make_values() + bytes(more)
    assert mistake(tmp_path, content, partial=partial) == (
        f"holds {sum(SIZES) + more:,} bytes of weights, {more:,} more than the {sum(SIZES):,} "
        "that the cfg asks for: is it for another cfg?"
    )


def test_a_network_without_weights_reads_a_header(tmp_path: Path) -> None:
    loaded = read(tmp_path, NEW, make_layers("[net]\ninputs=2\n[softmax]\n"))
    assert (loaded.header.seen, loaded.layers, loaded.of_layers) == (5, 0, 0)


# Other files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"a", "has 1 bytes, too few for a .weights file"),
        (NEW[:15], "has 15 bytes, too few for a .weights file"),
        (
            b"\n  <!DOCTYPE html><html>" + bytes(5000),
            "is an HTML page, not weights: the download failed, fetch it again",
        ),
        (b"<", "is an HTML page, not weights: the download failed, fetch it again"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
            "is a Git LFS pointer, not weights: run git lfs pull",
        ),
    ],
)
def test_what_is_no_weights_file(content: bytes, message: str, tmp_path: Path) -> None:
    assert mistake(tmp_path, content) == message


def test_what_is_no_file(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path, "is a folder, not a file"),
        (tmp_path / "none.weights", "no such file or folder"),
    ):
        with pytest.raises(WeightsError) as caught:
            read_weights(path, make_layers())
        assert str(caught.value) == one_line(f"{path}: {message}")
    with pytest.raises(WeightsError) as caught:
        read_weights(f"{tmp_path}/a\0b", make_layers())
    # in the words of Python, which differ from version to version
    assert str(caught.value).startswith(one_line(f"{tmp_path}/a\0b: "))
    assert "embedded null" in str(caught.value)


def test_a_file_that_ends_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = len(NEW) + sum(SIZES)
    monkeypatch.setattr(os, "fstat", lambda _: SimpleNamespace(st_size=full))
    with pytest.raises(WeightsError, match="ended while it was read"):
        read(tmp_path, (NEW + make_values())[:-8])


# Layers left out


def test_dontload_and_dontsave(tmp_path: Path) -> None:
    def left_out(key: str) -> list[Layer]:
        return make_layers(CFG.replace("output=5", f"output=5\n{key}=1"))

    whole, short = make_values(), make_values(SIZES[0] + SIZES[2])
    layers = left_out("dontload")
    loaded = read(tmp_path, NEW + short, layers)
    assert (loaded.layers, loaded.of_layers) == (2, 2)
    assert all(p.value is None for p in layers[2].parameters())
    assert in_file_order(layers[3:])[0] == SIZES[0] // 4
    assert weights_bytes(layers) == 20 + sum(SIZES)

    layers = left_out("dontsave")
    read(tmp_path, NEW + whole, layers)
    assert weights_bytes(layers) == 20 + SIZES[0] + SIZES[2]
    write_weights(tmp_path / "new.weights", layers, 5)
    values = whole[: SIZES[0]] + whole[SIZES[0] + SIZES[1] :]
    assert (tmp_path / "new.weights").read_bytes()[20:] == values


KEYED = CFG.replace("[connected]\noutput=5\n", "[connected]\noutput=5\n{}").replace(
    "output=3\n", "output=3\n{}"
)


@pytest.mark.parametrize("begin", [False, True])
@pytest.mark.parametrize("keys", [("dontload=1\n", ""), ("", "dontload=1\n")])
def test_what_dontload_wrote_is_read_by_its_own_cfg(
    keys: tuple[str, str], begin: bool, tmp_path: Path
) -> None:
    """All of it, but where a training begins: then the layer is left alone."""
    text, path = KEYED.format(*keys), tmp_path / "own.weights"
    write_weights(path, filled_layers(tmp_path), 7)
    layers = make_layers(text)
    loaded = read_weights(path, layers, begin=begin)
    assert not loaded.is_partial
    for layer, expected in zip(layers, filled_layers(tmp_path), strict=True):
        for found, other in zip(layer.parameters(), expected.parameters(), strict=True):
            if begin and layer.dontload:
                assert found.value is None
            else:
                np.testing.assert_array_equal(found.value, other.value)
    assert loaded.left == tuple(i for i, layer in enumerate(layers) if begin and layer.dontload)


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        (("dontsave=1\ndontload=1\n", ""), (2,)),
        (("dontsave=1\ndontload=1\n", "dontload=1\n"), (2,)),
        (("dontload=1\n", "dontsave=1\ndontload=1\n"), (3,)),
    ],
)
def test_what_is_neither_saved_nor_loaded(
    keys: tuple[str, str], left: tuple[int, ...], tmp_path: Path
) -> None:
    path, layers = tmp_path / "own.weights", filled_layers(tmp_path)
    for layer, own in zip(layers, make_layers(KEYED.format(*keys)), strict=True):
        layer.dontsave = own.dontsave
    write_weights(path, layers, 7)
    others = make_layers(KEYED.format(*keys))
    loaded = read_weights(path, others)
    assert (loaded.left, loaded.is_partial) == (left, False)
    for index, (layer, other) in enumerate(zip(layers, others, strict=True)):
        for expected, found in zip(layer.parameters(), other.parameters(), strict=True):
            if index in left:
                assert found.value is None
            else:
                np.testing.assert_array_equal(found.value, expected.value)


def test_what_was_not_saved_is_no_answer(tmp_path: Path) -> None:
    """But a training may go on from it, and draw the layer."""
    text, short = KEYED.format("dontsave=1\n", ""), NEW + make_values(SIZES[0] + SIZES[2])
    message = " holds nothing of layer 2 [connected], as dontsave=1 says: without it there is no"
    assert mistake(tmp_path, short, text) == message[1:] + " answer"
    layers = make_layers(text)
    loaded = read(tmp_path, short, layers, partial=True)
    assert (loaded.layers, loaded.of_layers, loaded.is_partial) == (2, 3, True)
    assert all(p.value is None for p in layers[2].parameters())
    assert parameters(layers[3:])[0].value[0] == SIZES[0] // 4


def test_a_size_that_has_two_meanings(tmp_path: Path) -> None:
    text = "[net]\ninputs=4\n" + 2 * "[connected]\noutput=4\n{}=1\n" + "[softmax]\n"
    content = NEW + make_values(80)
    assert mistake(tmp_path, content, text.format("dontload", "dontsave")) == (
        "may hold all layers but those with dontload=1, or all but those with dontsave=1, by its "
        "size: remove one of the keys from the cfg"
    )


# What no training leaves


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (3, np.nan, "layer 0 [convolutional] has weights that are not finite: 1 of 4 biases: "),
        (20, -np.inf, "layer 0 [convolutional] has weights that are not finite: 1 of 72 weights: "),
        (14, np.nan, "layer 0 [convolutional] has weights that are not finite: 1 of 4 rolling_var"),
        (
            14,
            -0.5,
            "layer 0 [convolutional] has variances that are negative (-0.5): 1 of 4 rolling_var",
        ),
        (
            -1,
            -0.25,
            "layer 3 [connected] has variances that are negative (-0.25): 1 of 3 rolling_var",
        ),
    ],
)
def test_numbers_that_make_nothing_but_nan_are_refused(
    place: int, value: float, message: str, tmp_path: Path
) -> None:
    values = np.frombuffer(make_values(), "<f4").copy()
    values[place] = value
    found = mistake(tmp_path, NEW + values.tobytes())
    assert found.startswith(message)
    assert found.endswith("the training diverged, the file is damaged, or it is for another cfg")


def test_variances_a_hair_below_zero_come_back_as_they_were(tmp_path: Path) -> None:
    values = np.frombuffer(make_values(), "<f4").copy()
    values[[12, 13, -1]] = -7.006e-44, -1e-7, -1e-45
    write_weights(tmp_path / "new.weights", filled_layers(tmp_path, NEW + values.tobytes()), 5)
    assert (tmp_path / "new.weights").read_bytes()[20:] == values.tobytes()


# Writing


def filled_layers(folder: Path, content: bytes = NEW + make_values()) -> list[Layer]:
    layers = make_layers()
    read(folder, content, layers)
    return layers


@pytest.mark.parametrize("seen", [0, 12345, 2**32 + 1])
def test_what_is_written(seen: int, tmp_path: Path) -> None:
    path = tmp_path / "new.weights"
    write_weights(path, filled_layers(tmp_path), seen)
    assert path.read_bytes() == struct.pack("<iiiQ", 0, 2, 0, seen) + make_values()
    assert path.stat().st_size == weights_bytes(make_layers())


def test_what_a_device_holds_is_brought_to_the_host_first(tmp_path: Path) -> None:
    layers, path = filled_layers(tmp_path), tmp_path / "new.weights"
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    for parameter in parameters:
        parameter.data = -parameter.data
    write_weights(path, layers, 5, to_host=np.negative)
    assert path.read_bytes()[20:] == make_values()


def test_a_file_has_the_rights_that_the_user_gives_new_files(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_weights(tmp_path / "new.weights", filled_layers(tmp_path), 0)
    finally:
        os.umask(old)
    assert (tmp_path / "new.weights").stat().st_mode & 0o777 == 0o640


def test_transposed_weights_are_written_as_others(tmp_path: Path) -> None:
    layers = filled_layers(tmp_path, header(0, 1001, 0, 32) + make_values())
    before = in_file_order(layers)
    write_weights(tmp_path / "new.weights", layers, 0)
    again = make_layers()
    assert not read_weights(tmp_path / "new.weights", again).header.transposed
    np.testing.assert_array_equal(in_file_order(again), before)


@contextmanager
def failing(what: str, error: BaseException, layers: list[Layer]) -> Iterator[None]:
    """While inside, a step of writing raises."""

    def fail(*_: Any, **__: Any) -> NoReturn:
        raise error

    with pytest.MonkeyPatch.context() as patch:
        if what == "a value":
            patch.setattr(layers[3].parameters()[1], "to_file", fail)
        else:
            patch.setattr(os, what, fail)
        yield


@pytest.mark.parametrize("what", ["a value", "fchmod", "fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(what: str, tmp_path: Path) -> None:
    layers = filled_layers(tmp_path)
    path = tmp_path / "some.weights"
    before = path.read_bytes()
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        failing(what, full, layers),
        pytest.raises(WeightsError, match=rf"^{path}: cannot be written: No space left on device$"),
    ):
        write_weights(path, layers, 99)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    with failing(what, KeyboardInterrupt(), layers), pytest.raises(KeyboardInterrupt):
        write_weights(path, layers, 99)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    layers = filled_layers(tmp_path)
    for path, message in (
        (tmp_path / "none" / "new.weights", "no such file or folder"),
        (tmp_path, "is a folder, not a file"),
    ):
        with pytest.raises(WeightsError) as caught:
            write_weights(path, layers, 0)
        assert str(caught.value) == f"{path}: cannot be written: {message}"


# Round trips


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in ("forward", "train") for name in golden_names(kind)]
)
def test_the_c_programs_files_come_back_byte_for_byte(kind: str, name: str, tmp_path: Path) -> None:
    figure = load_golden(kind, name)
    layers = make_layers(figure["cfg"])
    content = figure["weights"].tobytes()
    loaded = read(tmp_path, content, layers)
    write_weights(tmp_path / "new.weights", layers, loaded.header.seen)
    assert (tmp_path / "new.weights").read_bytes() == content


def test_tiny_weights_come_back(test_data: Path, tmp_path: Path) -> None:
    layers = build(read_sections(TINY_CFG), str(TINY_CFG)).layers
    loaded = read_weights(test_data / "tiny.weights", layers)
    assert (loaded.header.major, loaded.header.minor, loaded.header.seen) == (0, 1, 204_800_000)
    write_weights(tmp_path / "new.weights", layers, loaded.header.seen)
    old, new = (test_data / "tiny.weights").read_bytes(), (tmp_path / "new.weights").read_bytes()
    assert new == struct.pack("<iiiQ", 0, 2, 0, 204_800_000) + old[16:]


# Hostile files

HUGE = "[net]\nheight=999\nwidth=999\nchannels=9\n[connected]\noutput=200\n"


def peak_of_reading(folder: Path, content: bytes, text: str, partial: bool) -> int:
    """The most bytes held while a file is read that may be refused, but no more."""
    layers = make_layers(text)
    path = folder / "some.weights"
    path.write_bytes(content)
    message = ""
    tracemalloc.start()
    try:
        read_weights(path, layers, partial)
    except WeightsError as error:
        message = str(error)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert message.isprintable()
    return peak


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


def test_memory_is_measured(scratch: Path) -> None:
    text = "[net]\ninputs=1000\n[connected]\noutput=500\n"
    size = 4 * (500 + 500 * 1000)
    peak = peak_of_reading(scratch, NEW + bytes(size), text, partial=False)
    assert size < peak < 3 * size + 200_000


FILES = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=300).map(lambda tail: NEW + tail),
    st.builds(
        header, st.integers(-5, 1100), st.integers(-5, 1100), st.integers(0, 2**32 - 1), st.just(32)
    ).map(lambda start: start + make_values()),
)


@given(FILES, st.booleans())
def test_any_bytes_are_read_or_refused(scratch: Path, content: bytes, partial: bool) -> None:
    for text in (CFG, HUGE):
        assert peak_of_reading(scratch, content, text, partial) < 3 * len(content) + 200_000


@given(
    st.integers(0, len(NEW) + sum(SIZES)),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 255)), max_size=4),
    st.booleans(),
)
@example(length=len(NEW) + sum(SIZES), changes=[], partial=False)
def test_damaged_files_are_read_or_refused(
    scratch: Path, length: int, changes: list[tuple[int, int]], partial: bool
) -> None:
    content = bytearray((NEW + make_values())[:length])
    for place, value in changes:
        if place < length:
            content[place] = value
    assert peak_of_reading(scratch, bytes(content), CFG, partial) < 3 * length + 200_000


# The first layers alone


@pytest.mark.parametrize("size", [sum(SIZES), sum(SIZES[:2]), SIZES[0]])
@pytest.mark.parametrize("bits", [32, 64])
def test_the_first_layers_are_read_from_whole_and_partial_files(
    size: int, bits: int, tmp_path: Path
) -> None:
    layers, path = make_layers(), tmp_path / "some.weights"
    path.write_bytes(header(0, 1 if bits == 32 else 2, 9, bits) + make_values(size))
    loaded = read_weights(path, layers, upto=2)
    assert (loaded.header.seen, loaded.layers, loaded.of_layers) == (9, 1, 1)
    np.testing.assert_array_equal(in_file_order(layers[:2]), np.arange(SIZES[0] // 4))
    assert all(parameter.value is None for parameter in parameters(layers[2:]))


def test_a_real_file_that_lies_of_its_header_is_known_by_all_layers(tmp_path: Path) -> None:
    layers, path = make_layers(), tmp_path / "some.weights"
    path.write_bytes(header(0, 2, 204_800_000, 32) + make_values())
    loaded = read_weights(path, layers, upto=1)
    assert (loaded.header.size, loaded.header.seen) == (16, 204_800_000)
    np.testing.assert_array_equal(in_file_order(layers[:1]), np.arange(SIZES[0] // 4))


@pytest.mark.parametrize(
    ("size", "upto", "message"),
    [
        (SIZES[0], 3, "is a partial file that ends before layer 2 [connected]"),
        (SIZES[0] - 4, 1, "runs short in layer 0 [convolutional]"),
        (SIZES[0] + 4, 1, "runs short in layer 2 [connected]"),
        (sum(SIZES) + 4, 1, "holds"),
    ],
)
def test_files_that_do_not_fit_the_first_layers(
    size: int, upto: int, message: str, tmp_path: Path
) -> None:
    layers, path = make_layers(), tmp_path / "some.weights"
    path.write_bytes(NEW + make_values(size))
    with pytest.raises(WeightsError) as caught:
        read_weights(path, layers, upto=upto)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert all(parameter.value is None for parameter in parameters(layers))


def test_more_pictures_than_can_be_counted(tmp_path: Path) -> None:
    layers = make_layers()
    assert read(tmp_path, header(0, 2, 2**61, 64) + make_values(), layers).header.seen == 2**61
    with pytest.raises(
        WeightsError, match="is damaged: it says that 2,305,843,009,213,693,953 pic"
    ):
        read(tmp_path, header(0, 2, 2**61 + 1, 64) + make_values(), layers)

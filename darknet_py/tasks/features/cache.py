"""Features of a set of pictures: computed once, kept on disk, given in batches."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from hashlib import blake2b
from io import FileIO
from itertools import count, islice
from pathlib import Path
from types import TracebackType

import numpy as np

from darknet_py.atomic import lock_file, write_text
from darknet_py.errors import DarknetError, PictureError
from darknet_py.images import (
    DIGEST,
    BalancedOrder,
    Batch,
    Dataset,
    Order,
    Turn,
    Views,
    check_enough,
    file_digests,
    others,
)
from darknet_py.network import Network
from darknet_py.tasks.features.backbone import Backbone
from darknet_py.tasks.targets import probabilities_of

# Features on the disk: rows of float32 in one file, whose pictures they are in another.
#
# A row is written before its picture's digest and a checksum are. What is not whole, after whatever
# happened to the process or the machine, is cut off when the files are next opened.

_RECORD = struct.Struct(f"<{DIGEST}sI")
"""What stands in the second file for each row of the first: a digest, and the CRC-32 of it and the
row."""


class FeatureStore:
    """Rows of a shape, by the digest of their picture; to be used by one process at a time.

    Raises DarknetError where the folder cannot be used, or another process uses it.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...]) -> None:
        self.folder = folder
        self._shape = shape
        self._files = files = ExitStack()
        self._bytes = 4 * int(np.prod(shape))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # without a buffer, which would want to be written again where the disk was full
            self._data = files.enter_context(FileIO(folder / "features", "a+"))
            self._index = files.enter_context(FileIO(folder / "pictures", "a+"))
            self._lock()
            self._rows, self._count = self._recover()
        except OSError as error:
            files.close()
            raise self._fault(error) from error

    def __enter__(self) -> FeatureStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files.close()

    def missing(self, digests: Sequence[bytes]) -> list[int]:
        """The places of those that have no row yet, each digest once."""
        places = {digest: place for place, digest in reversed(list(enumerate(digests)))}
        return sorted(place for digest, place in places.items() if digest not in self._rows)

    def add(self, digests: Sequence[bytes], rows: np.ndarray) -> None:
        """Writes rows (n, *shape) of pictures that have none yet. Raises DarknetError."""
        content = [np.ascontiguousarray(row, np.float32).tobytes() for row in rows]
        records = [
            _RECORD.pack(digest, _checksum(digest, row))
            for digest, row in zip(digests, content, strict=True)
        ]
        try:
            _write(self._data, b"".join(content))
            _write(self._index, b"".join(records))
        except OSError as error:
            raise self._fault(error) from error
        self._rows |= {digest: self._count + place for place, digest in enumerate(digests)}
        self._count += len(digests)

    def rows_of(self, digests: Sequence[bytes]) -> np.ndarray:
        """The numbers (n,) of their rows, all of which must be there."""
        return np.array([self._rows[digest] for digest in digests], np.int64)

    def array(self) -> np.ndarray:
        """All rows, (rows, *shape), to be read: memory takes what is used alone."""
        path = self.folder / "features"
        return np.memmap(path, np.float32, "r", shape=(self._count, *self._shape))

    def _recover(self) -> tuple[dict[bytes, int], int]:
        """The rows by digest, and how many there are; both files cut to those that are whole."""
        rows: dict[bytes, int] = {}
        count = 0
        self._data.seek(0)
        self._index.seek(0)
        while len(record := self._index.read(_RECORD.size)) == _RECORD.size:
            digest, checksum = _RECORD.unpack(record)
            row = self._data.read(self._bytes)
            if len(row) < self._bytes or _checksum(digest, row) != checksum:
                break
            rows[digest] = count
            count += 1
        self._data.truncate(count * self._bytes)
        self._index.truncate(count * _RECORD.size)
        return rows, count

    def _lock(self) -> None:
        """For as long as the file is open; a process that dies lets go of it."""
        try:
            lock_file(self._index.fileno())
        except BlockingIOError as error:
            self._files.close()
            raise DarknetError(
                f"{self.folder}: another process writes features there: wait for it, or use "
                "another --cache"
            ) from error
        except OSError:  # no locks here: that nobody else does is the user's care
            pass

    def _fault(self, error: OSError) -> DarknetError:
        reason = error.strerror or str(error)
        return DarknetError(
            f"{self.folder}: features cannot be kept: {reason}: use another --cache, or --no-cache"
        )


def _checksum(digest: bytes, row: bytes) -> int:
    return zlib.crc32(row, zlib.crc32(digest))


def _write(file: FileIO, content: bytes) -> None:
    """All of it, where the system would stop early."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


_BATCH = 32
"""Views that go through the network together, about."""


@dataclass(frozen=True)
class Cached:
    """So many pictures of so many have their features; `found` had them before."""

    done: int
    total: int
    found: int


@dataclass(frozen=True)
class Features:
    """Of a set of pictures: `array[rows[i]]` are those of picture i, (views, *shape); of one that
    could not be read, which `refused` has, there are none, and its row is -1."""

    array: np.ndarray
    rows: np.ndarray
    refused: dict[int, PictureError] = field(default_factory=dict)


def features_bytes(backbone: Backbone, views: int, pictures: int) -> int:
    """What the features of so many views of so many pictures take on the disk."""
    return 4 * views * pictures * int(np.prod(backbone.shape))


def cached_features(
    backbone: Backbone, paths: list[Path], views: Views, folder: Path
) -> Generator[Cached, None, Features]:
    """The features of each picture's views, kept in a folder of `folder` whose name is a digest of
    all that they depend on: a run that is killed computes none twice. Pictures that cannot be read
    are left out. Raises DarknetError, also where more cannot be read than can."""
    about = {"backbone": backbone.digest(), "views": views.describe()}
    key = blake2b(json.dumps(about).encode(), digest_size=12).hexdigest()
    found_digests = file_digests(paths)
    refused = {i: each for i, each in enumerate(found_digests) if isinstance(each, PictureError)}
    check_enough(refused, len(paths))
    digests = [b"" if isinstance(each, PictureError) else each for each in found_digests]
    with FeatureStore(folder / key, (views.count, *backbone.shape)) as store:
        missing = [place for place in store.missing(digests) if place not in refused]
        _check_room(folder, features_bytes(backbone, views.count, len(missing)))
        write_text(store.folder / "about.json", json.dumps(_described(backbone, about), indent=1))
        distinct = len(set(digests) - {b""})
        found = distinct - len(missing)
        yield Cached(found, distinct, found)
        yield from _fill(backbone, views, store, digests, missing, found, refused)
        check_enough(refused, len(paths))
        there = [place for place in range(len(paths)) if place not in refused]
        rows = np.full(len(paths), -1, np.int64)
        rows[there] = store.rows_of([digests[place] for place in there])
        return Features(store.array(), rows, refused)


def _fill(
    backbone: Backbone,
    views: Views,
    store: FeatureStore,
    digests: list[bytes],
    missing: list[int],
    found: int,
    refused: dict[int, PictureError],
) -> Generator[Cached]:
    """Computes what is missing; `refused` gets the pictures that cannot be read, and those of equal
    content."""
    some = max(_BATCH // views.count, 1)
    with closing(views.stream(missing, digests)) as stream:
        for start in range(0, len(missing), some):
            places = missing[start : start + some]
            made = list(zip(places, islice(stream, len(places)), strict=True))
            bad = {digests[place]: x for place, x in made if isinstance(x, PictureError)}
            refused.update({i: bad[each] for i, each in enumerate(digests) if bad and each in bad})
            good = [(place, x) for place, x in made if not isinstance(x, PictureError)]
            if good:
                rows = backbone(np.concatenate([x for _, x in good]))
                rows = rows.reshape(len(good), views.count, *backbone.shape)
                store.add([digests[place] for place, _ in good], rows)
            done = start + len(places)
            yield Cached(found + done, found + len(missing), found)


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DarknetError(
            f"{folder}: the features need {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free: "
            "take fewer --views, another --cache, or --no-cache"
        )


def _described(backbone: Backbone, about: dict[str, str]) -> dict[str, object]:
    """For whoever looks into the folder."""
    shape = list(backbone.shape)
    return {"cfg": str(backbone.net.path), "layer": backbone.last, "shape": shape, **about}


# Batches of features, where a loader gives batches of pictures.


class FeatureSource:
    """The batches of a dataset's features, endless, each a pure function of its number: pictures
    come in `order`, and in each epoch the next of their views. See images.Loader."""

    waited = 0.0

    def __init__(
        self, dataset: Dataset, features: Features, batch: int, order: Order | BalancedOrder
    ) -> None:
        self._dataset = dataset
        self._features = features
        self._batch = batch
        self._order = order
        self._untold = list(features.refused.values())
        self._truths = np.stack([dataset.truth(index) for index in range(len(dataset))])

    def batches(self, start: int = 0) -> Generator[Batch]:
        """Features (n, *shape) and truths (n, classes)."""
        array, rows = self._features.array, self._features.rows
        views = array.shape[1]
        for number in count(start):
            turns = self._order.turns(number * self._batch, (number + 1) * self._batch)
            pictures = [self._picture(turn) for turn in turns]
            x = array[rows[pictures], [turn.epoch % views for turn in turns]]
            yield x, self._truths[pictures]

    def _picture(self, turn: Turn) -> int:
        """The picture whose turn it is, or where it could not be read one in its place."""
        rows = self._features.rows
        if rows[turn.picture] >= 0:
            return turn.picture
        return next(index for index in others(self._dataset, 0, turn) if rows[index] >= 0)

    def untold(self) -> list[PictureError]:
        """The errors of pictures that have no features, once."""
        errors, self._untold = self._untold, []
        return errors

    def paths(self, number: int) -> list[Path]:
        """The pictures of batch `number`."""
        turns = self._order.turns(number * self._batch, (number + 1) * self._batch)
        return [self._dataset.paths[turn.picture] for turn in turns]


def predictions_of(net: Network, features: Features, batch: int = 256) -> Iterator[np.ndarray]:
    """What a network that takes features says of each picture's first view, (n, classes); of those
    that have none, nothing."""
    rows = features.rows[features.rows >= 0]
    for start in range(0, len(rows), batch):
        x = features.array[rows[start : start + batch], 0]
        yield probabilities_of(net.predict(x))

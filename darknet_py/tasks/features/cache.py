"""Features of a set of pictures, computed where they are not kept yet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path

import numpy as np

from darknet_py.atomic import write_text
from darknet_py.errors import DarknetError, PictureError
from darknet_py.images import Views, check_enough, file_digests
from darknet_py.tasks.features.front import Front
from darknet_py.tasks.features.store import FeatureStore

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


def features_bytes(front: Front, views: int, pictures: int) -> int:
    """What the features of so many views of so many pictures take on the disk."""
    return 4 * views * pictures * int(np.prod(front.shape))


def cached_features(
    front: Front, paths: list[Path], views: Views, folder: Path
) -> Generator[Cached, None, Features]:
    """The features of each picture's views. They are kept in a folder of `folder` whose name is a
    digest of all that they depend on, picture by picture: a run that is killed computes none of
    them twice. Pictures that cannot be read are left out. Yields as they grow. Raises DarknetError,
    also where more cannot be read than can.
    """
    about = {"front": front.digest(), "views": views.describe()}
    key = blake2b(json.dumps(about).encode(), digest_size=12).hexdigest()
    found_digests = file_digests(paths)
    refused = {i: each for i, each in enumerate(found_digests) if isinstance(each, PictureError)}
    check_enough(refused, len(paths))
    digests = [b"" if isinstance(each, PictureError) else each for each in found_digests]
    with FeatureStore(folder / key, (views.count, *front.shape)) as store:
        missing = [place for place in store.missing(digests) if place not in refused]
        _check_room(folder, features_bytes(front, views.count, len(missing)))
        write_text(store.folder / "about.json", json.dumps(_described(front, about), indent=1))
        distinct = len(set(digests) - {b""})
        found = distinct - len(missing)
        yield Cached(found, distinct, found)
        yield from _fill(front, views, store, digests, missing, found, refused)
        check_enough(refused, len(paths))
        there = [place for place in range(len(paths)) if place not in refused]
        rows = np.full(len(paths), -1, np.int64)
        rows[there] = store.rows_of([digests[place] for place in there])
        return Features(store.array(), rows, refused)


def _fill(
    front: Front,
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
                rows = front(np.concatenate([x for _, x in good]))
                rows = rows.reshape(len(good), views.count, *front.shape)
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


def _described(front: Front, about: dict[str, str]) -> dict[str, object]:
    """For whoever looks into the folder."""
    shape = list(front.shape)
    return {"cfg": str(front.net.path), "layer": front.last, "shape": shape, **about}

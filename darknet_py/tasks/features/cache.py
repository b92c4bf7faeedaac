"""Features of a set of pictures, computed where they are not kept yet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path

import numpy as np

from darknet_py.atomic import write_text
from darknet_py.errors import DarknetError
from darknet_py.images import Views, file_digests
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
    """Of a set of pictures: `array[rows[i]]` are those of picture i, (views, *shape)."""

    array: np.ndarray
    rows: np.ndarray


def features_bytes(front: Front, views: int, pictures: int) -> int:
    """What the features of so many views of so many pictures take on the disk."""
    return 4 * views * pictures * int(np.prod(front.shape))


def cached_features(
    front: Front, paths: list[Path], views: Views, folder: Path
) -> Generator[Cached, None, Features]:
    """The features of each picture's views. They are kept in a folder of `folder` whose name is a
    digest of all that they depend on, picture by picture: a run that is killed computes none of
    them twice. Yields as they grow. Raises DarknetError, PictureError.
    """
    about = {"front": front.digest(), "views": views.describe()}
    key = blake2b(json.dumps(about).encode(), digest_size=12).hexdigest()
    digests = file_digests(paths)
    with FeatureStore(folder / key, (views.count, *front.shape)) as store:
        missing = store.missing(digests)
        _check_room(folder, features_bytes(front, views.count, len(missing)))
        write_text(store.folder / "about.json", json.dumps(_described(front, about), indent=1))
        distinct = len(set(digests))
        found = distinct - len(missing)
        yield Cached(found, distinct, found)
        yield from _fill(front, views, store, digests, missing, found)
        return Features(store.array(), store.rows_of(digests))


def _fill(
    front: Front,
    views: Views,
    store: FeatureStore,
    digests: list[bytes],
    missing: list[int],
    found: int,
) -> Generator[Cached]:
    some = max(_BATCH // views.count, 1)
    with closing(views.stream(missing, digests)) as stream:
        for start in range(0, len(missing), some):
            places = missing[start : start + some]
            x = np.concatenate(list(islice(stream, len(places))))
            rows = front(x).reshape(len(places), views.count, *front.shape)
            store.add([digests[place] for place in places], rows)
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

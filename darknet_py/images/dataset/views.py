"""Views of pictures: the fitted one, or some that are changed at random, always the same ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.cfg.augmentation import Augmentation
from darknet_py.errors import PictureError
from darknet_py.images.io.image import load_image, load_pixels
from darknet_py.images.transform.augment import (
    Purpose,
    augment_image,
    generator,
    principal_components,
)
from darknet_py.images.transform.color import to_channels
from darknet_py.images.transform.fit import fit_image
from darknet_py.ops.cpu.runtime.threads import thread_count

_Floats = npt.NDArray[np.float32]

_AHEAD = 4
"""Pictures that each thread makes ahead of whoever takes them."""


class Views:
    """`count` views of pictures, each (c, h, w), 0..1.

    augmentation: what changes them, or None for the one view that validation and `classify` see,
    `fit_image(picture, w, h, "crop")`; of mixup and cutmix, which mix pictures, there is nothing in
    them. A view depends on the seed, its number and the picture's digest: not on its place in a
    set. paths: the set, from whose pictures come the colours that augmentation.pca moves along.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        w: int,
        h: int,
        c: int,
        count: int,
        augmentation: Augmentation | None,
        seed: int = 0,
        workers: int | None = None,
    ) -> None:
        if count < 1 or (augmentation is None and count != 1):
            raise ValueError(f"{count} views: expected 1 or more, and 1 where nothing changes them")
        to_channels(np.zeros((1, 1, 3), np.float32), c)
        self.count = count
        self._paths = paths
        self._shape = c, h, w
        self._augmentation = augmentation
        self._seed = seed
        self._workers = workers or thread_count()
        self._components = None
        if augmentation is not None and augmentation.pca:
            self._components = principal_components(self._pixels, len(paths), seed)

    def _pixels(self, index: int) -> npt.NDArray[Any] | None:
        try:
            return load_pixels(self._paths[index])
        except PictureError:
            return None

    def describe(self) -> str:
        """What they depend on beside the picture."""
        c, h, w = self._shape
        if self._augmentation is None:
            return f"{w}x{h}x{c}, fitted by crop"
        colours = None if self._components is None else self._components.tolist()
        return f"{w}x{h}x{c}, {self.count}, {self._augmentation}, seed {self._seed}, {colours}"

    def stream(
        self, indices: Sequence[int], digests: Sequence[bytes]
    ) -> Generator[_Floats | PictureError]:
        """The views (count, c, h, w) of each of these pictures, in order, made ahead by threads, or
        the error of one that cannot be read; digests: of all pictures."""
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="darknet-views")
        waiting: deque[Future[_Floats | PictureError]] = deque()
        coming = iter(indices)
        try:
            for index in islice(coming, _AHEAD * self._workers):
                waiting.append(pool.submit(self._try, index, digests[index]))
            while waiting:
                made = waiting.popleft().result()
                for index in islice(coming, 1):
                    waiting.append(pool.submit(self._try, index, digests[index]))
                yield made
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _try(self, index: int, digest: bytes) -> _Floats | PictureError:
        try:
            return self.make(index, digest)
        except PictureError as error:
            return error

    def make(self, index: int, digest: bytes) -> _Floats:
        """The views (count, c, h, w) of one picture of the set, of this digest. Raises
        PictureError."""
        c, h, w = self._shape
        picture = load_image(self._paths[index])
        out = np.empty((self.count, c, h, w), np.float32)
        if self._augmentation is None:
            out[0] = to_channels(fit_image(picture, w, h, "crop"), c).transpose(2, 0, 1)
            return out
        for view, image in enumerate(out):
            rng = generator(Purpose.VIEW, self._seed, view, int.from_bytes(digest, "little"))
            augment_image(picture, image, self._augmentation, rng, self._components)
        return out

"""Fixed views of pictures: the fitted one, or some that are augmented at random once."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np

from darknet_py.cfg.augmentation import Augmentation
from darknet_py.errors import PictureError
from darknet_py.images.arrays import Array, Floats
from darknet_py.images.dataset.readable import in_threads
from darknet_py.images.io.image import load_image, load_pixels
from darknet_py.images.transform.augment import (
    Purpose,
    augment_image,
    generator,
    principal_components,
)
from darknet_py.images.transform.color import to_channels
from darknet_py.images.transform.fit import fit_image


class Views:
    """`count` views of pictures, each (c, h, w), 0..1.

    augmentation: of all views, without mixup and cutmix; None for one view, the preprocessing of
    validation and `classify`: `fit_image(picture, w, h, "crop")`. A view depends on the seed, its
    number and the picture's digest, not on its place in a set. paths: the set, whose principal
    components augmentation.pca uses.
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
        self._workers = workers
        self._components = None
        if augmentation is not None and augmentation.pca:
            self._components = principal_components(self._pixels, len(paths), seed)

    def _pixels(self, index: int) -> Array | None:
        try:
            return load_pixels(self._paths[index])
        except PictureError:
            return None

    def describe(self) -> str:
        """All they depend on beside the picture."""
        c, h, w = self._shape
        if self._augmentation is None:
            return f"{w}x{h}x{c}, fitted by crop"
        colours = None if self._components is None else self._components.tolist()
        return f"{w}x{h}x{c}, {self.count}, {self._augmentation}, seed {self._seed}, {colours}"

    def stream(
        self, indices: Sequence[int], digests: Sequence[bytes]
    ) -> Generator[Floats | PictureError]:
        """The views (count, c, h, w) of each of these pictures, in order, made ahead by threads, or
        the error of one that cannot be read; digests: of all pictures."""

        def make(index: int) -> Floats | PictureError:
            try:
                return self.make(index, digests[index])
            except PictureError as error:
                return error

        return in_threads(make, indices, self._workers)

    def make(self, index: int, digest: bytes) -> Floats:
        """The views (count, c, h, w) of picture `index`, of this digest. Raises PictureError."""
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

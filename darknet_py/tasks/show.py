"""A batch as the network sees it."""

from __future__ import annotations

from pathlib import Path

from darknet_py.errors import PictureError
from darknet_py.images import Loader, draw_sheet, save_image
from darknet_py.network import Network
from darknet_py.tasks.data import Data


def draw_batch(
    net: Network, data: Data, number: int, count: int, seed: int, path: str | Path
) -> tuple[int, list[PictureError]]:
    """Draws the first `count` pictures of a training's batch, and gives how many these are, and why
    others could not be read, in whose places they are.

    Each has its label; a mixed one those that are a part of it, with their shares.
    """
    h, w, c = net.in_shape
    batch, augmentation = net.settings.batch, net.settings.augmentation
    loader = Loader(data.training(), w, h, c, batch, augmentation, seed)
    x, y = loader.batch(number)
    pictures, captions = x[:count].transpose(0, 2, 3, 1), []
    for truth in y[:count]:
        parts = [(share, data.names[k]) for k, share in enumerate(truth.tolist()) if share > 0.005]
        shares = (f"{name} {share:.0%}" for share, name in sorted(parts, reverse=True))
        captions.append(parts[0][1] if len(parts) == 1 else ", ".join(shares))
    save_image(draw_sheet(list(pictures), captions), path)
    return len(pictures), loader.untold()

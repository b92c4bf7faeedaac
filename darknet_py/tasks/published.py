"""The weights that darknet's author publishes: what they are, and how they are fetched.

pooch downloads: into a temporary file beside the place, which it takes when all has come.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from darknet_py.errors import DarknetError

MIRRORS = ("https://data.pjreddie.com/files", "https://pjreddie.com/media/files")
"""Where files lie, in the order in which they are asked; the pages of pjreddie.com/darknet link to
the first, those of other people to the second."""

TIMEOUT = 60.0
"""Seconds without a byte."""


class Published(NamedTuple):
    """A file: the floats that cfg/NAME.cfg reads from it, what it is, its digest where known."""

    floats: int
    about: str
    sha256: str = ""

    @property
    def sizes(self) -> tuple[int, int]:
        """Lengths that the file may have, in bytes: its header is 16 bytes, or 20."""
        return 4 * self.floats + 16, 4 * self.floats + 20


PUBLISHED = {
    "tiny": Published(
        1_046_488,
        "ImageNet, top-1 58.7 %",
        "f1c3fe6b9bab9af69ae2a090682df3e5b9d83accba69551315f030ce1b37ea81",
    ),
    "darknet": Published(7_323_480, "ImageNet, top-1 61.1 %, the reference model"),
    "darknet19": Published(20_856_776, "ImageNet, top-1 72.9 %"),
    "darknet19_448": Published(20_856_776, "ImageNet, top-1 76.4 %, pictures of 448x448"),
    "darknet53": Published(41_645_640, "ImageNet, top-1 77.2 %"),
    "darknet53_448": Published(41_645_640, "ImageNet, top-1 78.5 %, pictures of 448x448"),
    "extraction": Published(23_455_400, "ImageNet, top-1 72.5 %"),
    "alexnet": Published(62_378_344, "ImageNet, top-1 57.0 %"),
    "vgg-16": Published(138_357_544, "ImageNet, top-1 70.5 %"),
    "resnet18": Published(11_523_496, "ImageNet, top-1 70.7 %"),
    "resnet34": Published(21_639_080, "ImageNet, top-1 72.4 %"),
    "resnet50": Published(22_825_896, "ImageNet, top-1 75.8 %"),
    "resnet101": Published(41_870_248, "ImageNet, top-1 77.1 %"),
    "resnet152": Published(57_559_976, "ImageNet, top-1 77.6 %"),
    # The page says 220 MB for this one, which is resnet152's size; the cfg reads 89 MB.
    "resnext50": Published(22_312_872, "ImageNet, top-1 77.8 %"),
    "resnext101-32x4d": Published(41_639_208, "ImageNet, top-1 77.7 %"),
    "resnext152-32x4d": Published(56_730_920, "ImageNet, top-1 77.6 %"),
    "densenet201": Published(17_206_440, "ImageNet, top-1 77.0 %"),
    "vgg-conv": Published(14_714_688, "convolutional layers, for nightmare"),
    "jnet-conv": Published(18_870_048, "convolutional layers, for nightmare"),
}


class DownloadError(DarknetError):
    """A file that could not be fetched, or is not the one that was published."""


class _Bar:
    """What pooch tells of a download, and where one ends that cannot be the file."""

    total: int
    """The length that the server announces; 0: none. pooch sets it."""

    def __init__(self, sizes: tuple[int, int], chunk: int, show: Callable[[int], None]) -> None:
        self.sizes, self.chunk, self.show, self.received = sizes, chunk, show, 0

    def update(self, count: int) -> None:
        if self.total and self.total not in self.sizes:
            raise DownloadError(_has(self.total, self.sizes))
        self.received += count  # whole chunks, the last one too
        if self.received >= self.sizes[1] + self.chunk:
            raise DownloadError(f"it gives more than {self.sizes[1]} bytes")
        self.show(min(self.received, self.sizes[0]))

    def reset(self) -> None:
        """pooch does so at the end, and counts the whole once more."""
        self.received = 0

    def close(self) -> None:
        pass


def verify(path: Path, name: str) -> None:
    """Raises DownloadError where a file is not the one that was published under this name."""
    published = PUBLISHED[name]
    size = path.stat().st_size
    if size not in published.sizes:
        raise DownloadError(_has(size, published.sizes))
    if not published.sha256:
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != published.sha256:
        raise DownloadError(f"it is not the published file: its SHA-256 is {digest}")


def identify(path: Path) -> list[str]:
    """The names under which a file was published, by its size and, where it is known, digest."""
    names = []
    for name in PUBLISHED:
        with suppress(DownloadError):
            verify(path, name)
            names.append(name)
    return names


def fetch(
    name: str,
    folder: Path,
    mirrors: Sequence[str] = MIRRORS,
    show: Callable[[int], None] = lambda received: None,
) -> bool:
    """Puts NAME.weights into a folder, whole or not at all, from the first mirror that has it;
    False if it was there. show: is told the bytes that have come.

    Raises DownloadError where no mirror has it, or another file is there, and OSError.
    """
    path = folder / f"{name}.weights"
    if path.exists():
        try:
            verify(path, name)
        except DownloadError as error:  # it may be what the user trained
            raise DownloadError(f"{path} is there, and {error}: move it away first") from None
        return False
    folder.mkdir(parents=True, exist_ok=True)
    faults = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{path.name}"
        try:
            _download(url, path, name, show)
        except DownloadError as error:
            faults.append(f"{url}: {error}")
        else:
            return True
    advice = f"name another place by --mirror URL, or put a copy into {folder}"
    raise DownloadError("; ".join((*faults, advice)))


def _download(url: str, path: Path, name: str, show: Callable[[int], None]) -> None:
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    published = PUBLISHED[name]
    part = f".{path.name}.{os.getpid()}.part"
    chunk = 1 << 16
    bar = _Bar(published.sizes, chunk, show)
    download = pooch.HTTPDownloader(progressbar=bar, chunk_size=chunk, timeout=TIMEOUT)
    try:
        pooch.retrieve(url, None, fname=part, path=path.parent, downloader=download)
        verify(path.parent / part, name)
        umask = os.umask(0)
        os.umask(umask)
        (path.parent / part).chmod(0o666 & ~umask)  # pooch's temporary files are the user's alone
        os.replace(path.parent / part, path)
    except requests.exceptions.HTTPError as error:
        raise DownloadError(f"HTTP {error.response.status_code} {error.response.reason}") from None
    except requests.exceptions.Timeout:
        raise DownloadError(f"no answer within {TIMEOUT:g} s") from None
    except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError):
        raise DownloadError("cannot be reached, or the connection broke off") from None
    except (requests.exceptions.RequestException, ValueError) as error:
        raise DownloadError(str(error)) from None
    finally:
        (path.parent / part).unlink(missing_ok=True)


def _has(size: int, sizes: tuple[int, int]) -> str:
    return f"it has {size} bytes, not {sizes[0]} or {sizes[1]} (a web page, or another file)"

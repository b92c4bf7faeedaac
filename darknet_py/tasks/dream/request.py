"""What a dream is asked for, by options or by a recipe; and recipes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from darknet_py.images import Given
from darknet_py.network import Network
from darknet_py.options import ClashError
from darknet_py.resources import EMBEDDED, find_resource
from darknet_py.tasks.dream.objective import DreamTarget
from darknet_py.tasks.dream.options import (
    INGREDIENTS,
    NO_PRESET,
    DreamOptions,
    Picture,
    read_channels,
    read_layers,
    read_size,
)
from darknet_py.tasks.dream.presets import PRESETS, choices_of
from darknet_py.tasks.dream.presets import options_of as preset_options
from darknet_py.tasks.options import ComputeOptions

T = TypeVar("T")

CLOUDS = "data/clouds.png"
"""What the embedded network dreams on where nobody says."""
_NOISE_SIZE = "512x384"


@dataclass(frozen=True)
class Request:
    """A network, a picture (None: noise) and a layer (None: an option or a preset says what to
    dream of). given: the options that were; preset: the one that says all else, or None. title: of
    what a preset dreams of."""

    cfg: str
    weights: str
    picture: Given | None
    layer: int | None
    flags: DreamOptions
    given: frozenset[str] = frozenset()
    preset: str | None = None
    title: str | None = None

    @property
    def is_embedded(self) -> bool:
        return self.cfg == EMBEDDED.cfg

    @property
    def is_default(self) -> bool:
        """Whether nobody has said what to dream on."""
        return self.is_embedded and isinstance(self.picture, str) and self.picture == CLOUDS

    @property
    def names(self) -> str | None:
        """A file with the names of the classes, if it is known."""
        return self.flags.names or (EMBEDDED.names if self.is_embedded else None)


def with_defaults(request: Request) -> Request:
    """The request with a picture and a preset where nobody names one."""
    flags, picture = request.flags, request.picture
    if request.is_embedded and picture is None and flags.start == "picture":
        picture = CLOUDS
    preset = flags.preset
    if preset is None and flags.sheet:
        preset = "ornament"
    elif preset is None and flags.label is not None:
        preset = "class"
    elif preset is None and request.layer is None and flags.layers is None:
        preset = "creatures"
    return replace(request, picture=picture, preset=None if preset == NO_PRESET else preset)


def check_request(request: Request) -> None:
    """Raises ClashError for what does not go together."""
    flags = request.flags
    if request.picture is None and flags.start == "picture":
        raise ClashError("Missing argument 'PICTURE' (or --from noise).")
    ways = {
        "LAYER": request.layer is not None,
        "--layers": flags.layers is not None,
        "--class": flags.label is not None,
        "--sheet": flags.sheet,
    }
    given = [way for way, is_given in ways.items() if is_given]
    if not given and request.preset == "class":
        raise ClashError("--preset class needs --class NAME.")
    if not given and request.preset is None:
        raise ClashError("Missing argument 'LAYER' (or --layers, --class or --sheet).")
    if len(given) > 1:
        raise ClashError(f"{' and '.join(given)} do not go together.")
    clashes = [
        ("-range", flags.span > 1, request.layer is None, "needs a LAYER"),
        ("--channel", flags.channels is not None, flags.label is not None, "is not for --class"),
        ("--guide", flags.guide is not None, flags.label is not None, "is not for --class"),
        ("--guide", flags.guide is not None, flags.channels is not None, "is not for --channel"),
        ("--guide", flags.guide is not None, flags.sheet, "is not for --sheet"),
        ("-reconstruct", flags.reconstruct, request.layer is None, "needs a LAYER"),
        ("-reconstruct", flags.reconstruct, request.picture is None, "needs a PICTURE"),
        ("-reconstruct", flags.reconstruct, request.preset is not None, "is not for --preset"),
        ("-reconstruct", flags.reconstruct, flags.guide is not None, "is not for --guide"),
        ("--keep-colours", flags.keep_colours, request.picture is None, "needs a PICTURE"),
        ("--size", flags.size is not None, request.picture is not None, "is for noise alone"),
    ]
    for option, is_given, clashing, why in clashes:
        if is_given and clashing:
            raise ClashError(f"{option} {why}.")


def files_of(request: Request) -> dict[str, str]:
    """What goes into a picture, by what it is."""
    given = {
        "cfg": request.cfg,
        "weights": request.weights,
        "source": request.picture,
        "guide": request.flags.guide,
        "mask": request.flags.mask,
    }
    return {
        what: str(find_resource(str(name)) or name)
        for what, name in given.items()
        if name is not None
    }


def target_of(request: Request) -> DreamTarget:
    """What to dream of. Raises ClashError."""
    flags = request.flags
    return DreamTarget(
        layer=request.layer,
        span=flags.span,
        layers=_read("--layers", read_layers, flags.layers) or (),
        label=flags.label,
        channels=_read("--channel", read_channels, flags.channels) or (),
        thresh=flags.thresh,
    )


def resolve_preset(request: Request, net: Network, w: int, h: int) -> Request:
    """The request with all that its preset says of a network and a picture of `w` x `h` pixels,
    so that it asks for the same when presets have changed."""
    if request.preset is None:
        return request
    flags, preset = request.flags, PRESETS[request.preset]
    numbers = preset_options(net, preset, w, h)
    shared = ("rounds", "iters", "octaves", "octave_scale", "coarse_to_fine", "rate", "zoom")
    new: dict[str, Any] = {
        name: getattr(numbers, name)
        for name in (*shared, "rotate", "laplacian", "tv")
        if name not in request.given
    }
    is_named = flags.label is not None or flags.sheet
    new["preset"] = NO_PRESET if is_named else None
    title = None
    if not is_named and request.layer is None and flags.layers is None:
        drawn = [layer for ((layer, _),) in choices_of(net, preset)]
        new["layers"], title = "/".join(map(str, drawn)), request.preset
    return replace(request, flags=replace(flags, **new), title=title)


def noise_size(flags: DreamOptions) -> tuple[int, int]:
    """Width and height of noise that has no picture's size."""
    return _read("--size", read_size, flags.size or _NOISE_SIZE)  # type: ignore[return-value]


def _read(option: str, read: Callable[[str], T], text: str | None) -> T | None:
    try:
        return None if text is None else read(text)
    except ValueError as error:
        raise ClashError(f"{option} {text}: {error}.") from error


_ALWAYS = {"seed", "device", "threads", "tile"}


def ingredients_of(
    request: Request, compute: ComputeOptions, found: Mapping[str, Any]
) -> dict[str, Any]:
    """All that makes a difference, but for files: the values of a recipe. found: options whose
    values have been found out."""
    values = {**vars(compute), **vars(request.flags), **found}
    defaults = {**vars(ComputeOptions()), **vars(DreamOptions())}
    return {
        name: values[name]
        for name, (_, kind) in INGREDIENTS.items()
        if not isinstance(kind, Picture)
        and values.get(name) is not None
        and (name in _ALWAYS or values[name] != defaults[name])
    }

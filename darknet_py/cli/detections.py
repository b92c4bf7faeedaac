"""Detection on the command line: pictures found, boxes printed, drawn and cut out."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from darknet_py.cli.console import complain, say_json, say_line, say_rows
from darknet_py.cli.files import PICTURES, check_output, check_output_folder, free_path
from darknet_py.cli.options import overwrite_option
from darknet_py.cli.predictions import names_option
from darknet_py.cli.progress import Progress
from darknet_py.text import as_json

if TYPE_CHECKING:
    from darknet_py.network import Network
    from darknet_py.tasks.detect import Detected, Detection

F = TypeVar("F", bound=Callable[..., Any])

_COCO_IDS = (
    *range(1, 12),
    *range(13, 26),
    27,
    28,
    *range(31, 45),
    *range(46, 66),
    67,
    70,
    *range(72, 83),
    *range(84, 91),
)
"""COCO's numbers of the 80 classes that have boxes."""


@dataclass(frozen=True)
class DetectOptions:
    """What is asked for: see detection_options."""

    thresh: float | None = None
    hier: float = 0.5
    nms: float | None = None
    letter_box: bool = False
    ext_output: bool = False
    batch: int | None = None
    output: str | None = None
    form: str | None = None
    coco: str | None = None
    crops: str | None = None


def detection_options(command: F) -> F:
    """-thresh, -hier, -nms, -letter_box, -ext_output, --names, --batch, -out, --json, --csv, --coco
    and --crops, as one argument `options`, but for names."""
    share = click.FloatRange(0, 1)
    options = (
        click.option(
            "-thresh",
            "--thresh",
            type=share,
            metavar="P",
            help="The least probability.  [.5; by AlexeyAB's rules .25]",
        ),
        click.option(
            "-nms",
            "--nms",
            type=share,
            metavar="SHARE",
            help="Of two boxes of a class that overlap by more, the less probable goes.  [.45]",
        ),
        click.option(
            "-hier",
            "--hier",
            type=share,
            default=0.5,
            show_default=True,
            metavar="P",
            help="The least probability on the way down a tree of classes.",
        ),
        click.option(
            "-letter_box",
            "--letter-box",
            "letter_box",
            is_flag=True,
            help="Show pictures whole, on grey, also where the rules say to stretch them.",
        ),
        click.option(
            "-ext_output", "--ext-output", "ext_output", is_flag=True, help="Print boxes, too."
        ),
        names_option,
        click.option(
            "--batch",
            type=click.IntRange(min=1),
            metavar="N",
            help="Pictures to compute together.  [1; on a GPU 16]",
        ),
        click.option(
            "-o",
            "-out",
            "--output",
            "output",
            metavar="FOLDER|FILE",
            help="Where pictures with boxes go: a folder, or of one picture a file.  "
            "[of one picture predictions.png]",
        ),
        click.option("--json", "form", flag_value="json", help="One JSON object a picture."),
        click.option("--csv", "form", flag_value="csv", help="One line a box, with a head."),
        click.option(
            "--coco", metavar="FILE", help="Write results as pycocotools reads them (.json)."
        ),
        click.option(
            "--crops", metavar="FOLDER", help="Write what is in each box as a picture of its own."
        ),
        overwrite_option,
    )

    def chosen(*arguments: Any, **given: Any) -> Any:
        known = DetectOptions.__dataclass_fields__
        mine = {name: given.pop(name) for name in list(given) if name in known}
        given.pop("overwrite")
        return command(*arguments, options=DetectOptions(**mine), **given)

    chosen.__name__, chosen.__doc__ = command.__name__, command.__doc__
    wrapped: Any = chosen
    wrapped.__click_params__ = getattr(command, "__click_params__", [])
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]


def default_thresh(net: Network) -> float:
    """What the C program whose rules hold takes for -thresh where nothing is said."""
    return 0.25 if net.settings.rules.is_alexeyab else 0.5


@dataclass
class Outputs:
    """The files that are written, checked before the work. pictures: how many are named, None:
    nobody knows."""

    options: DetectOptions
    pictures: int | None
    quiet: bool = False
    folder: Path | None = None
    file: Path | None = None
    crops: Path | None = None
    coco: Path | None = None
    _written: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        options = self.options
        output = options.output
        if output is not None and output.lower().endswith(PICTURES):
            if self.pictures != 1:
                raise click.UsageError("-out FILE is for one picture: give a folder.")
            self.file = Path(output)
            check_output(self.file, PICTURES)
        elif output is not None and Path(output).suffix.lower() == ".json":
            raise click.UsageError(f"-out {output}: pictures go there: --json prints, --coco FILE.")
        elif output is not None:
            self.folder = Path(output)
            check_output_folder(self.folder)
        elif self.pictures == 1 and not (options.form or options.coco or options.crops):
            self.file = free_path(Path("predictions.png"))
            check_output(self.file, PICTURES)
        if options.crops is not None:
            self.crops = Path(options.crops)
            check_output_folder(self.crops)
        if options.coco is not None:
            self.coco = Path(options.coco)
            check_output(self.coco, (".json",))

    def draw(self, found: Detected) -> None:
        """Writes what is to be written of a picture."""
        if self.file is not None or self.folder is not None:
            from darknet_py.images.draw.boxes import Labelled, draw_boxes

            boxes = [
                Labelled(each.index, f"{each.name} {each.probability:.0%}", each.box)
                for each in found.detections
            ]
            self._save(draw_boxes(found.pixels, boxes), self._place(found.path))
        if self.crops is not None:
            from darknet_py.images.draw.boxes import cut_box

            for number, each in enumerate(found.detections, start=1):
                cut = cut_box(found.pixels, each.box)
                if cut is not None:
                    name = f"{found.path.stem}_{number:02d}_{_as_file(each.name)}.png"
                    self._save(cut, self._free(self.crops / name))

    def _place(self, picture: Path) -> Path:
        if self.file is not None:
            return self.file
        assert self.folder is not None
        return self._free(self.folder / f"{picture.stem}.png")

    def _free(self, path: Path) -> Path:
        """A name that no other picture of this run has; one that was there before is replaced
        with --overwrite alone."""
        number, wanted = 1, path
        context = click.get_current_context()
        while path in self._written or (path.exists() and not context.params.get("overwrite")):
            number += 1
            path = wanted.with_stem(f"{wanted.stem}-{number}")
        self._written.add(path)
        return path

    def _save(self, picture: Any, path: Path) -> None:
        from darknet_py.atomic import make_folder
        from darknet_py.images import save_image, to_float

        if path.parent != Path():
            make_folder(path.parent)
        save_image(to_float(picture), path)
        if not self.quiet:
            say_line(path, err=True)


def print_detections(
    net: Network,
    found: tuple[Iterable[Path], int | None, int],
    names: Sequence[str],
    options: DetectOptions,
    nms: float,
    quiet: bool,
    outputs: Outputs,
) -> None:
    """Detects, prints, draws; exits with 1 if a picture was refused. found: pictures, how many,
    and how many arguments named none."""
    from darknet_py.tasks.classify import Refused
    from darknet_py.tasks.detect import detect_pictures

    paths, total, refused = found
    thresh = default_thresh(net) if options.thresh is None else options.thresh
    show = _printer(net, options)
    coco: list[tuple[Path, list[Detection]]] = []
    progress = Progress(
        total or 0, shown=(total or 0) > 1 and not quiet and not sys.stdout.isatty()
    )
    results = detect_pictures(
        net,
        paths,
        thresh,
        options.nms if options.nms is not None else nms,
        hier=options.hier,
        names=names,
        letter_box=True if options.letter_box else None,
        batch=options.batch,
    )
    with closing(progress):
        for number, result in enumerate(results, start=1):
            if isinstance(result, Refused):
                progress.clear()
                complain(result.error)
                refused += 1
            else:
                show(result)
                progress.clear()
                outputs.draw(result)
                if outputs.coco is not None:
                    coco.append((result.path, result.detections))
            rate = progress.per_second()
            progress.show(number, f"picture {number}/{total}", f"  {rate:.1f}/s" if rate else "")
    if outputs.coco is not None:
        _write_coco(outputs.coco, coco, len(names))
    if refused:
        click.get_current_context().exit(1)


def _printer(net: Network, options: DetectOptions) -> Callable[[Detected], None]:
    if options.form == "json":
        return _print_json
    if options.form == "csv":
        head = ("path", "index", "name", "probability", "left", "top", "width", "height")
        say_rows([head])
        return _print_rows
    is_alexeyab = net.settings.rules.is_alexeyab
    return lambda found: _print_text(found, is_alexeyab, options.ext_output)


def _print_text(found: Detected, is_alexeyab: bool, with_boxes: bool) -> None:
    """As the C program whose rules hold: AlexeyAB's from left to right, pjreddie's the most
    probable first."""
    if is_alexeyab:
        say_line(f"{found.path}: Predicted in {1000 * found.seconds:f} milli-seconds.")
    else:
        say_line(f"{found.path}: Predicted in {found.seconds:f} seconds.")
    for each in _from_left(found.detections) if is_alexeyab else found.detections:
        end = "\n"
        if with_boxes:
            left, top, w, h = (_rounded(number) for number in each.box)
            end = f"\t(left_x: {left}   top_y: {top}   width: {w}   height: {h})\n"
        say_line(f"{each.name}: {100 * each.probability:.0f}%", end=end)


def _rounded(number: float) -> str:
    """As C's round and %4.0f."""
    from math import copysign, floor

    return f"{copysign(floor(abs(number) + 0.5), number):4.0f}"


def _from_left(detections: Sequence[Detection]) -> Iterator[Detection]:
    """By the left edges of boxes; of one box the best class first, the others in their order."""
    boxes: dict[tuple[float, ...], list[Detection]] = {}
    for each in detections:
        boxes.setdefault(each.box, []).append(each)
    for box in sorted(boxes, key=lambda box: box[0]):
        best, *others = boxes[box]
        yield best
        yield from sorted(others, key=lambda each: each.index)


def json_of(detections: Sequence[Detection]) -> list[dict[str, Any]]:
    """Each as an object; box: left, top, width, height in pixels."""
    return [{**each._asdict(), "box": list(each.box)} for each in detections]


def _print_json(found: Detected) -> None:
    w, h = found.size
    head = {"path": str(found.path), "width": w, "height": h, "seconds": found.seconds}
    say_json({**head, "detections": json_of(found.detections)})


def _print_rows(found: Detected) -> None:
    say_rows(
        (found.path, each.index, each.name, each.probability, *each.box)
        for each in found.detections
    )


def _write_coco(path: Path, found: Sequence[tuple[Path, list[Detection]]], classes: int) -> None:
    """COCO's list of results. image_id: the last number in the picture's name, where all have one
    and no two the same, else its place; category_id: COCO's numbers for 80 classes, else from 1."""
    from darknet_py.atomic import write_text

    numbers = [re.findall(r"[0-9]+", picture.stem)[-1:] for picture, _ in found]
    ids = [int(each[0]) if each else -1 for each in numbers]
    if -1 in ids or len(set(ids)) < len(ids):
        ids = list(range(1, len(found) + 1))
        say_line(f"{path}: image_id is the place of a picture among all, from 1", err=True)
    results = [
        {
            "image_id": image,
            "category_id": _COCO_IDS[each.index] if classes == 80 else each.index + 1,
            "bbox": [round(number, 3) for number in each.box],
            "score": round(each.probability, 6),
        }
        for image, (_, detections) in zip(ids, found, strict=True)
        for each in detections
    ]
    write_text(path, "[\n" + ",\n".join(map(as_json, results)) + "\n]\n")
    say_line(path, err=True)


def _as_file(name: str) -> str:
    """A class's name as part of a file's."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:40] or "class"

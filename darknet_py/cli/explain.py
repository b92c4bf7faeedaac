"""darknet explain"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import complain, say_json, say_line
from darknet_py.cli.files import check_output_folder, free_stem
from darknet_py.cli.options import NetworkOptions, find_file, network_options, open_network
from darknet_py.cli.predictions import (
    class_names,
    find_named,
    fit_option,
    names_option,
)
from darknet_py.text import one_line

if TYPE_CHECKING:
    from darknet_py.tasks.explain import Explanation
    from darknet_py.tasks.explain.figures import Box

METHODS = ("gradcam", "gradcam++", "integrated", "occlusion", "saliency")
_UNSAFE = {ord(letter): "-" for letter in "/\\: "}


class _BoxType(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """LEFT,TOP,RIGHT,BOTTOM in pixels."""

    name = "box"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from darknet_py.tasks.explain.figures import Box

        try:
            box = Box(*map(int, value.split(",")))
        except (TypeError, ValueError):
            self.fail(f"{value!r} is not LEFT,TOP,RIGHT,BOTTOM, as in 128,225,313,540")
        if box.left >= box.right or box.top >= box.bottom:
            self.fail(f"{value!r} is empty: expected LEFT below RIGHT and TOP below BOTTOM")
        return box


@click.command(cls=Command)
@click.argument("cfg")
@click.argument("weights")
@click.argument("pictures", nargs=-1, metavar="PICTURE...")
@click.option("-t", "--top", type=click.IntRange(min=1), metavar="N", help="Best classes.  [1]")
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="NAME",
    help="This class, by name or number, however probable; may be given several times.",
)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="gradcam",
    show_default=True,
    help="How to find out. gradcam and gradcam++ look at a layer's map; integrated (gradients) and "
    "saliency at each pixel; occlusion covers part after part.",
)
@click.option(
    "--layer",
    type=click.IntRange(min=0),
    metavar="N",
    help="Whose map gradcam looks at.  [the last before pooling]",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=128,
    show_default=True,
    metavar="N",
    help="Of integrated gradients, at first: up to four times as many until the parts sum to the "
    "rise of the score within 1 %.",
)
@click.option("--box", type=_BoxType(), metavar="L,T,R,B", help="Say how much heat falls in it.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    default="explain",
    show_default=True,
    help="Folder for the pictures.",
)
@click.option("--json", "is_json", is_flag=True, help="One JSON object a class, with numbers.")
@names_option
@fit_option
@network_options
def explain(
    cfg: str,
    weights: str,
    pictures: tuple[str, ...],
    top: int | None,
    classes: tuple[str, ...],
    method: str,
    layer: int | None,
    steps: int,
    box: Box | None,
    output: str,
    is_json: bool,
    names: str | None,
    fit: str | None,
    network: NetworkOptions,
) -> None:
    """Show where in pictures a network looks for a class.

    For each picture and class it draws PICTURE_CLASS_METHOD.png, the heat over the picture in
    grey with a line around what is hotter than half, and PICTURE_CLASS_METHOD_heat.png, the heat
    alone; where such a file is there, the next gets a number. JSON has shares of the heat in a grid
    of 8 x 8 parts of the picture, and where its middle and its peak are, in pixels of the picture.

    \b
    Examples:
      darknet explain cfg/tiny.cfg tiny.weights data/samples/airplane.png
      darknet explain cfg/tiny.cfg tiny.weights photo.jpg --class airliner --class 895
      darknet explain -q cfg/tiny.cfg tiny.weights photos/ --method occlusion -t 3 -o heat/
      darknet explain -q cfg/tiny.cfg tiny.weights photo.jpg --json --box 128,225,313,540
    """
    if layer is not None and not method.startswith("gradcam"):
        raise click.UsageError(f"--layer is for gradcam and gradcam++: {method} looks at pixels.")
    if classes and top:
        raise click.UsageError("Give --class or --top, not both.")
    paths, refused = find_named(pictures)
    folder = Path(output)
    check_output_folder(folder)
    net = open_network(cfg, find_file(weights), network)
    from darknet_py.errors import NotFiniteError, PictureError, ShapeError
    from darknet_py.tasks.classify import best_fit
    from darknet_py.tasks.explain import explain_picture
    from darknet_py.tasks.names import find_class
    from darknet_py.tasks.pictures import load_picture

    known = class_names(net, names)
    indices = [find_class(each, known) for each in classes]
    fit = fit or best_fit(net)
    for path in paths:
        try:
            picture = load_picture(net, path, fit)
            explanations = explain_picture(
                net, picture, known, indices, method, top=top or 1, layer=layer, steps=steps
            )
        except (PictureError, NotFiniteError, ShapeError) as error:
            complain(error)
            refused += 1
            continue
        for found in explanations:
            files = _draw(found, folder)
            if is_json:
                say_json(_document(found, files, box))
            else:
                say_line(_line(found, files, box))
    if refused:
        click.get_current_context().exit(1)


def _draw(found: Explanation, folder: Path) -> tuple[Path, Path]:
    """The overlay's file and the heat map's, named like none that is there."""
    from darknet_py.atomic import make_folder
    from darknet_py.images import draw_heat, draw_overlay, save_image

    make_folder(folder)
    name = one_line(found.name)  # nobody wants a file to be called what a terminal would obey
    plain = f"{found.picture.path.stem}_{name}_{found.method}".translate(_UNSAFE)
    name = free_stem(folder, plain, [".png", "_heat.png"])
    files = folder / f"{name}.png", folder / f"{name}_heat.png"
    h, w = found.picture.image.shape[:2]
    save_image(draw_overlay(found.picture.image, found.heat, found.is_coarse), files[0])
    save_image(draw_heat(found.heat, w, h), files[1])
    return files


def _line(found: Explanation, files: tuple[Path, Path], box: Box | None) -> str:
    from darknet_py.tasks.explain.figures import in_words, share_within

    where = in_words(found.heat)
    more = f"; {share_within(found.heat, box):.1%} of the heat in the box" if box else ""
    return (
        f"{found.picture.path}: {found.name}: {found.probability:f}, heat: {where}{more}; "
        f"{files[0]}"
    )


def _document(found: Explanation, files: tuple[Path, Path], box: Box | None) -> dict[str, object]:
    from darknet_py.tasks.explain.figures import grid, hottest, middle, share_within

    document: dict[str, object] = {
        "path": str(found.picture.path),
        "method": found.method,
        "layer": found.layer,
        "index": found.index,
        "name": found.name,
        "probability": found.probability,
        "score": found.score,
        "peak": hottest(found.heat),
        "middle": middle(found.heat),
        "grid": grid(found.heat).round(4).tolist(),
        "overlay": str(files[0]),
        "heat": str(files[1]),
    }
    if box:
        document["box"] = {"pixels": box, "share": share_within(found.heat, box)}
    if found.parts is not None:
        document |= {"sum": float(found.parts.sum()), "rise": found.rise}
    return document

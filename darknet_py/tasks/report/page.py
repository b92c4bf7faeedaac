"""A report as one HTML file that needs nothing else: no script, no network."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Sequence
from html import escape as escape_html
from pathlib import Path

import numpy as np

from darknet_py.errors import PictureError
from darknet_py.images import color_map, draw_overlay, encode_jpeg, encode_png, load_image
from darknet_py.images.draw.confusion import confused_pairs, draw_confusion
from darknet_py.tasks.activations import LayerMaps
from darknet_py.tasks.explain import Explanation
from darknet_py.tasks.explain.figures import in_words
from darknet_py.tasks.filters import FirstFilters
from darknet_py.tasks.report.collect import LayerRow, PictureReport, Report
from darknet_py.tasks.valid import Evaluation, Mistake
from darknet_py.text import one_line

# How a report looks: one column that a phone can show, light or dark as the reader has it.

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --quiet: #595959; --paper: #ffffff;
  --line: #cccccc; --bar: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --quiet: #b0b0b0; --paper: #161616; --line: #484848; --bar: #56b4e9; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.2; }
h2 { font-size: 1.25rem; margin-top: 2.5rem; padding-top: .5rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
p { max-width: 46rem; }
a { color: inherit; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1rem; padding: 0; list-style: none; }
nav li { max-width: 100%; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; width: fit-content; max-width: 100%; border: 1px solid var(--line); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .875rem; }
caption { text-align: left; padding: .5rem; color: var(--quiet); }
th, td { padding: .25rem .6rem; text-align: left; border-top: 1px solid var(--line);
  vertical-align: top; }
.number { text-align: right; white-space: nowrap; }
.shape { white-space: nowrap; }
.keys { min-width: 16rem; color: var(--quiet); }
.confusion td { text-align: right; }
.confusion td.right { font-weight: bold; text-decoration: underline; }
.bar { display: block; height: .4rem; background: var(--bar); }
.predictions td:last-child, .pairs td:last-child { width: 8rem; padding-top: .7rem; }
figure { margin: 0; }
figcaption { font-size: .8125rem; color: var(--quiet); line-height: 1.35; }
img { display: block; max-width: 100%; height: auto; border: 1px solid var(--line); }
.photo { display: grid; gap: 1rem; align-items: start; }
.photo img { width: min(100%, var(--w)); }
.looks { display: grid; gap: .6rem; grid-template-columns: repeat(3, minmax(0, 1fr)); }
.looks img { width: 100%; }
.small { display: grid; gap: .6rem; grid-template-columns: repeat(var(--narrow), minmax(0, 8rem)); }
.small img { width: 100%; image-rendering: pixelated; }
details { margin: 1rem 0; }
summary h2 { display: inline; border: 0; }
summary { cursor: pointer; padding: .4rem 0; font-weight: 600; }
@media (min-width: 40rem) {
  .photo { grid-template-columns: minmax(0, var(--w)) minmax(20rem, 1fr); }
  .small { grid-template-columns: repeat(var(--middle), minmax(0, 8rem)); }
}
@media (min-width: 64rem) {
  .small { grid-template-columns: repeat(var(--wide), minmax(0, 8rem)); }
}
.medium { display: grid; gap: .8rem; grid-template-columns: repeat(3, minmax(0, 1fr)); }
.medium img { width: 100%; max-height: 10rem; object-fit: contain; image-rendering: pixelated; }
@media (min-width: 40rem) { .medium { grid-template-columns: repeat(6, minmax(0, 1fr)); } }
@media print { .scroll { overflow: visible; }
  details::details-content { content-visibility: visible; block-size: auto; } }
"""

_LONGEST = 640
"""Pixels of a picture's longer side."""
_OPEN = 3
"""Pictures that are shown at once; others open when asked for."""
_HIGHEST = 26
"""Times a line's letters that a photo is high, at most."""
_THUMBNAIL = 224
_MOST_COUNTED, _MOST_DRAWN = 20, 100
"""Classes whose confusion matrix is a table, or a picture; of more, the worst pairs are listed."""
_PAIRS = 20
_MISTAKES = 6
"""That are shown at once; more open below."""
_COLUMNS = {"narrow": (3, 5), "middle": (5, 8), "wide": (8, 12)}
"""Of small pictures side by side, at least and at most, on a phone, a tablet and a screen."""
_MAP, _SHADES = 128, 48
"""Pixels of a layer's map, at most, and its colours."""
_TOP = 0.999
_HOW = {
    "gradcam": "Grad-CAM: the brighter, the more a place speaks for the class. The line goes "
    "around what is above half of the highest.",
    "saliency": "Saliency: the brighter a pixel, the more its change would change the class's "
    "score.",
}


def render(report: Report) -> str:
    """The page, HTML5."""
    name = Path(report.cfg).stem
    sections = [
        _summary(report),
        *(_picture_section(number, seen) for number, seen in enumerate(report.seen, start=1)),
        _filter_section(report.filters) if report.filters else "",
        _evaluation_section(report.evaluation) if report.evaluation else "",
        _layer_section(report.layers),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_escape(name)}: inside a network</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<header><h1>{_escape(name)}: inside a network</h1></header>\n<main>\n"
        + "\n".join(filter(None, sections))
        + "\n</main>\n</body>\n</html>\n"
    )


def _summary(report: Report) -> str:
    parameters = sum(row.parameters for row in report.layers)
    operations = sum(row.operations for row in report.layers)
    names = [seen.picture.path.name for seen in report.seen]
    links = [(f"picture-{number}", name) for number, name in enumerate(names, start=1)]
    links += [("filters", "First filters")] if report.filters else []
    links += [("validation", "Validation")] if report.evaluation else []
    links.append(("layers", "Layers"))
    items = "".join(f'<li><a href="#{to}">{_escape(text)}</a></li>' for to, text in links)
    return (
        f"<p>{_escape(Path(report.cfg).name)} with {_escape(Path(report.weights).name)}: "
        f"{len(report.layers)} layers, {parameters:,} parameters, "
        f"{operations / 1e6:,.1f} million operations for a picture.</p>\n"
        f'<nav aria-label="Contents"><ul>{items}</ul></nav>'
    )


# A picture


def _picture_section(number: int, seen: PictureReport) -> str:
    image, name = seen.picture.image, seen.picture.path.name
    best = seen.predictions[0]
    original = _figure(
        _jpeg(image),
        f"{name}, the picture itself",
        f"The picture, {image.shape[1]} x {image.shape[0]} pixels",
    )
    w = _HIGHEST * image.shape[1] / image.shape[0]
    overlays = [_explanation_figure(each) for each in seen.explanations]
    layers = "".join(_layer_maps(each, name) for each in seen.layers)
    if layers:
        text = (
            "<p>Of each layer the channels with the largest means; all of a layer in one scale, "
            "from black to a pale yellow. Below each its number and mean.</p>"
        )
        layers = _details("What its layers see", f"{text}\n{layers}")
    head = f"{name}: {best.name}, {best.probability:.1%}"
    body = (
        f'<div class="photo" style="--w: {w:.1f}rem">{original}\n{_prediction_table(seen)}</div>\n'
        f"<h3>Where it looks</h3>\n<p>{_HOW[seen.explanations[0].method]}</p>\n"
        f'<div class="looks">{"".join(overlays)}</div>\n{layers}'
    )
    shown = f"<h2>{_escape(head)}</h2>\n{body}" if number <= _OPEN else _details(head, body, "h2")
    return f'<section id="picture-{number}">\n{shown}</section>'


def _prediction_table(seen: PictureReport) -> str:
    rows = "".join(
        f'<tr><th scope="row">{_escape(each.name)}</th><td class="number">{each.probability:.2%}'
        f'</td><td><span class="bar" style="width:{100 * each.probability:.1f}%"></span></td></tr>'
        for each in seen.predictions
    )
    head = _head_row(["Class", "Probability", "Bar"])
    return _table("predictions", "The most probable classes", head, rows)


def _explanation_figure(found: Explanation) -> str:
    drawn = draw_overlay(found.picture.image, found.heat, found.is_coarse)
    where = in_words(found.heat)
    alt = (
        f"{found.picture.path.name} in grey with the heat for {found.name} over it; the middle of "
        f"the heat is {where}"
    )
    layer = f"; layer {found.layer}" if found.layer is not None else ""
    caption = f"{found.name}, {found.probability:.1%}; heat: {where}{layer}"
    return _figure(_jpeg(drawn), alt, caption)


def _layer_maps(found: LayerMaps, picture: str) -> str:
    high = float(np.quantile(found.maps, _TOP))
    low = min(0.0, high) if found.low < 0 else found.low
    shares = (found.maps - low) / (high - low) if high > low else np.zeros_like(found.maps)
    figures = [
        _figure(
            _data("png", encode_png(color_map(share), _MAP, _SHADES)),
            f"Map of channel {channel} of layer {found.layer} for {picture}",
            f"{channel}: {strength:.3g}",
        )
        for share, channel, strength in zip(shares, found.channels, found.strengths, strict=True)
    ]
    return (
        f"<h4>{_escape(found.title)}</h4>\n<p>Black is {low:.3g}, pale yellow {high:.3g} and above."
        f"</p>\n{_grid(figures)}\n"
    )


# The network


def _filter_section(filters: FirstFilters) -> str:
    figures = [
        _figure(_png(picture), f"Weights of filter {number}", str(number))
        for number, picture in enumerate(filters.pictures())
    ]
    text = "<p>Weights of those that look at the picture, each from its least to its largest.</p>"
    opened = _details(f"The {len(figures)} filters", f"{text}\n{_grid(figures)}")
    return (
        f'<section id="filters">\n<h2>The filters of layer {filters.layer}</h2>\n{opened}</section>'
    )


def _layer_section(layers: Sequence[LayerRow]) -> str:
    total = max(sum(row.operations for row in layers), 1)
    rows = "".join(
        f'<tr><th scope="row" class="number">{row.index}</th><td>{_escape(row.kind)}</td>'
        f'<td class="shape">{row.in_shape}</td><td class="shape">{row.out_shape}</td>'
        f'<td class="number">{row.parameters:,}</td><td class="number">{row.operations:,}</td>'
        f'<td class="number">{row.operations / total:.1%}</td>'
        f'<td class="keys">{_escape(row.keys)}</td></tr>'
        for row in layers
    )
    names = ["Layer", "Section", "Input", "Output", "Parameters", "Operations", "Share", "Keys"]
    table = _table("layers", "Shapes are width x height x channels", _head_row(names), rows)
    opened = _details(f"{len(layers)} layers, their shapes, parameters and operations", table)
    return f'<section id="layers">\n<h2>Layers</h2>\n{opened}</section>'


# Validation


def _evaluation_section(found: Evaluation) -> str:
    mistakes = [_mistake_figure(each, found.names) for each in found.mistakes]
    shown, more = mistakes[:_MISTAKES], mistakes[_MISTAKES:]
    worst = (
        "<h3>The worst mistakes</h3>\n<p>Wrong first guesses of which the network was surest.</p>\n"
        f'<div class="medium">{"".join(shown)}</div>\n'
        if shown
        else ""
    )
    if more:
        worst += _details(f"{len(more)} more", f'<div class="medium">{"".join(more)}</div>')
    first = f"{found.topk:.2%} have their class among the first {found.top} guesses; "
    text = f"{first if found.top_says_more else ''}the mean of -log of the true class's probability"
    left_out = f" {len(found.refused)} more could not be read." if found.refused else ""
    return (
        f'<section id="validation">\n<h2>Validation: {found.top1:.2%} of {found.pictures:,} '
        f"pictures right</h2>\n<p>{text[0].upper()}{text[1:]} is {found.loss:.4f}.{left_out}</p>\n"
        f"{_class_table(found)}\n"
        f"<h3>Which classes it takes for which</h3>\n{_confusion(found)}\n{worst}</section>"
    )


def _class_table(found: Evaluation) -> str:
    """Precision, recall and F1 of classes that have pictures; of many, those of the least F1."""
    counts = found.confusion.sum(axis=1)
    shown = np.flatnonzero(counts).tolist()
    caption = "Precision, recall and F1 of each class"
    if len(shown) > _MOST_COUNTED:
        shown = sorted(shown, key=lambda k: float(found.f1[k]))[:_PAIRS]
        caption = f"The {len(shown)} classes of the least F1"
    rows = ""
    for k in shown:
        figures = (found.precision[k], found.recall[k], found.f1[k])
        cells = ("-" if math.isnan(each) else f"{each:.1%}" for each in figures)
        rows += (
            f'<tr><th scope="row">{_escape(found.names[k])}</th>'
            f'<td class="number">{counts[k]:,}</td>'
            + "".join(f'<td class="number">{cell}</td>' for cell in cells)
            + "</tr>"
        )
    head = _head_row(["Class", "Pictures", "Precision", "Recall", "F1"])
    return _table("classes", caption, head, rows)


def _confusion(found: Evaluation) -> str:
    count = len(found.names)
    if count <= _MOST_COUNTED:
        return _confusion_table(found)
    pairs = _pair_table(found)
    if count > _MOST_DRAWN:
        return pairs
    drawn = _data("png", encode_png(draw_confusion(found.confusion, found.names).pixels()))
    alt = f"Confusion matrix of {count} classes, rows true, columns guessed"
    caption = "Rows are true classes, columns guesses; the darker, the more."
    return f"{pairs}\n{_details('The whole matrix', _figure(drawn, alt, caption))}"


def _pair_table(found: Evaluation) -> str:
    pairs = confused_pairs(found.confusion, _PAIRS)
    if not pairs:
        return "<p>It takes none for another.</p>"
    rows = "".join(
        f'<tr><th scope="row">{_escape(found.names[pair.truth])}</th>'
        f'<td>{_escape(found.names[pair.guess])}</td><td class="number">{pair.pictures:,}</td>'
        f'<td class="number">{pair.share:.1%}</td>'
        f'<td><span class="bar" style="width:{100 * pair.share:.1f}%"></span></td></tr>'
        for pair in pairs
    )
    head = _head_row(["True", "Taken for", "Pictures", "Share", "Bar"])
    return _table("pairs", "What is confused most, shares of the true class's pictures", head, rows)


def _confusion_table(found: Evaluation) -> str:
    totals = np.maximum(found.confusion.sum(axis=1), 1)
    rows = "".join(
        f'<tr><th scope="row">{_escape(name)}</th>'
        + "".join(
            _cell(int(count), float(count / total), row == column)
            for column, count in enumerate(counts)
        )
        + f"<td>{counts[row] / total:.1%}</td></tr>"
        for row, (name, counts, total) in enumerate(
            zip(found.names, found.confusion, totals, strict=True)
        )
    )
    caption = "Rows are true classes, columns guesses. What is right is underlined."
    return _table("confusion", caption, _head_row(["True", *found.names, "Right"]), rows)


def _cell(count: int, share: float, is_right: bool) -> str:
    """A count on a ground that is the bluer the larger its share of the row."""
    ground = f' style="background:rgba(0,114,178,{0.65 * share**0.45:.3f})"' if count else ""
    kind = ' class="right"' if is_right else ""
    return f"<td{kind}{ground}>{count or ''}</td>"


def _mistake_figure(mistake: Mistake, names: Sequence[str]) -> str:
    truth, guess = names[mistake.truth], names[mistake.guess]
    caption = (
        f"{mistake.path.name}: {guess} {mistake.probability:.1%}, is {truth} ({mistake.own:.1%})"
    )
    try:
        image = load_image(mistake.path)
    except PictureError:  # it was there a moment ago, and the report has the rest to say
        return f"<figure><figcaption>{_escape(caption)}</figcaption></figure>"
    small = max(image.shape[:2]) <= _THUMBNAIL
    drawn = _png(image) if small else _jpeg(image, _THUMBNAIL)
    return _figure(drawn, f"{mistake.path.name}, {truth} taken for {guess}", caption)


# Parts


def _escape(text: str) -> str:
    """As HTML has it; names of files may hold bytes that are no text."""
    return escape_html(one_line(text))


def _details(summary: str, content: str, heading: str = "") -> str:
    """What opens when it is asked for: the page stays short. heading: h2, say, that it also is."""
    text = _escape(summary)
    shown = f"<{heading}>{text}</{heading}>" if heading else text
    return f"<details><summary>{shown}</summary>\n{content}\n</details>\n"


def _grid(figures: Sequence[str]) -> str:
    """Small pictures in rows that are as full as can be."""
    columns = "; ".join(f"--{name}: {_columns(len(figures), *n)}" for name, n in _COLUMNS.items())
    return f'<div class="small" style="{columns}">{"".join(figures)}</div>'


def _columns(count: int, least: int, most: int) -> int:
    """How many of `count` stand side by side: as few gaps as can be, then as many as can be."""
    if count <= most:
        return max(count, least)
    return min(range(most, least - 1, -1), key=lambda columns: -count % columns)


def _head_row(names: Iterable[str]) -> str:
    return "<tr>" + "".join(f'<th scope="col">{_escape(name)}</th>' for name in names) + "</tr>"


def _table(kind: str, caption: str, head: str, rows: str) -> str:
    """A table that scrolls by itself where it is wider than the page."""
    return (
        f'<div class="scroll" role="region" aria-label="{_escape(caption)}" tabindex="0">'
        f'<table class="{kind}"><caption>{_escape(caption)}</caption><thead>{head}</thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _figure(source: str, alt: str, caption: str) -> str:
    return (
        f'<figure><img src="{source}" alt="{_escape(alt)}"><figcaption>{_escape(caption)}'
        "</figcaption></figure>"
    )


def _jpeg(image: np.ndarray, longest: int = _LONGEST) -> str:
    return _data("jpeg", encode_jpeg(image, longest))


def _png(image: np.ndarray) -> str:
    return _data("png", encode_png(image))


def _data(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"

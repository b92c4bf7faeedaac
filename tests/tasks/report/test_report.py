from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.errors import NotFiniteError
from darknet_py.images import Dataset
from darknet_py.network import Network
from darknet_py.tasks.pictures import load_picture
from darknet_py.tasks.report import Report, collect, render
from darknet_py.tasks.report.page import _grid
from darknet_py.tasks.valid import Evaluation, Mistake, evaluate
from tests.support.golden import golden_network, load_golden
from tests.support.networks import make_network
from tests.support.pages import Page

NAMES = ["<b>bold</b>", '"quoted"', "a & b", *(f"class {k}" for k in range(7))]


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return golden_network(load_golden("forward", "tiny_like"), tmp_path_factory.mktemp("net"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    paths = [folder / f"{i} & <i>.png" for i in range(9)]
    for i, path in enumerate(paths):
        Image.fromarray(rng.integers(0, 256, (40 + 30 * i, 50, 3), np.uint8)).save(path)
    return Dataset(tuple(NAMES), paths, [(k % 3,) for k in range(9)])


@pytest.fixture(scope="module")
def report(net: Network, dataset: Dataset) -> Report:
    pictures = [load_picture(net, path, "min") for path in dataset.paths[:2]]
    found = evaluate(net, dataset, top=2, worst=4)
    return collect(net, "some/net.weights", pictures, NAMES, found)


@pytest.fixture(scope="module")
def page(report: Report) -> Page:
    return Page(render(report))


def test_the_worst_mistakes_are_the_surest(net: Network, dataset: Dataset) -> None:
    found = evaluate(net, dataset, batch=4, worst=4)
    expected = []
    for path, (label,) in zip(dataset.paths, dataset.labels, strict=True):
        row = net.predict(load_picture(net, path, "crop").x[None])[0]
        if row.argmax() != label:
            expected.append((float(row.max()), path, label, int(row.argmax()), float(row[label])))
    expected.sort(key=lambda each: -each[0])
    assert len(expected) > 4
    for mistake, (sure, path, label, guess, own) in zip(found.mistakes, expected, strict=False):
        assert (mistake.path, mistake.truth, mistake.guess) == (path, label, guess)
        assert mistake.probability == pytest.approx(sure, rel=1e-5)
        assert mistake.own == pytest.approx(own, rel=1e-5)
    assert len(found.mistakes) == 4
    assert evaluate(net, dataset).mistakes == ()


def test_what_is_collected(net: Network, report: Report) -> None:
    assert [row.index for row in report.layers] == list(range(len(net.layers)))
    assert sum(row.operations for row in report.layers) == sum(
        layer.operations() for layer in net.layers
    )
    assert sum(row.parameters for row in report.layers) == sum(p.size for p in net.parameters())
    assert "filters=" in report.layers[0].keys
    for seen in report.seen:
        probabilities = net.predict(seen.picture.x[None])[0]
        order = np.argsort(-probabilities)[:5].tolist()
        assert [each.index for each in seen.predictions] == order
        assert [each.index for each in seen.explanations] == order[:3]
        assert all(len(layer.maps) <= 12 for layer in seen.layers)
        assert seen.layers


def test_it_is_sound_html(page: Page) -> None:
    assert page.declarations == ["DOCTYPE html"]
    assert page.faults == []
    tags = [tag for tag, _ in page.elements]
    for one in ("html", "head", "title", "body", "main", "h1", "nav"):
        assert tags.count(one) == 1
    assert page.all("html") == [{"lang": "en"}]
    assert {"charset": "utf-8"} in page.all("meta")
    assert any(each.get("name") == "viewport" for each in page.all("meta"))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert link["href"] in {f"#{each}" for each in ids}


def test_it_needs_nothing_else(report: Report, page: Page) -> None:
    """No script, no network: pictures are within, and can be read."""
    source = render(report)
    assert "<script" not in source
    assert not re.search(r'(src|href)="(?!data:|#)', source)
    assert "@import" not in source
    assert "url(" not in source
    assert not any(name.startswith("on") for _, each in page.elements for name in each)
    images = page.all("img")
    assert len(images) > 20
    for image in images:
        src, alt = image["src"], image["alt"]
        assert src
        assert alt
        kind, content = src.removeprefix("data:image/").split(";base64,")
        with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
            assert picture.format == kind.upper()
            picture.load()


def test_names_are_escaped(page: Page) -> None:
    assert "<b>bold</b>" in page.text
    assert '"quoted"' in page.text
    assert "a & b" in page.text
    assert "0 & <i>.png" in page.text
    assert not page.all("b")
    assert not page.all("i")


def test_tables_scroll_and_say_what_they_are(page: Page) -> None:
    tables = page.all("table")
    assert [table["class"] for table in tables] == [
        *("predictions", "predictions", "classes", "confusion", "layers")
    ]
    regions = [each for each in page.all("div") if each.get("class") == "scroll"]
    assert len(regions) == len(tables)
    assert all(each["tabindex"] == "0" and each["aria-label"] for each in regions)
    assert len(page.all("caption")) == len(tables)
    assert all(each.get("scope") in ("row", "col") for each in page.all("th"))


def test_confusion_is_numbers_not_colour_alone(report: Report, page: Page) -> None:
    assert report.evaluation
    counts = report.evaluation.confusion
    row = page.text[page.text.index("True<b>bold</b>") :]
    assert row
    right = [each for each in page.all("td") if (each.get("class") or "") == "right"]
    assert len(right) == len(NAMES)
    for count in counts[counts > 0]:
        assert str(count) in row
    assert f"{report.evaluation.top1:.2%} of 9 pictures right" in page.text
    for mistake in report.evaluation.mistakes:
        assert f"{NAMES[mistake.guess]} {mistake.probability:.1%}" in page.text


def page_of(report: Report, found: Evaluation) -> Page:
    page = Page(render(Report("a.cfg", "a.weights", report.layers, None, [], found)))
    assert page.faults == []
    return page


def test_many_classes_are_pairs_and_a_picture(report: Report) -> None:
    counts = np.eye(30, dtype=np.int64) * 3
    counts[4, 7] = 9
    found = Evaluation(tuple(f"n{k}" for k in range(30)), counts, 5, 30, 0.1)
    page = page_of(report, found)
    (image,) = page.all("img")
    assert image["alt"] == "Confusion matrix of 30 classes, rows true, columns guessed"
    assert "n4n7975.0%" in page.text
    assert "worst mistakes" not in page.text


def test_a_thousand_classes_are_pairs_alone(report: Report) -> None:
    counts = np.eye(1000, dtype=np.int64)
    names = tuple(f"n{k}" for k in range(1000))
    assert "It takes none for another" in page_of(report, Evaluation(names, counts, 5, 1, 0)).text
    counts += np.roll(counts, 1, axis=1)
    page = page_of(report, Evaluation(names, counts, 5, 1, 0.1))
    assert not page.all("img")
    assert [table["class"] for table in page.all("table")] == ["classes", "pairs", "layers"]
    assert len([each for each in page.all("th") if each.get("scope") == "row"]) < 80


def test_more_mistakes_than_six_open_when_asked_for(report: Report) -> None:
    mistakes = tuple(Mistake(Path(f"none{k}.png"), 0, 1, 0.9, 0.1) for k in range(9))
    found = Evaluation(("a", "b"), np.eye(2, dtype=np.int64), 1, 2, 0.1, mistakes)
    page = page_of(report, found)
    assert "3 more" in page.text
    assert all(f"none{k}.png" in page.text for k in range(9))
    few = page_of(report, replace(found, mistakes=mistakes[:6]))
    assert " more" not in few.text


def test_the_photo_comes_first_and_what_is_long_is_closed(report: Report, page: Page) -> None:
    section = render(report)
    section = section[section.index('<section id="picture-1">') :]
    photo, table, looks = (section.index(f'class="{each}"') for each in PARTS)
    details = section.index("<details>")
    assert photo < table < looks < details < section.index('class="small"')
    assert not any("open" in each for each in page.all("details"))
    assert "What its layers see" in page.text


def test_of_many_pictures_the_first_three_are_open(report: Report) -> None:
    html = render(replace(report, seen=[report.seen[0]] * 5))
    assert Page(html).faults == []
    sections = [part.split("\n")[1] for part in html.split('<section id="picture-')[1:]]
    assert [part.startswith("<details><summary><h2>") for part in sections] == [
        *(False, False, False, True, True)
    ]


PARTS = ("photo", "predictions", "looks")


@pytest.mark.parametrize(
    ("count", "narrow", "middle", "wide"),
    [(12, 4, 6, 12), (10, 5, 5, 10), (16, 4, 8, 8), (96, 4, 8, 12), (3, 3, 5, 8), (7, 4, 7, 8)],
)
def test_rows_of_small_pictures_are_as_full_as_can_be(
    count: int, narrow: int, middle: int, wide: int
) -> None:
    assert f"--narrow: {narrow}; --middle: {middle}; --wide: {wide}" in _grid(["<i></i>"] * count)


def test_names_that_are_no_text(report: Report) -> None:
    """Of files, of folders and of classes, on a page that is UTF-8."""
    mistake = Mistake(Path("caf\udce9.png"), 0, 1, 0.9, 0.1)
    counts = np.ones((2, 2), np.int64)
    found = Evaluation(("na\udcefve", "\udce7\udc8c\udcab"), counts, 1, 2, 0.1, (mistake,))
    seen = replace(report.seen[0], picture=replace(report.seen[0].picture, path=mistake.path))
    html = render(Report("c\udcff.cfg", "w\udcff", report.layers, None, [seen], found))
    html.encode()
    page = Page(html)
    assert page.faults == []
    assert "caf\\xe9.png: 猫 90.0%, is na\\xefve (10.0%)" in page.text
    assert "c\\xff: inside a network" in page.text


def test_a_network_of_nan_is_one_line(dataset: Dataset, tmp_path: Path) -> None:
    net = golden_network(load_golden("forward", "tiny_like"), tmp_path)
    net.layers[0].parameters()[0].value[:] = np.nan
    picture = load_picture(net, dataset.paths[0], "min")
    with pytest.raises(NotFiniteError) as caught:
        collect(net, "bad.weights", [picture], NAMES)
    assert str(caught.value).startswith(f"{picture.path}: golden.cfg gives numbers that are not")
    assert "\n" not in str(caught.value)


def test_a_mistake_whose_picture_is_gone(report: Report) -> None:
    names = ("a", "b")
    gone = Mistake(Path("none.png"), 0, 1, 0.9, 0.1)
    found = Evaluation(names, np.eye(2, dtype=np.int64), 1, 2, 0.1, (gone,))
    page = page_of(report, found)
    assert "none.png: b 90.0%, is a (10.0%)" in page.text
    assert not page.all("img")


def test_a_network_without_convolutions() -> None:
    net = make_network("[net]\ninputs=5\n[connected]\noutput=3\n[softmax]\n")
    found = collect(net, "a.weights", [], list("abc"))
    assert (found.filters, found.seen) == (None, [])
    page = Page(render(found))
    assert page.faults == []
    assert "first filters" not in page.text.lower()


def test_a_network_of_vectors_is_explained_by_pixels(dataset: Dataset, tmp_path: Path) -> None:
    net = golden_network(load_golden("forward", "connected"), tmp_path)
    found = collect(net, "a.weights", [load_picture(net, dataset.paths[0], "crop")], NAMES)
    assert {each.method for each in found.seen[0].explanations} == {"saliency"}
    page = Page(render(found))
    assert page.faults == []
    assert "Saliency: " in page.text
    assert "What its layers see" not in page.text

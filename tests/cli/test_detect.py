"""darknet detect and detector test: printed as the C programs do, drawn, JSON, CSV and COCO's."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import darknet_py
from darknet_py.network import load_network
from tests.cli.conftest import Run

CFG = (
    "[net]\nwidth=16\nheight=8\nchannels=3\n[convolutional]\nfilters=14\nactivation=linear\n"
    "[yolo]\nnum=2\nclasses=2\nanchors=4,4,8,8\n"
)
NEAR = ("-thresh", 0.1)


class Files:
    """A detector of cats and dogs, by pjreddie's rules, and pictures."""

    def __init__(self, folder: Path) -> None:
        self.names = str(folder / "my.cfg"), str(folder / "my.weights")
        (folder / "my.cfg").write_text(CFG)
        (folder / "my.names").write_text("cat\nhot dog\n")
        net = load_network(self.names[0], device="cpu")
        for parameter in net.parameters():
            parameter.value *= 3
        net.save_weights(self.names[1])
        rng = np.random.default_rng(0)
        self.pictures = [folder / name for name in ("a_12.png", "b_7.png")]
        for path in self.pictures:
            Image.fromarray(rng.integers(0, 256, (60, 90, 3), np.uint8)).save(path)

    def detections(self, thresh: float) -> list[list[darknet_py.Detection]]:
        net = load_network(*self.names, device="cpu")
        return darknet_py.detect(net, [str(each) for each in self.pictures], thresh)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.chdir(tmp_path)
    return Files(tmp_path)


def test_what_pjreddies_program_prints(darknet: Run, files: Files) -> None:
    code, out, err = darknet("detect", *files.names, files.pictures[0], *NEAR)
    assert code == 0
    first, *lines = out.splitlines()
    assert re.fullmatch(r".*a_12\.png: Predicted in [0-9.]+ seconds\.", first)
    found = files.detections(0.1)[0]
    assert found
    assert lines == [f"{each.name}: {100 * each.probability:.0f}%" for each in found]
    assert err.splitlines()[-1] == "predictions.png"
    with Image.open("predictions.png") as drawn, Image.open(files.pictures[0]) as picture:
        assert drawn.size == (90, 60)
        assert (np.asarray(drawn) != np.asarray(picture)).any()
    # the house's rule: a name that the program chose takes the next free number
    assert darknet("detect", *files.names, files.pictures[0]).err.endswith("predictions-2.png\n")


def test_what_alexeyabs_program_prints(darknet: Run, files: Files) -> None:
    """From left to right; with boxes in rounded pixels behind a tab."""
    words = ("--rules", "alexeyab", "-ext_output", *NEAR, "-q")
    code, out, _ = darknet("detect", *files.names, files.pictures[0], *words)
    assert code == 0
    first, *lines = out.splitlines()
    assert re.fullmatch(r".*a_12\.png: Predicted in [0-9.]+ milli-seconds\.", first)
    pattern = (
        r"(cat|hot dog): \d+%\t\(left_x: +(-?\d+)   top_y: +-?\d+   width: +\d+   height: +\d+\)"
    )
    found = [re.fullmatch(pattern, line) for line in lines]
    assert found
    assert all(found)
    lefts = [int(each[2]) for each in found if each]
    assert lefts == sorted(lefts)


def test_thresholds_by_the_rules(darknet: Run, files: Files) -> None:
    counts = {}
    for program, thresh in (("pjreddie", 0.5), ("alexeyab", 0.25)):
        words = ("--rules", program, "-q", "--csv")
        silent = darknet("detect", *files.names, *files.pictures, *words).out
        said = darknet("detect", *files.names, *files.pictures, *words, "-thresh", thresh).out
        assert silent == said
        counts[program] = len(said.splitlines())
    assert counts["alexeyab"] > counts["pjreddie"]


def test_json_and_csv(darknet: Run, files: Files) -> None:
    words = ("detect", *files.names, *files.pictures, *NEAR, "-q")
    wanted = files.detections(0.1)
    documents = [json.loads(line) for line in darknet(*words, "--json").out.splitlines()]
    assert [each["path"] for each in documents] == [str(path) for path in files.pictures]
    for document, found in zip(documents, wanted, strict=True):
        assert (document["width"], document["height"]) == (90, 60)
        boxes = [tuple(each["box"]) for each in document["detections"]]
        assert boxes == [each.box for each in found]
        assert [each["name"] for each in document["detections"]] == [each.name for each in found]
    rows = list(csv.DictReader(io.StringIO(darknet(*words, "--csv").out)))
    assert len(rows) == sum(map(len, wanted))
    assert [float(row["left"]) for row in rows] == [e.box[0] for found in wanted for e in found]
    assert not Path("predictions.png").exists()


def test_pictures_in_a_folder(darknet: Run, files: Files) -> None:
    words = ("detect", *files.names, *files.pictures, *NEAR, "-q", "-out", "found")
    assert darknet(*words).code == 0
    assert sorted(path.name for path in Path("found").iterdir()) == ["a_12.png", "b_7.png"]
    before = Path("found/a_12.png").read_bytes()
    Path("found/a_12.png").write_bytes(b"mine")
    assert darknet(*words).code == 0
    assert Path("found/a_12.png").read_bytes() == b"mine"
    assert Path("found/a_12-2.png").read_bytes() == before
    assert darknet(*words, "--overwrite").code == 0
    assert Path("found/a_12.png").read_bytes() == before


def test_one_picture_in_a_file(darknet: Run, files: Files) -> None:
    words = ("detect", *files.names, files.pictures[0], *NEAR, "-q")
    assert darknet(*words, "-o", "mine.jpg").code == 0
    assert Path("mine.jpg").exists()
    assert darknet(*words, "-o", "mine.jpg").code == 1
    code, _, err = darknet(*words, files.pictures[1], "-o", "two.png")
    assert (code, "is for one picture: give a folder" in err) == (2, True)
    code, _, err = darknet(*words, "-out", "result.json")
    assert (code, "--json prints" in err) == (2, True)


def test_crops(darknet: Run, files: Files) -> None:
    code, _, _ = darknet("detect", *files.names, files.pictures[0], *NEAR, "-q", "--crops", "cut")
    assert code == 0
    found = files.detections(0.1)[0]
    names = sorted(path.name for path in Path("cut").iterdir())
    assert len(names) <= len(found)
    assert all(re.fullmatch(r"a_12_\d\d_(cat|hot-dog)\.png", name) for name in names)
    assert not Path("predictions.png").exists()


def test_results_as_pycocotools_reads_them(darknet: Run, files: Files) -> None:
    words = ("detect", *files.names, *files.pictures, *NEAR, "-q", "--coco")
    assert darknet(*words, "results.json").code == 0
    results = json.loads(Path("results.json").read_text())
    wanted = files.detections(0.1)
    assert [each["image_id"] for each in results] == [12] * len(wanted[0]) + [7] * len(wanted[1])
    flat = [each for found in wanted for each in found]
    assert [each["category_id"] for each in results] == [each.index + 1 for each in flat]
    for mine, each in zip(results, flat, strict=True):
        assert mine["bbox"] == pytest.approx(each.box, abs=1e-3)
        assert mine["score"] == pytest.approx(each.probability, abs=1e-6)
    # names without numbers: their places
    files.pictures[0].rename("x.png")
    darknet("detect", *files.names, "x.png", files.pictures[1], *NEAR, "-q", "--coco", "b.json")
    assert {each["image_id"] for each in json.loads(Path("b.json").read_text())} == {1, 2}


@pytest.mark.parametrize("program", [("detector", "test"), ("yolo", "test"), ("coco", "test")])
def test_the_c_programs_words(darknet: Run, files: Files, program: tuple[str, ...]) -> None:
    Path("other.names").write_text("bird\nowl\n")
    Path("my.data").write_text("classes=2\nnames=other.names\n")
    code, out, _ = darknet(*program, "my.data", *files.names, files.pictures[0], *NEAR, "-q")
    assert code == 0
    assert {line.split(":")[0] for line in out.splitlines()[1:]} <= {"bird", "owl"}
    code, out, _ = darknet(*program, *files.names, files.pictures[0], *NEAR, "-q")
    assert code == 0
    assert {line.split(":")[0] for line in out.splitlines()[1:]} <= {"cat", "hot dog"}


def test_a_bad_picture_stops_none(darknet: Run, files: Files) -> None:
    Path("bad.png").write_bytes(b"no picture")
    words = ("detect", *files.names, "bad.png", files.pictures[0], *NEAR, "-q", "--json")
    code, out, err = darknet(*words)
    assert (code, len(out.splitlines())) == (1, 1)
    assert err.startswith("darknet: bad.png: ")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((), 2, "Which network? CFG WEIGHTS come first"),
        (("photo.jpg",), 2, "'photo.jpg' is no cfg. Which network?"),
        (("my.cfg",), 2, "Missing argument 'WEIGHTS'"),
        (("my.cfg", "my.weights", "no.png"), 1, "no.png: no such file or folder"),
        (("my.cfg", "my.weights", "a_12.png", "-thresh", 2), 2, "2.0 is not in the range"),
        (("my.cfg", "my.weights", "a_12.png", "--coco", "x.txt"), 1, "x.txt: cannot be written"),
        (("my.cfg", "my.weights", "a_12.png", "--names", "a_12.png"), 1, "a_12.png"),
        (("my.cfg", "my.weights", "a_12.png", "--json", "--csv"), 2, "give one"),
    ],
)
def test_mistakes(
    darknet: Run, files: Files, words: tuple[object, ...], code: int, message: str
) -> None:
    found = darknet("detect", *words)
    assert (found.code, found.out) == (code, "")
    assert message in found.err
    assert "Traceback" not in found.err


def test_a_classifier_finds_no_boxes(darknet: Run, files: Files) -> None:
    words = ("cfg/cifar_res.cfg", "data/cifar.weights", files.pictures[0])
    code, out, err = darknet("detect", *words, "-q")
    assert (code, out) == (1, "")
    assert "finds no boxes: expected a [yolo], [region] or [detection] layer" in err


@pytest.mark.parametrize("word", ["train", "valid", "map", "recall", "calc_anchors", "demo"])
def test_what_the_detector_of_the_c_program_does_more(darknet: Run, word: str) -> None:
    code, _, err = darknet("detector", word, "x")
    assert code == 2
    assert f"'{word}' of the C program" in err


def test_whose_rules_is_said(darknet: Run, files: Files) -> None:
    Path("ab.cfg").write_text(CFG + "scale_x_y=1.05\n")
    _, _, err = darknet("detect", "ab.cfg", files.names[1], files.pictures[0])
    assert "ab.cfg: computed as by AlexeyAB's program: scale_x_y= (line 12) is known to it" in err
    _, _, err = darknet("detect", *files.names, files.pictures[0])
    assert "computed as by" not in err

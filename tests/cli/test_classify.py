from __future__ import annotations

import csv
import importlib
import io
import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.cfg.data_file import read_lines
from darknet_py.resources import Embedded, find_resource
from tests.cli.conftest import Model, Run

# The command has taken its module's place in darknet_py.cli.
classify = importlib.import_module("darknet_py.cli.classify")


@pytest.fixture
def embedded(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for what comes with the program; gives its sample picture."""
    names, sample = tmp_path / "ten.list", tmp_path / "sample.png"
    names.write_text("".join(f"class {i}\n" for i in range(10)))
    Image.new("RGB", (48, 36), (30, 90, 160)).save(sample)
    stand_in = Embedded(*map(str, (*model, names, sample)))
    monkeypatch.setattr(classify, "EMBEDDED", stand_in)
    return sample


def test_without_anything_the_sample_is_classified(darknet: Run, embedded: Path) -> None:
    code, out, _ = darknet("classify", "--json")
    assert code == 0
    (document,) = map(json.loads, out.splitlines())
    assert document["path"] == str(embedded)
    assert all(re.fullmatch(r"class \d", p["name"]) for p in document["predictions"])


def test_pictures_alone_are_for_the_network_that_comes_with_the_program(
    darknet: Run, embedded: Path, model: Model, pictures: Path, tmp_path: Path
) -> None:
    code, out, _ = darknet("classify", "--json", pictures / "a.png", pictures / "c.jpg")
    assert code == 0
    documents = [json.loads(line) for line in out.splitlines()]
    assert [Path(d["path"]).name for d in documents] == ["a.png", "c.jpg"]
    # as with its cfg and weights named, but for the classes' names
    _, out, _ = darknet("classify", "--json", *model, pictures / "a.png")
    named = [f"class {p['name']}" for p in json.loads(out)["predictions"]]
    assert [p["name"] for p in documents[0]["predictions"]] == named
    names = tmp_path / "others.list"
    names.write_text("other\n" * 10)
    _, out, _ = darknet("classify", "--json", "--names", names, pictures / "a.png")
    assert {p["name"] for p in json.loads(out)["predictions"]} == {"other"}


def test_a_list_for_the_network_that_comes_with_the_program(
    darknet: Run, embedded: Path, pictures: Path
) -> None:
    code, out, _ = darknet("classify", "--json", "-", stdin=f"{pictures / 'a.png'}\n")
    assert code == 0
    assert Path(json.loads(out)["path"]).name == "a.png"


def test_a_cfg_is_known_by_its_name(darknet: Run, embedded: Path, tmp_path: Path) -> None:
    code, out, err = darknet("classify", tmp_path / "MY.CFG")
    assert (code, out) == (2, "")
    assert "Missing argument 'WEIGHTS'" in err
    Image.new("RGB", (8, 8)).save(tmp_path / "x.png")
    code, _, err = darknet(
        "classify", "-q", tmp_path / "nothing.cfg", "x.weights", tmp_path / "x.png"
    )
    assert code == 1
    assert err.startswith(f"darknet: {tmp_path / 'nothing.cfg'}: ")


def test_files_in_another_order_are_said_to_be(
    darknet: Run, embedded: Path, model: Model, pictures: Path
) -> None:
    """They would be tried as pictures, and the others answered by another network."""
    a = pictures / "a.png"
    for arguments, complaint in (
        ([model.weights, model.cfg, a], "is weights: the cfg comes first"),
        ([a, model.cfg, model.weights], "is a cfg: the cfg comes first"),
        ([a, model.weights], "is weights: the cfg comes first"),
        ([model.cfg, a], "is a picture, and stands in the place of the weights"),
        ([model.cfg, a, model.weights], "is a picture, and stands in the place of the weights"),
        ([model.cfg, "-"], "is a picture, and stands in the place of the weights"),
        ([*model, model.cfg], "is a cfg: the cfg comes first"),
        (["ten.data", *model, a], "is a .data file: `classifier predict` takes one"),
    ):
        code, out, err = darknet("classify", *arguments)
        assert (code, out) == (2, "")
        assert complaint in err


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("explain WEIGHTS CFG PICTURE", "is weights, and stands in the place of the cfg"),
        ("explain CFG PICTURE", "is a picture, and stands in the place of the weights"),
        ("explain CFG PICTURE WEIGHTS", "is a picture, and stands in the place of the weights"),
        ("activations PICTURE CFG WEIGHTS", "the cfg comes first: CFG WEIGHTS PICTURE"),
        ("features WEIGHTS CFG PICTURE", "the cfg comes first: CFG WEIGHTS PICTURE..."),
        ("filters WEIGHTS CFG", "the cfg comes first: CFG WEIGHTS"),
        ("report CFG WEIGHTS PICTURE CFG", "is a cfg, and stands in the place of the picture"),
        ("nightmare WEIGHTS CFG PICTURE 1", "is weights: the cfg comes first"),
        ("nightmare CFG PICTURE 1", "is a picture, and stands in the place of the weights"),
        ("train CFG FOLDER", "the data comes first: DATA [CFG] [WEIGHTS]"),
        ("train FOLDER WEIGHTS CFG", "is weights, and stands in the place of the cfg"),
        ("classifier valid CFG WEIGHTS FOLDER", "the data comes first: DATA CFG WEIGHTS"),
        ("classifier predict CFG WEIGHTS PICTURE", "the data comes first: DATA CFG WEIGHTS"),
        ("finetune CFG WEIGHTS FOLDER", "the data comes first: DATA CFG WEIGHTS"),
        ("reset WEIGHTS CFG out.weights", "is weights, and stands in the place of the cfg"),
        ("info WEIGHTS", "is weights, and stands in the place of the cfg"),
        ("ops CFG WEIGHTS", "is weights, and stands in the place of the cfg"),
    ],
)
def test_every_command_knows_its_order(
    darknet: Run, model: Model, pictures: Path, command: str, complaint: str
) -> None:
    files = {
        "CFG": model.cfg,
        "WEIGHTS": model.weights,
        "PICTURE": pictures / "a.png",
        "FOLDER": pictures,
    }
    code, out, err = darknet(*(files.get(word, word) for word in command.split()))
    assert (code, out) == (2, "")
    assert complaint in " ".join(err.split())


def test_what_comes_with_the_program_knows_its_sample(
    darknet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    weights = find_resource(classify.EMBEDDED.weights)
    assert weights is not None
    assert weights.stat().st_size <= 2_000_000
    code, out, _ = darknet("classify", "--json")
    assert code == 0
    best = json.loads(out)["predictions"][0]
    assert best["name"] == Path(classify.EMBEDDED.sample).stem
    assert best["probability"] > 0.5


def test_the_network_that_reads_digits_is_there_by_name(
    darknet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    digits = [f"data/digits/{digit}.png" for digit in range(10)]
    code, out, _ = darknet("classify", "--json", "cfg/mnist.cfg", "data/mnist.weights", *digits)
    assert code == 0
    best = [json.loads(line)["predictions"][0]["name"] for line in out.splitlines()]
    assert best == [str(digit) for digit in range(10)]


def test_prints_the_path_the_time_and_the_top_classes(
    darknet: Run, model: Model, pictures: Path
) -> None:
    code, out, err = darknet("classify", model.cfg, model.weights, pictures / "a.png")
    first, *lines = out.splitlines()
    assert code == 0
    assert re.fullmatch(
        rf"{re.escape(str(pictures / 'a.png'))}: Predicted in \d+\.\d{{6}} seconds\.", first
    )
    probabilities = [float(line.split(": ")[1]) for line in lines]
    assert len(lines) == 5
    assert all(re.fullmatch(r"\d: [01]\.\d{6}", line) for line in lines)
    assert probabilities == sorted(probabilities, reverse=True)
    assert err.splitlines()[0].split() == ["layer", "filters", "size", "input", "output"]
    assert err.splitlines()[-1] == f"Loading weights from {model.weights}...Done!"


def test_quiet_says_results_only(darknet: Run, model: Model, pictures: Path) -> None:
    code, out, err = darknet("classify", "-q", "-t", 2, *model, pictures / "a.png")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 3


def test_json_is_one_object_a_picture(darknet: Run, model: Model, pictures: Path) -> None:
    code, out, _ = darknet("classify", "--json", "--top", 3, *model, pictures)
    documents = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [Path(d["path"]).name for d in documents] == ["a.png", "b.png", "c.jpg"]
    assert all(len(d["predictions"]) == 3 and d["seconds"] > 0 for d in documents)
    assert set(documents[0]["predictions"][0]) == {"index", "name", "probability"}


def test_csv_has_a_head_and_a_line_a_class(darknet: Run, model: Model, pictures: Path) -> None:
    _, out, _ = darknet("classify", "--csv", "--top", 2, *model, pictures / "a.png")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["rank"] for row in rows] == ["1", "2"]
    assert rows[0]["path"] == str(pictures / "a.png")
    assert float(rows[0]["probability"]) >= float(rows[1]["probability"])


def test_batches_change_nothing_but_rounding(darknet: Run, model: Model, pictures: Path) -> None:
    def answers(*options: object) -> list[list[tuple[str, object]]]:
        _, out, _ = darknet("classify", "--json", *options, *model, pictures)
        return [
            [(p["name"], pytest.approx(p["probability"], abs=1e-6)) for p in d["predictions"]]
            for d in map(json.loads, out.splitlines())
        ]

    assert answers() == answers("--batch", 8)


@pytest.mark.parametrize("fit", ["min", "letterbox", "crop"])
def test_fits_differ(darknet: Run, model: Model, pictures: Path, fit: str) -> None:
    _, by_default, _ = darknet("classify", "--json", *model, pictures / "c.jpg")
    _, out, _ = darknet("classify", "--json", "--fit", fit, *model, pictures / "c.jpg")
    same = json.loads(out)["predictions"] == json.loads(by_default)["predictions"]
    assert same == (fit == "min")


def test_a_network_that_cannot_grow_crops(
    darknet: Run, connected_model: Model, pictures: Path
) -> None:
    code, out, err = darknet("classify", "--json", *connected_model, pictures / "c.jpg")
    assert code == 0
    assert "one size only: pictures are cropped" in err
    _, cropped, _ = darknet(
        "classify", "--json", "--fit", "crop", *connected_model, pictures / "c.jpg"
    )
    assert json.loads(out)["predictions"] == json.loads(cropped)["predictions"]
    code, _, err = darknet("classify", "--fit", "min", *connected_model, pictures / "c.jpg")
    assert code == 1
    assert "only takes a map of 6 x 5 x 3" in err


def test_names_from_a_file(darknet: Run, model: Model, pictures: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.list"
    names.write_text("".join(f"the {i}th thing\n" for i in range(12)))
    _, out, _ = darknet("classify", "--names", names, *model, pictures / "a.png")
    assert all(re.match(r"the \dth thing: ", line) for line in out.splitlines()[1:])
    names.write_text("one\ntwo\n")
    code, _, err = darknet("classify", "-q", "--names", names, *model, pictures / "a.png")
    assert (code, err) == (
        1,
        f"darknet: {names}: holds 2 names, and the network knows 10 classes\n",
    )


def test_a_thousand_outputs_are_imagenets(darknet: Run, tmp_path: Path, pictures: Path) -> None:
    cfg, weights = tmp_path / "k.cfg", tmp_path / "k.weights"
    cfg.write_text(
        "[net]\nwidth=8\nheight=8\nchannels=3\n[conv]\nfilters=1000\n[avgpool]\n[softmax]\n"
    )
    weights.write_bytes(bytes(16 + 4 * 4000))
    _, out, _ = darknet("classify", "--json", "-t", 1, cfg, weights, pictures / "a.png")
    best = json.loads(out)["predictions"][0]
    shipped = Path(__file__).parents[2] / "data/imagenet.shortnames.list"
    assert best["name"] == read_lines(shipped)[best["index"]]


def test_a_bad_picture_does_not_stop_the_others(darknet: Run, model: Model, pictures: Path) -> None:
    (pictures / "b.png").write_text("no picture")
    code, out, err = darknet("classify", "-q", "--json", "--batch", 4, *model, pictures)
    assert code == 1
    assert [Path(json.loads(line)["path"]).name for line in out.splitlines()] == ["a.png", "c.jpg"]
    assert err.count("\n") == 1
    assert err.startswith(f"darknet: {pictures / 'b.png'}: ")


def test_a_list_on_standard_input(darknet: Run, model: Model, pictures: Path) -> None:
    listed = f"{pictures / 'a.png'}\r\n\n# a comment\n{pictures / 'c.jpg'}\n"
    code, out, _ = darknet("classify", "--json", *model, "-", stdin=listed)
    assert code == 0
    assert [Path(json.loads(line)["path"]).name for line in out.splitlines()] == ["a.png", "c.jpg"]


def test_patterns(darknet: Run, model: Model, pictures: Path) -> None:
    _, out, _ = darknet("classify", "--json", *model, f"{pictures}/*.png")
    assert len(out.splitlines()) == 2
    code, _, err = darknet("classify", "-q", *model, f"{pictures}/*.bmp")
    assert code == 1
    assert err.startswith("darknet: ")


def test_what_names_no_picture_does_not_stop_the_others(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    missing, a = tmp_path / "x[1].png", pictures / "a.png"
    code, out, err = darknet("classify", "-q", "--json", *model, missing, tmp_path / "empty", a)
    assert code == 1
    assert json.loads(out)["path"] == str(a)
    assert [line.split(": ")[1] for line in err.splitlines()] == [
        *(str(missing), str(tmp_path / "empty"))
    ]


def test_a_folder_is_looked_into(darknet: Run, model: Model, pictures: Path) -> None:
    for name in ("cats/old", ".hidden", "__MACOSX", "@eaDir"):
        (pictures / name).mkdir(parents=True)
        (pictures / name / "d.png").write_bytes((pictures / "a.png").read_bytes())
    code, out, _ = darknet("classify", "-q", "--json", *model, pictures)
    assert code == 0
    found = [Path(json.loads(line)["path"]).relative_to(pictures) for line in out.splitlines()]
    assert list(map(str, found)) == ["a.png", "b.png", "c.jpg", "cats/old/d.png"]


ONE_OUTPUT = (
    "[net]\nwidth=8\nheight=8\nchannels=3\n[convolutional]\nfilters=1\nactivation=linear\n"
    "[avgpool]\n[logistic]\n"
)


def one_output(folder: Path, bias: float) -> Model:
    """A network of one sigmoid output, the same for all pictures."""
    model = Model(folder / "one.cfg", folder / "one.weights")
    model.cfg.write_text(ONE_OUTPUT)
    numbers = np.array([bias, 0, 0, 0], np.float32)
    model.weights.write_bytes(bytes(16) + numbers.tobytes())
    return model


def test_one_sigmoid_output_is_two_classes(darknet: Run, pictures: Path, tmp_path: Path) -> None:
    model = one_output(tmp_path, 2)
    p = 1 / (1 + math.exp(-2))
    (tmp_path / "one.names").write_text("cat\ndog\n")
    code, out, _ = darknet("classify", "-q", "--json", *model, pictures / "a.png")
    assert code == 0
    found = [(each["index"], each["name"]) for each in json.loads(out)["predictions"]]
    assert found == [(1, "dog"), (0, "cat")]
    assert [each["probability"] for each in json.loads(out)["predictions"]] == [
        pytest.approx(p),
        pytest.approx(1 - p),
    ]
    (tmp_path / "one.names").write_text("cat\n")
    _, out, err = darknet("classify", "-q", *model, pictures / "a.png")
    assert out.splitlines()[1] == f"1: {p:f}"
    assert err == f"{tmp_path / 'one.names'}: not used: it has less than 2 lines\n"
    (tmp_path / "one.names").write_text("cat\ndog\n")
    names, data = tmp_path / "other.list", tmp_path / "o.data"
    names.write_text("no\nyes\n")
    data.write_text(f"classes=2\nnames={names}\ntop=2\n")
    _, out, _ = darknet("classify", "-q", "-t", 1, "--names", names, *model, pictures / "a.png")
    assert out.splitlines()[1] == f"yes: {p:f}"
    _, out, _ = darknet("classifier", "predict", "-q", data, *model, pictures / "a.png")
    assert out.splitlines()[1:] == [f"yes: {p:f}", f"no: {1 - p:f}"]
    options = ("--class", "cat", "--method", "saliency", "-o", tmp_path / "heat")
    code, out, _ = darknet("explain", "-q", "--json", *model, pictures / "a.png", *options)
    assert (code, json.loads(out)["index"]) == (0, 0)
    assert json.loads(out)["probability"] == pytest.approx(1 - p)
    assert json.loads(out)["score"] == pytest.approx(-2)


def test_one_output_that_is_no_probability(darknet: Run, pictures: Path, tmp_path: Path) -> None:
    """As two classes it would be 5 and -4."""
    model = one_output(tmp_path, 5)
    model.cfg.write_text(ONE_OUTPUT.replace("[logistic]\n", ""))
    for command in ("classify", "explain"):
        code, out, err = darknet(command, "-q", *model, pictures / "a.png")
        assert (code, out) == (1, "")
        assert "has one output, which gives 5: expected a probability from 0 to 1" in err


def test_an_answer_that_is_no_number_is_none(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path
) -> None:
    """Weights that are finite, and too large for one of two pictures."""
    huge = Model(tmp_path / "huge.cfg", tmp_path / "huge.weights")
    huge.cfg.write_text(ONE_OUTPUT.replace("[logistic]", "[softmax]").replace("=1\n", "=2\n"))
    numbers = np.array([0, 0, 3e38, 3e38, 3e38, -3e38, -3e38, -3e38], np.float32)
    huge.weights.write_bytes(bytes(16) + numbers.tobytes())
    Image.new("RGB", (8, 8)).save(pictures / "black.png")
    both = (pictures / "a.png", pictures / "black.png")
    for form in ("--json", "--csv"):
        code, out, err = darknet("classify", "-q", form, *huge, *both)
        assert code == 1
        assert "nan" not in out.lower()
        assert "black.png" in out
        assert "a.png" not in out
        assert err.startswith(f"darknet: {both[0]}: {huge.cfg} gives numbers that are not finite")
        assert err.count("\n") == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(
    "command", ["classify", "explain", "activations", "features", "filters", "report"]
)
def test_weights_that_are_not_finite_are_refused(
    darknet: Run, pictures: Path, tmp_path: Path, command: str, value: float
) -> None:
    model = one_output(tmp_path, value)
    words = [pictures / "a.png"] if command != "filters" else []
    code, out, err = darknet(command, "-q", *model, *words)
    assert (code, out) == (1, "")
    assert err.startswith(f"darknet: {model.weights}: layer 0 [convolutional] has weights that are")
    assert err.count("\n") == 1


def test_without_pictures_it_asks_on_a_terminal_only(
    darknet: Run, model: Model, pictures: Path
) -> None:
    code, out, err = darknet("classify", *model)
    assert (code, out) == (2, "")
    assert "No pictures" in err

    typed = f"{pictures / 'a.png'}\n{pictures / 'nothing*'}\n\n{pictures / 'c.jpg'}\n"
    code, out, err = darknet("classify", "-q", *model, stdin=typed, terminal=True)
    assert code == 0
    assert out.count("Predicted in") == 2
    assert err.count("Enter Image Path: ") == 5


def test_classifier_predict_takes_names_and_top_from_data(
    darknet: Run, model: Model, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/ten.names").write_text("".join(f"n{i}\n" for i in range(10)))
    data = tmp_path / "ten.data"
    data.write_text("classes = 10\nnames = lists/ten.names\ntop=2\n")
    code, out, _ = darknet("classifier", "predict", data, *model, pictures / "a.png")
    assert code == 0
    assert [line[0] for line in out.splitlines()[1:]] == ["n", "n"]
    _, out, _ = darknet("classifier", "predict", "-t", 4, data, *model, pictures / "a.png")
    assert len(out.splitlines()) == 5


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html></html>", "is an HTML page"),
        (b"\0" * 10, "too few"),
        (b"\0" * 2001, "runs short in layer 2 [convolutional]: expected 63,720 bytes"),
        (b"\0" * 90000, "more than"),
        (None, "is a folder"),
    ],
)
def test_weights_that_are_none_give_one_line(
    darknet: Run, model: Model, pictures: Path, content: bytes | None, complaint: str
) -> None:
    if content is None:
        model.weights.unlink()
        model.weights.mkdir()
    else:
        model.weights.write_bytes(content)
    code, out, err = darknet("classify", "-q", *model, pictures / "a.png")
    assert (code, out) == (1, "")
    assert err.startswith(f"darknet: {model.weights}: ")
    assert complaint in err
    assert err.count("\n") == 1


def test_a_cfg_that_cannot_be_gives_one_line(darknet: Run, model: Model, pictures: Path) -> None:
    model.cfg.write_text("[net]\nwidth=4\nheight=4\nchannels=3\n[conv]\nsize=9\nfilters=2\n")
    code, _, err = darknet("classify", "-q", *model, pictures / "a.png")
    assert code == 1
    assert err.startswith(f"darknet: {model.cfg}:5: [conv] a 4 x 4 x 3 input gives a ")
    assert err.count("\n") == 1


def test_unread_keys_warn_and_strict_refuses(darknet: Run, model: Model, pictures: Path) -> None:
    model.cfg.write_text(model.cfg.read_text().replace("[avgpool]", "[avgpool]\nfitlers=3"))
    code, _, err = darknet("classify", *model, pictures / "a.png")
    assert code == 0
    assert re.search(r"warning: .*tiny_like.cfg:\d+: \[avgpool\] fitlers= is not used", err)
    code, _, err = darknet("classify", "--strict", *model, pictures / "a.png")
    assert code == 1
    assert err.startswith(f"darknet: {model.cfg}:")


def test_an_unknown_device_gives_one_line(darknet: Run, model: Model, pictures: Path) -> None:
    code, _, err = darknet("classify", "-q", "--device", "tpu", *model, pictures / "a.png")
    assert code == 1
    assert err == "darknet: no such device: 'tpu': expected cpu, gpu, gpu:N or auto\n"


def test_a_grey_network_takes_colour_pictures(darknet: Run, tmp_path: Path, pictures: Path) -> None:
    cfg, weights = tmp_path / "grey.cfg", tmp_path / "grey.weights"
    cfg.write_text("[net]\nwidth=8\nheight=8\nchannels=1\n[conn]\noutput=2\n[softmax]\n")
    weights.write_bytes(bytes(16 + 4 * (2 + 128)))
    grey = pictures / "grey.png"
    Image.new("L", (8, 8), 9).save(grey)
    code, out, _ = darknet("classify", "--json", cfg, weights, grey, pictures / "a.png")
    assert code == 0
    assert len(out.splitlines()) == 2


def test_ctrl_c_ends_with_130(
    darknet: Run, model: Model, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("darknet_py.tasks.classify.load_input", interrupted)
    code, _, err = darknet("classify", "-q", *model, pictures / "a.png")
    assert (code, err) == (130, "\ndarknet: interrupted\n")


def test_a_bug_keeps_its_traceback(
    model: Model, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from darknet_py.cli import main

    def bug(*args: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("darknet_py.tasks.classify.load_input", bug)
    monkeypatch.setattr(
        sys, "argv", ["darknet", "classify", "-q", *map(str, model), str(pictures / "a.png")]
    )
    with pytest.raises(RuntimeError, match="a bug"):
        main()

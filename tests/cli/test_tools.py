"""The tools for weights files, as commands. What they preserve: tests/tasks/weights_tools."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.network import load_network
from tests.cli.conftest import Model, Run
from tests.support.shapes import CFG, draw_shapes

CHANGES = ("rescale", "rgbgr", "reset", "denormalize", "normalize", "oneoff")


def predicted(cfg: Path, weights: Path) -> np.ndarray:
    net = load_network(cfg, weights, "cpu", strict=True)
    h, w, c = net.in_shape
    return net.predict(np.random.default_rng(0).random((3, c, h, w), np.float32))


def test_partial_is_for_train_and_not_for_classify(darknet: Run, tmp_path: Path) -> None:
    data = draw_shapes(tmp_path / "shapes", 8)
    cfg, backup = tmp_path / "shapes.cfg", tmp_path / "backup"
    cfg.write_text(CFG)
    words = ("train", data, cfg, "--backup", backup, "--max-iter")
    assert darknet(*words, 1).code == 0
    out = tmp_path / "part.weights"
    code, printed, err = darknet("partial", cfg, backup / "shapes.weights", out, 3)
    assert (code, printed) == (0, f"{out}\n")
    assert "conv" in err
    whole = (backup / "shapes.weights").read_bytes()
    size = 20 + 4 * (8 + 8 * 25 + 16 + 16 * 8 * 9)
    assert out.read_bytes()[20:] == whole[20:size]
    assert len(whole) > size
    code, _, err = darknet("classify", cfg, out, data / "cross/1.png")
    assert code == 1
    assert "is a partial file that ends before layer 3 [convolutional]" in err
    cfg.write_text(CFG.replace("learning_rate=0.01", "learning_rate=0"))
    assert darknet(*words, 1, out, "--overwrite").code == 0
    trained = (backup / "shapes.weights").read_bytes()
    assert trained[20:size] == whole[20:size]
    assert trained[size:] != whole[size:]


def test_partial_of_layers_that_are_not_there(darknet: Run, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "out.weights"
    code, _, err = darknet("partial", "-q", *model, out, 99)
    assert (code, err.count("\n")) == (1, 1)
    assert "layers, and not the first 99 of them" in err
    assert darknet("partial", *model, out, 0).code == 2
    assert not out.exists()


def test_average(darknet: Run, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "mean.weights"
    code, printed, err = darknet("average", "-q", model.cfg, out, model.weights)
    assert (code, printed, err) == (0, f"{out}\n", "")
    assert out.read_bytes() == model.weights.read_bytes()
    values = np.frombuffer(model.weights.read_bytes()[20:], "<f4")
    other = tmp_path / "other.weights"
    other.write_bytes(model.weights.read_bytes()[:20] + (3 * values).tobytes())
    files = (model.weights, other)
    code, _, err = darknet("average", "-q", model.cfg, out, *files)
    assert (code, err) == (
        1,
        f"darknet: {out}: is there already: name another file, or add --overwrite\n",
    )
    assert darknet("average", "-q", "--overwrite", model.cfg, out, *files).code == 0
    np.testing.assert_array_equal(np.frombuffer(out.read_bytes()[20:], "<f4"), 2 * values)
    assert darknet("average", model.cfg, out).code == 2


def test_the_first_file_of_average_is_not_written_over(
    darknet: Run, model: Model, tmp_path: Path
) -> None:
    """As whoever forgets OUT would have it."""
    other = tmp_path / "other.weights"
    other.write_bytes(model.weights.read_bytes())
    before = model.weights.read_bytes()
    assert darknet("average", model.cfg, model.weights, other).code == 1
    assert darknet("average", "--overwrite", model.cfg, other, other, model.weights).code == 1
    assert model.weights.read_bytes() == other.read_bytes() == before


@pytest.mark.parametrize("name", ["denormalize", "reset"])
def test_answers_stay(name: str, darknet: Run, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "folder.d" / "out.weights"
    out.parent.mkdir()
    code, printed, _ = darknet(name, *model, out)
    cfg = out.with_suffix(".cfg") if name == "denormalize" else model.cfg
    assert (code, printed) == (0, f"{out}\n" + f"{cfg}\n" * (name == "denormalize"))
    np.testing.assert_allclose(predicted(cfg, out), predicted(*model), rtol=1e-4, atol=1e-6)
    assert ("batch_normalize" in cfg.read_text()) == (name == "reset")


def test_normalize_and_denormalize(darknet: Run, model: Model, tmp_path: Path) -> None:
    out, again = tmp_path / "out.weights", tmp_path / "again.weights"
    assert darknet("normalize", *model, out).code == 0
    normed = out.with_suffix(".cfg")
    assert normed.read_text().count("batch_normalize=1") == normed.read_text().count("[conv")
    np.testing.assert_allclose(predicted(normed, out), predicted(*model), rtol=1e-4, atol=1e-6)
    assert darknet("denormalize", normed, out, again).code == 0
    plain = again.with_suffix(".cfg")
    np.testing.assert_allclose(predicted(plain, again), predicted(*model), rtol=1e-4, atol=1e-6)
    code, _, err = darknet("denormalize", "-q", plain, again, tmp_path / "third.weights")
    assert (code, err) == (1, f"darknet: {plain}: no layer has batch_normalize=1\n")


def test_a_cfg_beside_is_not_written_over_either(
    darknet: Run, model: Model, tmp_path: Path
) -> None:
    before = model.cfg.read_text()
    out = model.cfg.with_suffix(".plain")
    for words, message in (
        ((out,), "is read and would be written over"),
        (("--overwrite", out), "is read and would be written over"),
        ((tmp_path / "there.weights",), "is there already"),
    ):
        (tmp_path / "there.cfg").write_text("mine")
        code, _, err = darknet("denormalize", "-q", *model, *words)
        assert (code, message in err) == (1, True)
    assert model.cfg.read_text() == before
    assert not out.exists()
    assert not (tmp_path / "there.weights").exists()
    assert darknet("normalize", *model, tmp_path / "out.cfg").code == 2


def test_rescale_says_what_else_is_to_be_done(darknet: Run, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "out.weights"
    code, printed, err = darknet("rescale", "-q", *model, out)
    assert (code, printed) == (0, f"{out}\n")
    assert err.startswith("note: layer 0 pads with zeros")
    assert out.read_bytes() != model.weights.read_bytes()


def test_rgbgr_twice(darknet: Run, model: Model, tmp_path: Path) -> None:
    one, two = tmp_path / "one.weights", tmp_path / "two.weights"
    assert darknet("rgbgr", *model, one).code == 0
    assert darknet("rgbgr", model.cfg, one, two).code == 0
    assert one.read_bytes() != model.weights.read_bytes()
    assert two.read_bytes() == model.weights.read_bytes()


def test_oneoff(darknet: Run, model: Model, tmp_path: Path) -> None:
    text = model.cfg.read_text()
    cfg, out = tmp_path / "twelve.cfg", tmp_path / "out.weights"
    before, after = text.rsplit("filters=10", 1)
    cfg.write_text(before + "filters=12" + after)
    assert darknet("classify", cfg, model.weights).code != 0
    code, printed, err = darknet("oneoff", cfg, model.weights, out)
    assert (code, printed) == (0, f"{out}\n")
    assert err.endswith(": 10 outputs kept, 2 drawn, 0 left out\n")
    assert predicted(cfg, out).shape == (3, 12)
    assert darknet("oneoff", "-q", cfg, model.weights, tmp_path / "b.weights").err == ""
    assert out.read_bytes() == (tmp_path / "b.weights").read_bytes()


@pytest.mark.parametrize("name", CHANGES)
def test_bad_input_is_one_line_and_nothing_is_written(
    name: str, darknet: Run, model: Model, tmp_path: Path
) -> None:
    out = tmp_path / "out.weights"
    (tmp_path / "short").write_bytes(model.weights.read_bytes()[:99])
    for cfg, weights in (
        (tmp_path / "none.cfg", model.weights),
        (model.cfg, tmp_path / "none"),
        (model.cfg, tmp_path / "short"),
    ):
        code, printed, err = darknet(name, "-q", cfg, weights, out)
        assert (code, printed, err.count("\n")) == (1, "", 1)
    code, _, err = darknet(name, "-q", *model, tmp_path / "no" / "folder")
    assert (code, "cannot be written" in err) == (1, True)
    assert darknet(name, *model).code == 2
    assert not out.exists()

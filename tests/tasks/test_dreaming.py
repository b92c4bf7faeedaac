"""darknet_py.nightmare does what the command of that name does."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

import darknet_py
from darknet_py.errors import DarknetError
from darknet_py.images import load_image, to_pixels
from darknet_py.network import load_network
from darknet_py.tasks.nightmare import Finished, Stepped
from tests.cli.conftest import Run
from tests.cli.conftest import darknet as darknet
from tests.support.shapes import CFG


class Files(NamedTuple):
    cfg: Path
    weights: Path
    picture: Path


@pytest.fixture
def files(tmp_path: Path) -> Files:
    cfg, weights, picture = (tmp_path / name for name in ("net.cfg", "net.weights", "photo.png"))
    cfg.write_text(CFG.replace("channels=1", "channels=3"))
    load_network(cfg, device="cpu").save_weights(weights)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)
    Image.fromarray(pixels).save(picture)
    return Files(cfg, weights, picture)


FEW: list[object] = ["-iters", 2, "-octaves", 1]
DREAMS: list[tuple[list[object], dict[str, Any]]] = [
    ([1, *FEW, "--rounds", 2], {"layer": 1, "iters": 2, "octaves": 1, "rounds": 2}),
    (
        [1, "-range", 2, "-iters", 2, "-octaves", 2, "--seed", 3, "--tv", 0.5],
        {"layer": 1, "range": 2, "iters": 2, "octaves": 2, "seed": 3, "tv": 0.5},
    ),
    (["--class", 2, "-iters", 2], {"class_": 2, "iters": 2}),
    (["--layers", "0:1,1:.5", *FEW], {"layers": "0:1,1:.5", "iters": 2, "octaves": 1}),
    ([1, "--from", "noise", *FEW], {"layer": 1, "from_": "noise", "iters": 2, "octaves": 1}),
    (
        [1, "-reconstruct", "-lambda", 0.1, "-iters", 3],
        {"layer": 1, "reconstruct": True, "lambda_": 0.1, "iters": 3},
    ),
    (["--sheet", "-iters", 1], {"sheet": True, "iters": 1}),
]


@pytest.mark.parametrize(("words", "options"), DREAMS)
def test_nightmare_is_the_command(
    darknet: Run,
    files: Files,
    words: list[object],
    options: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out.png"
    done = darknet("nightmare", *files, *words, "--device", "cpu", "-o", out)
    assert done.code == 0, done.err
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    events: list[object] = []
    how: dict[str, Any] = {"cfg": files.cfg, "weights": files.weights, "device": "cpu"}
    how["progress"] = events.append
    found = darknet_py.nightmare(files.picture, **how, **options)
    with Image.open(out) as picture:
        np.testing.assert_array_equal(to_pixels(found), np.asarray(picture))
    assert found.dtype == np.float32
    assert found.ndim == 3
    rounds = [event for event in events if isinstance(event, Finished)]
    assert len(rounds) == options.get("rounds", 1)
    assert rounds[-1].picture is found
    assert any(isinstance(event, Stepped) for event in events)
    assert sorted(tmp_path.iterdir()) == before
    again = darknet_py.nightmare(load_image(files.picture), **how, **options)
    np.testing.assert_array_equal(again, found)


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"iter": 3}, TypeError, "has no keyword 'iter': did you mean iters"),
    ({"output": "a.png"}, TypeError, "has no keyword 'output'"),
    ({"layer": "1"}, TypeError, "layer: expected a whole number, found '1'"),
    ({"layer": -1}, ValueError, "layer=-1: expected 0 or more"),
    ({"rounds": 0}, ValueError, "rounds=0: expected 1 or more and at most"),
    ({"from_": "nothing"}, ValueError, "from_=nothing: expected one of picture, noise"),
    ({"sheet": 1}, TypeError, "sheet: expected True or False"),
    ({"layer": 1, "class_": "cat"}, ValueError, "LAYER and --class do not go together"),
    ({"layers": "x"}, ValueError, "--layers x: expected N:WEIGHT"),
    ({"layer": 99}, DarknetError, "layer 99"),
    ({"picture": np.zeros((3, 4, 5))}, DarknetError, r"picture: .*expected \(h, w, 3\)"),
    ({"picture": np.zeros((4, 5, 3), np.int64)}, DarknetError, "picture: .*int64"),
    ({"picture": "none.png"}, DarknetError, "none.png"),
]


@pytest.mark.parametrize(("options", "kind", "message"), WRONG)
def test_what_means_nothing_is_refused(
    files: Files, options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    how = {"picture": files.picture, "cfg": files.cfg, "weights": files.weights, **options}
    with pytest.raises(kind, match=message):
        darknet_py.nightmare(**how, device="cpu")


def test_the_signature_shows_the_options_of_the_command() -> None:
    """With their defaults; but for those of files, and of what is printed."""
    from darknet_py.cli import darknet

    shown = inspect.signature(darknet_py.nightmare).parameters
    assert shown["octaves"].default == 4
    assert shown["lambda_"].default == 0.01
    options = {
        flag.removeprefix("--").replace("-", "_"): option
        for option in darknet.commands["nightmare"].params
        for flag in option.opts[::-1]
        if flag.startswith("--")
    }
    named = {name.rstrip("_") for name in shown} | {"keep_colors"}
    of_files = {"prefix", "output", "overwrite", "gif", "webp", "fps", "replay", "trust"}
    assert {*options} - named == of_files | {"threads", "quiet"}

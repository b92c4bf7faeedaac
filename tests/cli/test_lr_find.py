from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.support.shapes import CFG, draw_shapes

SGD = CFG.replace("optimizer=adam\n", "")


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    monkeypatch.chdir(tmp_path)
    Path("shapes.cfg").write_text(SGD)
    draw_shapes(Path("shapes"), 20)
    return ("lr-find", "shapes", "shapes.cfg", "--low", 1e-4, "--high", 10)


def test_it_prints_a_line_for_the_cfg_and_draws(darknet: Run, words: tuple[object, ...]) -> None:
    code, out, err = darknet(*words)
    assert code == 0
    found = re.fullmatch(r"learning_rate=(\S+)\n", out)
    assert found
    assert 1e-4 < float(found[1]) < 10
    assert re.search(r"falls fastest at \S+, lowest at \S+: lr-find\.png", err)
    with Image.open("lr-find.png") as picture:
        assert picture.size == (1000, 440)
    code, table, said = darknet(*words, "--csv")
    assert (code, out in said) == (0, True)
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["batch"] for row in rows] == [str(i) for i in range(1, len(rows) + 1)]
    assert float(rows[0]["rate"]) == pytest.approx(1e-4)
    assert darknet(*words, "-q").out == out
    # nothing else is written
    names = {path.name for path in Path().iterdir()}
    assert names == {"shapes", "shapes.cfg", "lr-find.png", "lr-find-2.png", "lr-find-3.png"}


def test_weights_to_begin_with_stay_as_they_are(darknet: Run, words: tuple[object, ...]) -> None:
    trained = ("train", "shapes", "shapes.cfg", "--max-iter", 2, "--backup", "backup", "-q")
    assert darknet(*trained).code == 0
    weights = Path("backup/shapes.weights")
    before = weights.read_bytes()
    assert darknet(*words[:3], weights, *words[3:], "-q").code == 0
    assert weights.read_bytes() == before


def test_a_name_of_no_picture_is_refused_before_the_work(
    darknet: Run, words: tuple[object, ...]
) -> None:
    result = darknet(*words, "-o", "rates.gif")
    assert (result.code, result.out) == (1, "")
    assert "darknet: rates.gif: cannot be written: end the name in .png" in result.err


def test_wrong_words(darknet: Run, words: tuple[object, ...]) -> None:
    assert darknet(*words[:3], "--low", 1, "--high", 0.1).code == 2
    flat = darknet(*words[:3], "--low", 1e-12, "--high", 1e-11, "-q")
    assert flat.code == 1
    assert flat.err.startswith("darknet: the loss never falls between these rates")
    assert not Path("lr-find.png").exists()


def test_a_cfg_of_other_outputs_is_made_to_fit(darknet: Run, words: tuple[object, ...]) -> None:
    """As train does it, also where weights for the cfg are given."""
    Path("ten.cfg").write_text(SGD.replace("filters=3", "filters=10"))
    shown = darknet("train", "shapes", "ten.cfg", "--max-iter", 1).err
    note = next(line for line in shown.splitlines() if "for the classes" in line)
    code, out, err = darknet("lr-find", "shapes", "ten.cfg", *words[3:])
    assert (code, note in err.splitlines()) == (0, True)
    assert out.startswith("learning_rate=")
    from darknet_py.network import load_network

    load_network("ten.cfg").save_weights("ten.weights")
    code, out, _ = darknet("lr-find", "shapes", "ten.cfg", "ten.weights", *words[3:])
    assert (code, out[:14]) == (0, "learning_rate=")

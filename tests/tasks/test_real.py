"""tiny.weights on real pictures, against what the C program says of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import darknet_py
from darknet_py.cfg.data_file import read_lines
from darknet_py.network import Network
from darknet_py.tasks.classify import classify

ROOT = Path(__file__).parents[2]
PAGE = [
    ("malamute", 0.167168),
    ("Eskimo dog", 0.065828),
    ("dogsled", 0.063020),
    ("standard schnauzer", 0.051153),
    ("Siberian husky", 0.037506),
]
"""Tiny Darknet's page on dog.jpg."""


@pytest.fixture(scope="module")
def tiny(test_data: Path) -> Network:
    return darknet_py.load_network(ROOT / "cfg/tiny.cfg", test_data / "tiny.weights", "cpu")


@pytest.mark.parametrize(("picture", "within"), [("dog.png", 2e-6), ("dog.jpg", 4e-3)])
def test_tiny_darknets_page(tiny: Network, test_data: Path, picture: str, within: float) -> None:
    (found,) = classify(tiny, [test_data / picture])
    assert [name for _, name, _ in found] == [name for name, _ in PAGE]
    for (_, _, probability), (_, expected) in zip(found, PAGE, strict=True):
        assert probability == pytest.approx(expected, abs=within)


def test_the_c_program_on_six_pictures_and_three_fits(tiny: Network, test_data: Path) -> None:
    oracle = json.loads((ROOT / "tests/golden/tiny.json").read_text())
    for picture, fits in oracle.items():
        for fit, expected in fits.items():
            (found,) = classify(tiny, [test_data / picture], fit=fit)
            assert [(i, name) for i, name, _ in found] == [
                (i, name) for i, name, _ in expected["top5"]
            ]
            for (*_, probability), (*_, c_program) in zip(found, expected["top5"], strict=True):
                assert probability == pytest.approx(c_program, abs=2e-4), (picture, fit)


def test_fifty_validation_pictures(tiny: Network, test_data: Path) -> None:
    """29 right at first guess and 40 in the first five, which is what the C program gets."""
    labels = read_lines(ROOT / "data/imagenet.labels.list")
    pictures = sorted((test_data / "imagenet-val").iterdir())
    found = classify(tiny, pictures, fit="crop", batch=16)
    truths = [labels.index(picture.name.split("_")[0]) for picture in pictures]
    first = sum(f[0].index == truth for f, truth in zip(found, truths, strict=True))
    five = sum(truth in [p.index for p in f] for f, truth in zip(found, truths, strict=True))
    assert len(pictures) == 50
    assert abs(first - 29) <= 1
    assert abs(five - 40) <= 1

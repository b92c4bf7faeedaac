from __future__ import annotations

import dataclasses

import pytest

from darknet_py.cfg.augmentation import Augmentation, read_augmentation
from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError


def read(keys: str, w: int = 64) -> Augmentation:
    (section,) = parse_sections(f"[net]\n{keys}", "my.cfg")
    augmentation = read_augmentation(section, w)
    assert section.unread() == []
    return augmentation


def mistake(keys: str) -> str:
    """What training says of keys that do not stop inference."""
    (section,) = parse_sections(f"[net]\n{keys}", "my.cfg")
    read_augmentation(section, 64)
    with pytest.raises(CfgError) as caught:
        section.check_trainable()
    return str(caught.value)


def test_defaults_are_the_c_programs_and_what_is_beyond_it_is_off() -> None:
    assert read("") == Augmentation(
        min_crop=64,
        max_crop=128,
        angle=0,
        aspect=1,
        hue=0,
        saturation=1,
        exposure=1,
        flip=True,
        center=False,
        shear=0,
        elastic=0,
        elastic_sigma=8,
        pca=0,
        erase=0,
        erase_min=0.02,
        erase_max=0.4,
        mixup=0,
        cutmix=0,
        shift=0,
    )


def test_every_key() -> None:
    assert read(
        "min_crop=28\nmax_crop=40\nangle=7\naspect=.75\nhue=.1\nsaturation=.7\nexposure=1.5\n"
        "flip=0\ncenter=1\nshear=5\nelastic=2\nelastic_sigma=9\npca=.1\nerase=.5\nerase_min=.1\n"
        "erase_max=.2\nmixup=.3\ncutmix=1\nshift=4\n"
    ) == Augmentation(
        *(28, 40, 7, 0.75, 0.1, 0.7, 1.5, False, True),
        *(5, 2, 9, 0.1, 0.5, 0.1, 0.2, 0.3, 1, 4),
    )


def test_every_key_is_documented() -> None:
    described = str(Augmentation.__doc__)
    for field in dataclasses.fields(Augmentation):
        assert field.name in described


def test_the_smallest_networks_have_a_sigma_too() -> None:
    assert read("", w=3).elastic_sigma == 1


def test_ratios_are_crops_in_widths_of_the_network() -> None:
    augmentation = read("min_ratio=.5\nmax_ratio=1.75\nmin_crop=7")
    assert (augmentation.min_crop, augmentation.max_crop) == (32, 112)
    assert read("min_ratio=.001").min_crop == 1


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("shear=90", "from 0 to 80"),
        ("shear=-1", "from 0 to 80"),
        ("elastic=-1", "0 or more"),
        ("elastic_sigma=.5", "1 or more"),
        ("pca=-1", "0 or more"),
        ("erase=1.5", "from 0 to 1"),
        ("erase_min=-1", "from 0 to 1"),
        ("erase_max=2", "from 0 to 1"),
        ("mixup=-1", "0 or more"),
        ("cutmix=-.1", "0 or more"),
        ("shift=-1", "0 or more"),
        ("max_crop=0", "whole number of 1 or more"),
        ("aspect=-1", "0 or more"),
        ("min_ratio=0", "from 0.001 to 1000"),
    ],
)
def test_what_cannot_be_is_refused_at_its_line(keys: str, expected: str) -> None:
    message = mistake(keys)
    assert message.startswith(f"my.cfg:2: [net] {keys}: expected a ")
    assert expected in message


@pytest.mark.parametrize("key", ["aspect", "saturation", "exposure"])
def test_a_factor_of_0_has_an_inverse(key: str) -> None:
    (section,) = parse_sections(f"[net]\n{key}=0", "my.cfg")
    assert getattr(read_augmentation(section, 64), key) == 0.001
    assert section.warnings() == [(2, f"[net] {key}=0 is read as 0.001")]
    section.check_trainable()


def test_the_smallest_rectangle_is_not_larger_than_the_largest() -> None:
    message = mistake("erase=1\nerase_min=.3\nerase_max=.2")
    assert message == "my.cfg:3: [net] erase_min=0.3 is above erase_max=0.2"

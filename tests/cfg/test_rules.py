"""Whose rules hold, by what a cfg says."""

from __future__ import annotations

import pytest

from darknet_py.cfg.rules import Rules, read_rules
from darknet_py.cfg.sections import parse_sections


def rules(text: str, program: str | None = None) -> Rules:
    return read_rules(parse_sections(text), program)


NET = "[net]\nwidth=8\nheight=8\nchannels=3\n"


@pytest.mark.parametrize(
    ("text", "program", "why"),
    [
        ("[conv]\nactivation=leaky\n", "pjreddie", ""),
        (
            "[yolo]\nmask=0\njitter=.3\nignore_thresh=.5\nrandom=1\n",
            "pjreddie",
            "",
        ),
        ("[conv]\nactivation=mish\n", "alexeyab", "activation=mish (line 6) is known to it alone"),
        ("[shortcut]\nfrom=-2\nactivation=swish\n", "alexeyab", "activation=swish (line 7)"),
        ("[yolo]\nscale_x_y=1.05\n", "alexeyab", "scale_x_y= (line 6)"),
        ("[route]\nlayers=-1\ngroups=2\ngroup_id=1\n", "alexeyab", "group_id= (line 8)"),
        ("[conv]\n[sam]\nfrom=-1\n", "alexeyab", "[sam] (line 6)"),
        ("[Gaussian_yolo]\n", "alexeyab", "[Gaussian_yolo] (line 5)"),
        ("[max]\nstride_x=2\n", "alexeyab", "stride_x= (line 6)"),
        ("[region]\nbackground=1\n", "pjreddie", "background= (line 6)"),
        ("[reorg]\nextra=1\n", "pjreddie", "extra= (line 6)"),
        # in pjreddie's own cfg files, though its program does not read it
        ("[rnn]\nhidden=20\n", "pjreddie", ""),
        # of this program, too
        ("[reorg]\nflatten=1\n[conv]\nactivation=mish\n", "alexeyab", "activation=mish"),
    ],
)
def test_what_only_one_program_knows(text: str, program: str, why: str) -> None:
    found = rules(NET + text)
    assert (found.program, found.is_fixed) == (program, bool(why))
    assert found.why.startswith(why)


def test_keys_of_net() -> None:
    assert rules(NET + "letter_box=1\n").is_alexeyab
    assert rules(NET.replace("[net]", "[network]") + "mosaic=1\n").is_alexeyab
    # this program trains with these, too
    assert not rules(NET + "mixup=1\ncutmix=1\nlearning_rate_min=0\nflip=1\n").why


def test_what_the_user_says_counts_most() -> None:
    found = rules(NET + "[conv]\nactivation=mish\n", "pjreddie")
    assert (found.program, found.asked, found.is_fixed) == ("pjreddie", "pjreddie", True)
    assert found.line == "computed as by pjreddie's program: --rules"
    assert rules(NET).asked is None


def test_the_header_says_where_the_cfg_does_not() -> None:
    found = rules(NET)
    assert found.read_header(5, "a.weights")
    assert found.line == ("computed as by AlexeyAB's program: a.weights says so (version 0.2.5)")
    assert not found.read_header(5, "b.weights")
    assert found.read_header(0, "c.weights")
    assert (found.program, found.why) == ("pjreddie", "")
    for text, program in (("[reorg]\nextra=1\n", None), ("", "pjreddie")):
        found = rules(NET + text, program)
        assert not found.read_header(5, "a.weights")
        assert found.program == "pjreddie"

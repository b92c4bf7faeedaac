from __future__ import annotations

import time

import numpy as np
import pytest

from darknet_py.cfg import keys
from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError
from darknet_py.layers.base import LAYERS
from darknet_py.network import Network
from darknet_py.network.builder import Plan, build, table
from darknet_py.ops import for_device
from darknet_py.ops.activations import ACTIVATIONS

NET = "[net]\nheight=6\nwidth=8\nchannels=3\n"


def plan(text: str, strict: bool = False) -> Plan:
    return build(parse_sections(text, "my.cfg"), "my.cfg", strict)


def mistake(text: str, strict: bool = False) -> str:
    with pytest.raises(CfgError) as caught:
        plan(text, strict)
    return str(caught.value)


def test_shapes_go_from_layer_to_layer() -> None:
    built = plan(NET + "[convolutional]\nfilters=4\n[maxpool]\nstride=2\n[avgpool]\n[softmax]\n")
    assert [layer.kind for layer in built.layers] == [
        "convolutional",
        "maxpool",
        "avgpool",
        "softmax",
    ]
    assert [layer.in_shape for layer in built.layers] == [
        (6, 8, 3),
        (6, 8, 4),
        (3, 4, 4),
        (1, 1, 4),
    ]
    assert [layer.inputs for layer in built.layers] == [(-1,), (0,), (1,), (2,)]
    assert built.settings.shape == (6, 8, 3)
    assert built.warnings == []


def test_nothing_is_allocated() -> None:
    # 8 TB of weights: 1,000 layers of 8 GB
    text = NET.replace("3", "2000")
    built = plan(text + "[convolutional]\nfilters=1000000\n[convolutional]\nfilters=2000\n" * 500)
    assert all(p.value is None for layer in built.layers for p in layer.parameters())


def test_network_is_another_name_of_net() -> None:
    assert plan("[network]\ninputs=3\n[softmax]\n").settings.shape == (1, 1, 3)


def test_every_registered_name_is_known() -> None:
    assert {"convolutional", "conv", "maxpool", "softmax", "cost"} <= LAYERS.keys()
    for name in LAYERS:
        try:
            plan(f"{NET}[convolutional]\nfilters=25\n[{name}]\n")
        except CfgError as error:
            message = str(error)
        else:
            message = ""
        assert "is no layer" not in message


def test_a_file_needs_sections() -> None:
    assert mistake("# nothing\n") == (
        "my.cfg: has no sections: expected [net] and at least one layer"
    )


def test_net_comes_first() -> None:
    assert mistake("\n[convolutional]\nfilters=2\n" + NET) == (
        "my.cfg:2: [convolutional] comes first: expected [net] or [network]"
    )


def test_a_network_has_layers() -> None:
    assert mistake(NET) == "my.cfg:1: [net] has no layers after it"


def test_unknown_layers_are_named() -> None:
    message = mistake(NET + "[convolutional]\n[dense]\n")
    assert message.startswith("my.cfg:6: [dense] is no layer: expected one of ")
    assert "convolutional" in message
    assert mistake(NET + "[convolutional]\n" + NET).startswith("my.cfg:6: [net] is no layer")
    assert mistake(NET + "[iseg]\n").startswith(
        "my.cfg:5: [iseg] is no layer that is computed here: expected one of "
    )


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("[route]\nlayers=1", "my.cfg:7: [route] layers=1: there is no such layer before layer 1"),
        (
            "[route]\nlayers=0,-2",
            "my.cfg:7: [route] layers=-2: there is no such layer before layer 1",
        ),
        (
            "[shortcut]\nfrom=-2",
            "my.cfg:7: [shortcut] from=-2: there is no such layer before layer 1",
        ),
    ],
)
def test_references_must_lead_to_a_layer(section: str, message: str) -> None:
    assert mistake(f"{NET}[convolutional]\n{section}") == message


def test_a_first_layer_has_none_to_refer_to() -> None:
    assert mistake(NET + "[route]\nlayers=-1") == (
        "my.cfg:6: [route] layers=-1: there is no such layer before layer 0"
    )


def test_a_map_larger_than_can_be_counted_is_an_error() -> None:
    assert mistake(NET + "[upsample]\nstride=1024\n[upsample]\nstride=1024\n") == (
        "my.cfg:7: [upsample] gives a 8388608 x 6291456 x 3 map: more than 2,147,483,647 numbers"
    )


@pytest.mark.parametrize(
    "section",
    [
        "[connected]\noutput=2147483647",
        "[gru]\noutput=2147483647",
        "[convolutional]\nfilters=2\nsize=1000001\npad=1",  # 64 bits could not count the bytes
        "[local]\nfilters=2000000\nsize=5\npad=1",
    ],
)
def test_a_parameter_larger_than_can_be_counted_is_an_error(section: str) -> None:
    assert mistake(f"{NET}{section}").endswith(
        " asks for more than 2,147,483,647 numbers in its weights"
    )


WARNED = NET + "momentun=.9\n[convolutional]\nfilters=2\nbatch_normalise=1\nPAD=1\n"
WARNINGS = [
    "my.cfg:5: [net] momentun= is not used",
    "my.cfg:8: [convolutional] batch_normalise= is not used",
    "my.cfg:9: [convolutional] PAD= is not used",
]


def test_unread_keys_are_warned_about() -> None:
    assert plan(WARNED).warnings == WARNINGS


def test_a_warning_is_one_line_whatever_the_key() -> None:
    try:
        warnings = plan(NET + "\x1b[31mred\u2028=1\n[convolutional]\n").warnings
    except CfgError as error:
        warnings = [str(error)]
    assert warnings
    assert all(warning.isprintable() for warning in warnings)


def test_warnings_come_in_the_order_of_lines() -> None:
    text = WARNED.replace("[convolutional]", "policy=sig\n[convolutional]")
    first, *others = plan(text).warnings
    assert first == "my.cfg:5: [net] momentun= is not used"
    assert others[0].startswith("my.cfg:6: [net] policy=sig is unknown")
    assert others[1:] == ["my.cfg:9" + WARNINGS[1][8:], "my.cfg:10" + WARNINGS[2][8:]]


def test_strict_makes_warnings_errors() -> None:
    assert mistake(WARNED, strict=True) == WARNINGS[0]
    assert plan(NET + "[convolutional]\n", strict=True).warnings == []


def test_keys_that_all_layers_have() -> None:
    built = plan(
        NET + "[convolutional]\nlearning_rate=.5\ndontload=1\n"
        "[maxpool]\ndontsave=1\nstopbackward=0\n[avgpool]\n"
    )
    assert built.warnings == []
    assert [layer.learning_rate for layer in built.layers] == [0.5, 1, 1]
    assert [layer.dontload for layer in built.layers] == [True, False, False]
    assert [layer.dontsave for layer in built.layers] == [False, True, False]
    assert plan(NET + "[maxpool]\ndontload=yes").warnings == [
        "my.cfg:6: [maxpool] dontload=yes is read as 0"
    ]


@pytest.mark.parametrize("key", ["learning_rate=inf", "clip=-1"])
def test_what_cannot_be_trained_does_not_stop_inference(key: str) -> None:
    sections = parse_sections(f"{NET}[convolutional]\n{key}\n[softmax]\n", "my.cfg")
    (warning,) = build(sections, "my.cfg").warnings
    network = Network(sections, "my.cfg", for_device("cpu"))
    network.initialise()
    assert network.predict(np.zeros((1, 3, 6, 8), np.float32)).shape == (1, 48)
    with pytest.raises(CfgError) as caught:
        network.train_step(np.zeros((1, 3, 6, 8)), np.zeros((1, 48)))
    assert warning == f"{caught.value}: it cannot be trained"
    assert warning.startswith(f"my.cfg:6: [convolutional] {key}: expected a number")


@pytest.mark.parametrize(
    ("section", "neutral", "changing"),
    [
        ("convolutional", ["flipped=0", "numload=0", "size=1\ndilation=0",
                           "share_index=-1000000000"],
         ["flipped=1", "cbn=1", "coordconv=1", "numload=8", "dontloadscales=1"]),
        ("maxpool", ["out_channels=4", "maxpool_zero_nonmax=1"], []),
        ("softmax", [], ["tree=a.tree"]),
    ],
)  # fmt: skip
def test_a_key_that_changes_the_answer_is_refused_unless_neutral(
    section: str, neutral: list[str], changing: list[str]
) -> None:
    name, _, keys = section.partition("\n")
    text = f"{NET}[convolutional]\nfilters=7\n[convolutional]\nfilters=7\n[{name}]\n{keys}\n"
    for key in neutral:
        assert plan(text + key).warnings == []
    for key in changing:
        said = key.rpartition("\n")[2]
        line = f"{text}{key}".count("\n") + 1
        assert mistake(text + key) == (
            f"my.cfg:{line}: [{name}] {said} changes what the network answers, and is not computed "
            "here"
        )


def test_a_key_that_a_layer_asks_for_is_computed() -> None:
    """So that whoever computes one need only read it."""
    section = parse_sections("[route]\ngroups=2\n", "my.cfg")[0]
    section.get_int("groups", 1)
    keys.read_others(section, "route")
    assert section.warnings() == []


def test_no_key_is_both_computed_and_not() -> None:
    for name, known in keys.WITHOUT_EFFECT.items():
        assert len(set(known)) == len(known)
        assert not set(known) & keys.UNCOMPUTED.get(name, {}).keys()
    assert keys.UNCOMPUTED.keys() | keys.WITHOUT_EFFECT.keys() <= LAYERS.keys() | {"net", "*"}
    assert not set(keys.LAYERS) & LAYERS.keys()
    assert not set(keys.ACTIVATIONS) & set(ACTIVATIONS)


def seconds_of_building(sections: int) -> float:
    """The least of three: others may have had the core, or its caches, meanwhile."""
    parsed = parse_sections(NET + "[convolutional]\n[route]\nlayers=-1\n" * (sections // 2))
    found = []
    for _ in range(3):
        start = time.process_time()
        assert len(build(parsed, "my.cfg").layers) == sections
        found.append(time.process_time() - start)
    return min(found)


def test_the_time_of_building_grows_with_the_sections() -> None:
    """Not with their square, as when each layer copied a list of those before it: 43 times."""
    assert seconds_of_building(8_000) < 22 * seconds_of_building(1_000)


@pytest.mark.parametrize(("stops", "frozen"), [([], 0), ([0], 1), ([2], 3), ([0, 1], 2)])
def test_stopbackward_freezes_a_layer_and_all_before(stops: list[int], frozen: int) -> None:
    text = NET
    for index in range(4):
        text += f"[convolutional]\nstopbackward={int(index in stops)}\n"
    assert [layer.frozen for layer in plan(text).layers] == [True] * frozen + [False] * (4 - frozen)


def test_the_table_is_the_c_programs() -> None:
    built = plan(NET + "[convolutional]\nfilters=4\nsize=3\npad=1\n[softmax]\n")
    assert table(built.layers) == [
        "layer     filters    size              input                output",
        "    0 conv      4  3 x 3 / 1     8 x   6 x   3   ->     8 x   6 x   4",
        "    1 softmax                                         192",
    ]

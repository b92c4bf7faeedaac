"""How words of a command line are read: dashes, slips of the pen, names of the C program."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.shell_completion import BashComplete

from darknet_py.cli import _OTHERS, darknet
from darknet_py.cli.command import Command, Group
from tests.cli.conftest import Model, Run

SHIP = Path(__file__).parents[2] / "data/samples/ship.png"


def every_command(group: click.Group = darknet) -> list[click.Command]:
    found: list[click.Command] = []
    for command in group.commands.values():
        found.append(command)
        if isinstance(command, click.Group):
            found += every_command(command)
    return found


def test_all_commands_are_of_this_kind() -> None:
    kinds = {type(command) for command in every_command()}
    assert kinds == {Command, Group}


def test_every_command_stands_in_one_section_of_the_help(darknet: Run) -> None:
    out = darknet("--help").out
    from darknet_py.cli import darknet as root

    for name in root.commands:
        assert out.count(f"\n  {name} ") == 1
    assert out.index("Use a network:") < out.index("Train one:") < out.index("Look inside:")
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("dashes", ["-", "--"])
def test_one_dash_or_two(darknet: Run, model: Model, dashes: str) -> None:
    words = (f"{dashes}top", "2", f"{dashes}batch=2", f"{dashes}quiet", f"{dashes}nogpu")
    code, out, _ = darknet("classify", model.cfg, model.weights, SHIP, *words)
    assert code == 0
    assert len(out.splitlines()) == 3


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("nightmare -out dream", "No such option '-out'. Did you mean '--output'?"),
        ("classify --treads 2", "No such option '--treads'. Did you mean '--threads'?"),
        ("train ds -max_iter 3", "No such option '-max_iter'. Did you mean '--max-iter'?"),
        ("classify -treads 2", "No such option '-treads'. Did you mean '--threads'?"),
        ("clasify x", "No such command 'clasify'. Did you mean classify or classifier?"),
        ("classifier vaild", "No such command 'vaild'. Did you mean valid?"),
        ("imtest x", "classifier show draws a batch of a training."),
        ("detector map x", "'map' of the C program is not here yet."),
    ],
)
def test_slips_are_named(darknet: Run, given: str, wanted: str) -> None:
    code, out, err = darknet(*given.split())
    assert (code, out) == (2, "")
    assert wanted in err


@pytest.mark.parametrize("words", [("--json", "--csv"), ("-csv", "-json")])
def test_two_options_that_set_one_thing_are_refused(
    darknet: Run, model: Model, words: tuple[str, str]
) -> None:
    code, out, err = darknet("classify", model.cfg, model.weights, SHIP, *words)
    assert (code, out) == (2, "")
    assert "--json and --csv: give one." in err or "--csv and --json: give one." in err
    assert darknet("classify", model.cfg, model.weights, SHIP, "--csv", "--csv").code == 0


@pytest.mark.parametrize("before", [("-nogpu",), ("--nogpu",), ("-i", -1)])
def test_a_device_may_stand_before_the_command(
    darknet: Run, model: Model, before: tuple[str, ...]
) -> None:
    code, out, _ = darknet(*before, "classify", model.cfg, model.weights, SHIP, "--top", 1)
    assert (code, len(out.splitlines())) == (0, 2)
    words = ("classifier", "predict", model.cfg, model.weights, "--", SHIP)
    assert "is a cfg, and stands in the place of the data" in darknet(*before, *words).err
    code, _, err = darknet(*before, "classify", "--device", "gpu:3", SHIP)
    assert code == 2
    assert "--device gpu:3 and cpu: give one." in err
    assert "No such option" in darknet(*before, "plot", "x").err
    assert darknet(*before).code == 2


@pytest.mark.parametrize("word", ["-t3", "-qt3", "--top=3"])
def test_values_and_clusters_stay(darknet: Run, model: Model, word: str) -> None:
    code, out, _ = darknet("classify", model.cfg, model.weights, SHIP, word)
    assert (code, len(out.splitlines())) == (0, 4)


def test_what_follows_an_option_is_its_value(darknet: Run, tmp_path: Path) -> None:
    code, _, err = darknet("plot", tmp_path, "-o", "-title")
    assert code == 1
    assert "-title: cannot be written: end the name in .png" in err


@pytest.mark.parametrize("name", [name for name, words in _OTHERS.items() if words[0] != " "])
def test_old_names_do_what_they_did(darknet: Run, name: str) -> None:
    path = _OTHERS[name]
    assert (
        darknet(name, "--help").out.split("\n", 1)[1]
        == (darknet(*path.split(), "--help").out.split("\n", 1)[1])
    )


def test_help_of_a_command(darknet: Run) -> None:
    assert darknet("help").out == darknet("--help").out
    for path in (["classify"], ["classifier", "valid"], ["weights", "fetch"]):
        assert darknet("help", *path) == darknet(*path, "--help")
    assert "Did you mean classify" in darknet("help", "clasify").err
    assert "has no commands of its own" in darknet("help", "classify", "x").err


def test_version(darknet: Run) -> None:
    code, out, err = darknet("version")
    assert (code, err) == (0, "")
    firsts = [line.split()[0] for line in out.splitlines()]
    assert firsts == ["darknet", "Python", "system", "packages", "processor", "GPU", "kernels"]
    assert "vectors of" in out


@pytest.mark.parametrize(
    ("words", "device"), [("-i -1", "cpu"), ("-nogpu", "cpu"), ("-nogpu -i 2", "cpu")]
)
def test_devices_of_the_c_program(
    darknet: Run, model: Model, words: str, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from darknet_py.network import Network

    asked = []
    build = Network.from_cfg.__func__  # type: ignore[attr-defined]

    def from_cfg(kind: type[Network], /, cfg: str, device: str, **more: bool) -> Network:
        asked.append(device)
        net: Network = build(kind, cfg, "cpu", **more)
        return net

    monkeypatch.setattr(Network, "from_cfg", classmethod(from_cfg))
    darknet("classify", model.cfg, model.weights, SHIP, *words.split())
    darknet("classify", model.cfg, model.weights, SHIP, "-i", "3")
    assert asked == [device, "gpu:3"]


def test_two_devices(darknet: Run) -> None:
    assert darknet("classify", "--device", "cpu", "-i", "0").code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["classify"],
        ["train", "photos/"],
        ["classify", "--names"],
        ["plot", "-o"],
        ["explain", "a.cfg", "a.weights"],
        ["average", "a.cfg"],
    ],
)
def test_shells_complete_files(words: list[str]) -> None:
    from darknet_py.cli import darknet as root

    completion = BashComplete(root, {}, "darknet", "_DARKNET_COMPLETE")
    found = completion.get_completions(words, "da")
    assert [(each.value, each.type) for each in found] == [("da", "file")]


def test_shells_complete_commands_and_options() -> None:
    from darknet_py.cli import darknet as root

    completion = BashComplete(root, {}, "darknet", "_DARKNET_COMPLETE")
    assert [each.value for each in completion.get_completions([], "nig")] == ["nightmare"]
    assert [each.value for each in completion.get_completions(["train"], "--epo")] == ["--epochs"]


def test_the_shells_own_script(darknet: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_DARKNET_COMPLETE", "zsh_source")
    assert "compdef _darknet_completion darknet" in darknet().out

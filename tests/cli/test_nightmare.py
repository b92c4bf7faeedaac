"""darknet nightmare, as a user would run it, in a folder of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from click import Option
from PIL import Image

from darknet_py.cli import dream_replay
from darknet_py.cli.nightmare import nightmare
from darknet_py.images import load_image, load_info, save_image
from darknet_py.ops import memory
from darknet_py.tasks.dream import options
from darknet_py.tasks.dream.options import INGREDIENTS
from darknet_py.tasks.dream.presets import PRESETS
from tests.cli.conftest import Result, Run
from tests.support.dreams import CFG, make_network, make_picture

ROOT = Path(__file__).parents[2]
USAGE, ERROR = 2, 1


class Files(NamedTuple):
    folder: Path
    names: tuple[str, str, str]

    def pngs(self) -> list[str]:
        """Those that were written."""
        return sorted(path.name for path in self.folder.glob("*_net_*.png"))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """net.cfg, net.weights and photo.png in the working directory."""
    (tmp_path / "net.cfg").write_text(CFG)
    make_network().save_weights(tmp_path / "net.weights")
    save_image(make_picture(40, 48), tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return Files(tmp_path, ("net.cfg", "net.weights", "photo.png"))


@pytest.fixture
def dream(darknet: Run, files: Files) -> Run:
    """darknet nightmare, without a word beside its results."""

    def run(*words: object, quiet: bool = True, stdin: str = "") -> Result:
        fast = [] if {"-iters", "--iters"} & set(words) else ["-iters", 2]
        return darknet(
            "nightmare", "--device", "cpu", *(["-q"] if quiet else []), *words, *fast, stdin=stdin
        )

    return run


def test_the_pages_command_line(dream: Run, files: Files) -> None:
    """Options anywhere, rounds under the page's names; results on stdout."""
    found = dream("-rounds", 2, *files.names[:2], "-range", 3, files.names[2], 3, "-rate", 0.01)
    assert found == Result(0, "photo_net_3_000000.png\nphoto_net_3_000001.png\n", "")
    assert files.pngs() == ["photo_net_3_000000.png", "photo_net_3_000001.png"]
    for name in files.pngs():
        assert load_image(name).shape == (40, 48, 3)
    assert np.abs(load_image(files.pngs()[0]) - load_image("photo.png")).max() > 0.01


def test_one_dash_or_two(dream: Run, files: Files) -> None:
    one = ["-rounds", 1, "-octaves", 2, "-rate", 0.1, "-thresh", 0.5, "-zoom", 0.9]
    one += ["-rotate", 0.1, "-range", 2, "-norm", 0, "-iters", 3]
    two = [f"-{word}" if str(word)[:1] == "-" else word for word in one]
    dream(*files.names, 3, *one, "-o", "one.png")
    dream(*files.names, 3, *two, "-o", "two.png")
    assert Path("one.png").read_bytes() == Path("two.png").read_bytes()


def test_only_layers_that_are_needed_are_shown_and_loaded(dream: Run, files: Files) -> None:
    content = Path("net.weights").read_bytes()
    first = 20 + 4 * (8 * 4 + 8 * 3 * 9)
    Path("part.weights").write_bytes(content[:first])
    found = dream("net.cfg", "part.weights", "photo.png", 1, quiet=False)
    assert found.code == 0
    assert "    1 max" in found.err
    assert "    2 conv" not in found.err
    assert "memory: about" in found.err
    assert "Iteration: 0, 1, done\n" in found.err
    short = dream("net.cfg", "part.weights", "photo.png", 2)
    assert (short.code, short.out) == (ERROR, "")
    assert "ends before layer 2 [convolutional]" in short.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["photo.png", 7], "net.cfg: layer 7 [softmax] cannot dream: the last that can is 6 "),
        (["photo.png", 40], "net.cfg: there is no layer 40: expected 0 to 8"),
        (["photo.png", 0, "-range", 3], "net.cfg: layers -1 to 1 leave the network"),
        (["photo.png", 3, "--channel", 99], "net.cfg: layer 3 has no channel 99"),
        (["small.png", 4], "a picture of 40 x 30 is too small for 4 octaves"),
        (["gone.png", 4], "gone.png: no such file"),
        (["photo.png", 3, "--guide", "gone.png"], "gone.png: no such file"),
        (["photo.png", 3, "-o", "photo.png"], "photo.png: would be overwritten"),
        (["photo.png", 3, "-o", "dream.bmp"], "dream.bmp: cannot be written: end the name in"),
        (["photo.png", 3, "-o", "no/dream.png"], "no/dream.png: cannot be written: there is no"),
        (["photo.png", 3, "--gif", "no/a.gif"], "no/a.gif: cannot be written: there is no"),
        (["photo.png", 3, "-prefix", "photo.png"], "photo.png: cannot be a folder"),
        (["photo.png", "--class", "dog"], "there is no class 'dog': the classes' names are not"),
    ],
)
def test_mistakes_are_one_line(words: list[object], message: str, dream: Run, files: Files) -> None:
    save_image(np.zeros((30, 40, 3)), "small.png")
    cfg = CFG.replace("pad=1", "pad=0") if "small.png" in words else CFG
    Path("net.cfg").write_text(cfg)
    code, out, err = dream("net.cfg", "net.weights", *words)
    assert (code, out) == (ERROR, "")
    assert len(err.splitlines()) == 1
    assert err.startswith(f"darknet: {message}")
    assert files.pngs() == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["net.cfg"], "Missing argument 'WEIGHTS'"),
        (["net.cfg", "net.weights", "photo.png", "--preset", "none"], "Missing argument 'LAYER'"),
        (["photo.png", "--preset", "class"], "--preset class needs --class NAME"),
        (["photo.png", 3, "-reconstruct", "--preset", "eyes"], "-reconstruct is not for --preset"),
        (["photo.png", 3, "--fps", 0], "--fps"),
        (["photo.png", "--layers", "3/"], "--layers 3/: expected N:WEIGHT"),
        (["net.cfg", "net.weights", 3], "Missing argument 'PICTURE'"),
        (["net.cfg", "net.weights", "a", "b", 3], "Expected one PICTURE and one LAYER"),
        (["photo.png", 3, "--class", "dog"], "LAYER and --class do not go together"),
        (["photo.png", "--layers", "3:x"], "--layers 3:x: expected N:WEIGHT"),
        (["photo.png", 3, "--channel", "x"], "--channel x: expected N"),
        (["photo.png", 3, "-rounds", 0], "-rounds"),
        (["photo.png", "--layers", 3, "-range", 3], "-range needs a LAYER"),
        (["--from", "noise", 3, "--size", "9"], "--size 9: expected WIDTHxHEIGHT"),
        (["photo.png", 3, "--size", "9x9"], "--size is for noise alone"),
        (["--from", "noise", 3, "--keep-colours"], "--keep-colours needs a PICTURE"),
        (["photo.png", 3, "--trust"], "--trust goes with --replay"),
        (["photo.png", 3, "-rounds", 10**9], "1000000000 is not in the range 1<=x<=100000"),
        (["photo.png", "--layers", "1:x"], "--layers 1:x: expected N:WEIGHT"),
    ],
)
def test_wrong_usage(words: list[object], message: str, dream: Run) -> None:
    code, out, err = dream(*words)
    assert (code, out) == (USAGE, "")
    assert message in err


def test_an_empty_name_is_no_recipe(dream: Run) -> None:
    code, out, err = dream("--replay", "")
    assert (code, out) == (1, "")
    assert "is a folder, not a picture" in err


WAYS: list[list[object]] = [
    ["photo.png", "--layers", "4:1,2:.3"],
    ["photo.png", "--layers", "4/2:.5,3/4"],
    ["photo.png", 4, "--coarse-to-fine", "--octave-scale", 1.4],
    ["photo.png"],
    ["photo.png", "--preset", "zoom", "-rounds", 2],
    ["--preset", "eyes", "--from", "noise", "--size", "60x50"],
    ["photo.png", "--preset", "ornament", "--guide", "guide.png"],
    ["photo.png", "--preset", "eyes", "--mask", "mask.png", "--keep-colours"],
    ["photo.png", 4, "--channel", "3,5"],
    ["photo.png", 4, "--guide", "guide.png"],
    ["photo.png", 4, "--laplacian", 3],
    ["photo.png", 4, "--tv", 0.5],
    ["photo.png", 4, "--keep-colours"],
    ["photo.png", 4, "--mask", "mask.png"],
    ["photo.png", 4, "--from", "noise"],
    ["--from", "noise", "--size", "40x24", 4],
    ["photo.png", 4, "--tile", 64],
    ["photo.png", 3, "-reconstruct", "-lambda", 0.1, "-smooth", 2, "-momentum", 0.8],
    ["photo.png", 4, "-zoom", 0.9, "-rotate", 0.2, "-rounds", 2],
    ["square.png", "--class", 2, "-octaves", 1],
    ["square.png", "--class", 2, "--preset", "none", "-octaves", 1],
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: " ".join(map(str, way)))
def test_each_way_dreams_something_else_and_can_be_replayed(
    way: list[object], dream: Run, files: Files
) -> None:
    save_image(make_picture(24, 30, seed=5), "guide.png")
    save_image(make_picture(32, 32, seed=6), "square.png")
    save_image(np.linspace(0, 1, 48)[None, :, None].repeat(40, axis=0), "mask.png")
    assert dream("net.cfg", "net.weights", *way, "-o", "dream.png").code == 0
    assert dream("net.cfg", "net.weights", "photo.png", 4, "-o", "plain.png").code == 0
    dreamed, plain = load_image("dream.png"), load_image("plain.png")
    if "--tile" not in way:  # one tile is the whole
        assert dreamed.shape != plain.shape or np.abs(dreamed - plain).max() > 0.01
    again = dream("--replay", "dream.png")
    assert again == Result(0, "dream_again.png: equal to dream.png, byte for byte\n", "")
    assert Path("dream_again.png").read_bytes() == Path("dream.png").read_bytes()


# Presets


def command_of(path: str | Path) -> str:
    return load_info(path)["Command"].removesuffix(" --tile 0 --device cpu --threads 2")


def test_a_command_without_a_layer_takes_a_preset(dream: Run, files: Files) -> None:
    """The recipe holds what it came to, so that it does not change with the presets."""
    found = dream(*files.names, "--threads", 2, "-rate", 0.5)
    assert found.out == "photo_net_creatures_000000.png\n"
    assert command_of("photo_net_creatures_000000.png") == (
        "darknet nightmare net.cfg net.weights photo.png -iters 2 -octaves 1 --octave-scale 1.4 "
        "--coarse-to-fine -rate 0.5 --seed 0 --layers 4"
    )
    save_image(make_picture(130, 160), "large.png")
    dream("net.cfg", "net.weights", "large.png", "--preset", "eyes", "--threads", 2)
    assert command_of("large_net_eyes_000000.png") == (
        "darknet nightmare net.cfg net.weights large.png -iters 2 --octave-scale 1.4 "
        "--coarse-to-fine -rate 0.01 --seed 0 --layers 2/3/4"
    )


def test_options_win_over_a_preset(dream: Run, files: Files) -> None:
    words = ["-octaves", 2, "--octave-scale", 2, "--no-coarse-to-fine", "-rate", 0.05, "--tv", 0.1]
    dream(*files.names, 3, "--preset", "zoom", "-rounds", 1, *words, "--threads", 2, "-o", "a.png")
    assert command_of("a.png") == (
        "darknet nightmare net.cfg net.weights photo.png 3 -iters 2 -octaves 2 --octave-scale 2.0 "
        "-zoom 0.96 -rotate 0.03 --seed 0 --tv 0.1"
    )
    # given as they are without a preset, they still win
    dream(*files.names, "--preset", "class", "--layers", 3, "--laplacian", 0, "--threads", 2,
          "-zoom", 1, "-o", "b.png")  # fmt: skip
    assert "--laplacian" not in command_of("b.png")
    assert "--tv 0.05" in command_of("b.png")


def test_classes_and_sheets_take_the_preset_that_suits(dream: Run, files: Files) -> None:
    save_image(make_picture(32, 32, seed=6), "square.png")
    dream("net.cfg", "net.weights", "square.png", "--class", 2, "--threads", 2)
    assert command_of("square_net_2_000000.png") == (
        "darknet nightmare net.cfg net.weights square.png --preset none -iters 2 -octaves 1 "
        "--octave-scale 1.4 --coarse-to-fine -rate 0.01 --seed 0 --class 2 --laplacian 1 --tv 0.05"
    )
    dream("--sheet", *files.names, "--threads", 2)
    words = load_info("photo_net_sheet.png")["Command"]
    assert "--preset none -iters 2 -octaves 1 --octave-scale 1.4 --coarse-to-fine" in words
    dream("--sheet", *files.names, "--preset", "none", "-o", "plain.png", "--threads", 2)
    assert "--coarse-to-fine" not in load_info("plain.png")["Command"]


def test_a_layer_alone_is_the_page(dream: Run, files: Files) -> None:
    """With its defaults, as they always were: rounds 1, octaves 4, rate .05, thresh 1."""
    golden = load_image(ROOT / "tests/golden/dream/page.png")
    dream(*files.names, 3, "-range", 2, "-iters", 3, "-o", "page.png")
    assert np.abs(load_image("page.png") - golden).max() < 2 / 255
    for preset in ("eyes", "creatures"):
        dream(*files.names, 3, "-range", 2, "-iters", 3, "--preset", preset, "-o", "other.png")
        assert np.abs(load_image("other.png") - golden).max() > 0.05


def test_presets_that_are_named_are_those_that_there_are() -> None:
    assert {*options.PRESETS} == {*PRESETS}


# Recipes


def test_a_picture_is_made_again_from_another_folder(
    dream: Run, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files named by relative paths, one of them renamed since; names of classes too."""
    save_image(make_picture(32, 32, seed=6), "square.png")
    Path("classes.txt").write_text("a\nb\nc\nd\ne\n")
    words = ["--class", "c", "--names", "classes.txt", "--mask", "photo.png"]
    dream("net.cfg", "net.weights", "square.png", *words, "-o", "dream.png")
    (files.folder / "elsewhere").mkdir()
    Path("photo.png").rename("moved.png")
    monkeypatch.chdir(files.folder / "elsewhere")
    found = dream("--replay", "../dream.png")
    assert found.out == "dream_again.png: equal to ../dream.png, byte for byte\n"


def test_weights_that_were_fetched_are_found_again(
    dream: Run, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where `darknet weights fetch` has put them, and by their names behind the picture."""
    fetched = files.folder / "fetched"
    fetched.mkdir()
    monkeypatch.setenv("DARKNET_WEIGHTS_DIR", str(fetched))
    Path("net.weights").rename(fetched / "net.weights")
    dream("net.cfg", "net.weights", "photo.png", "-o", "dream.png")
    assert dream("--replay", "dream.png").out.startswith("dream_again.png: equal to dream.png")
    found = dream("--replay", "dream.png", "net.weights", "-o", "b.png")
    assert found.out == "b.png: equal to dream.png, byte for byte\n"


def test_a_picture_carries_its_recipe(dream: Run, files: Files) -> None:
    dream(*files.names, 3, "--seed", 7, "-rounds", 2, "--threads", 2)
    words = load_info("photo_net_3_000001.png")
    assert words["Command"] == (
        "darknet nightmare net.cfg net.weights photo.png 3 -rounds 2 -iters 2 --seed 7 --tile 0 "
        "--device cpu --threads 2"
    )
    assert (words["Seed"], words["Round"]) == ("7", "1")
    assert {"SHA256 cfg", "SHA256 weights", "SHA256 source"} <= words.keys()


def test_a_round_in_the_middle_is_made_again(dream: Run, files: Files) -> None:
    dream(*files.names, 3, "-rounds", 3, "-zoom", 0.9)
    found = dream("--replay", "photo_net_3_000001.png", "-o", "again.png")
    assert found.out == "again.png: equal to photo_net_3_000001.png, byte for byte\n"


def test_a_seed_alone_decides(dream: Run, files: Files) -> None:
    for name, seed in (("a.png", 0), ("b.png", 0), ("c.png", 1)):
        dream(*files.names, 3, "--seed", seed, "-o", name)
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert Path("a.png").read_bytes() != Path("c.png").read_bytes()


@pytest.mark.parametrize("changed", ["net.cfg", "net.weights", "photo.png"])
def test_other_files_are_refused(changed: str, dream: Run, files: Files) -> None:
    dream(*files.names, 3, "-o", "dream.png")
    path = Path(changed)
    path.write_bytes(path.read_bytes() + b"\n")
    code, out, err = dream("--replay", "dream.png")
    assert (code, out) == (ERROR, "")
    what = {"net.cfg": "cfg", "net.weights": "weights", "photo.png": "source"}[changed]
    assert f"{changed}: is not the {what} that the picture was made with" in err
    assert not Path("dream_again.png").exists()


def test_a_picture_that_has_been_changed_is_told(dream: Run, files: Files) -> None:
    dream(*files.names, 3, "-o", "dream.png")
    image, words = load_image("dream.png"), load_info("dream.png")
    save_image(1 - image, "dream.png", **words)
    code, out, err = dream("--replay", "dream.png")
    assert (code, out) == (ERROR, "")
    assert err == "darknet: dream_again.png is not equal to dream.png: another device or version\n"


def change(path: str, **words: str) -> None:
    """Other words in a picture."""
    save_image(load_image(path), path, **{**load_info(path), **words})


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("rm -rf /", "its recipe is not understood: it makes no picture"),
        ("darknet nightmare --help", "--help is no part of a recipe"),
        ("darknet nightmare net.cfg net.weights photo.png 3 -qh", "-qh is no part of a recipe"),
        ("darknet nightmare net.cfg net.weights photo.png --seed 0", "Missing argument 'LAYER'"),
        (
            "darknet nightmare net.cfg net.weights photo.png 3 --seed 0 --layers 1",
            "LAYER and --layers do not go together",
        ),
        (
            "darknet nightmare net.cfg net.weights photo.png 3 --from noise --size 9x9 --seed 0",
            "is not as darknet nightmare writes it",
        ),
        (
            "darknet nightmare net.cfg net.weights photo.png 3 --seed 0 --from noise --size 9x9",
            "--size is for noise alone",
        ),
        ("darknet nightmare net.cfg net.weights photo.png --seed 0 --class 99", "no class 99"),
    ],
)
def test_recipes_that_are_none(command: str, message: str, dream: Run, files: Files) -> None:
    dream(*files.names, 3, "-o", "dream.png")
    change("dream.png", Command=command)
    code, out, err = dream("--replay", "dream.png", "--trust")
    assert (code, out) == (ERROR, "")
    assert len(err.splitlines()) == 1
    assert message in err


@pytest.fixture
def stranger(dream: Run, files: Files) -> str:
    """A picture with a recipe that was not made here."""
    dream(*files.names, 3, "-iters", 3, "-rounds", 2, "-o", "dream.png")
    change("dream.png", Signature="ab" * 32)
    return "dream.png"


ASKS = (
    "dream.png: its recipe is not known to be made here: {0}/net.cfg with {0}/net.weights would "
    "dream on {0}/photo.png, 48 x 40 pixels, 2 times 3 steps, about 1 seconds and "
)


def test_a_strangers_recipe_needs_trust(dream: Run, stranger: str, files: Files) -> None:
    code, out, err = dream("--replay", stranger)
    assert (code, out) == (ERROR, "")
    assert len(err.splitlines()) == 1
    assert err.startswith(f"darknet: {ASKS.format(files.folder)}")
    assert err.endswith(" MB, and write dream_again.png: --trust lets it\n")
    assert not Path("dream_again.png").exists()
    assert dream("--replay", stranger, "--trust").code == 0


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", ERROR), ("\n", ERROR)])
def test_a_strangers_recipe_is_asked_about(
    answer: str, code: int, dream: Run, stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dream_replay, "_on_terminal", lambda: True)
    found = dream("--replay", stranger, stdin=answer)
    assert found.code == code
    assert "would dream on" in found.err
    assert "Shall it? [y/N]" in found.err
    assert Path("dream_again.png").exists() == (code == 0)


def test_long_ones_of_ones_own_are_asked_about(
    dream: Run, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    dream(*files.names, 3, "-o", "dream.png")
    monkeypatch.setattr(dream_replay, "_LONG", 0)
    assert "dream.png: its recipe takes long: " in dream("--replay", "dream.png").err
    assert dream("--replay", "dream.png", "--trust").code == 0


def test_what_does_not_fit_into_memory(
    dream: Run, stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 1 << 20)
    code, out, err = dream("--replay", stranger, "--trust")
    assert (code, out) == (ERROR, "")
    assert err == "darknet: dream.png: needs about 0.2 GB of memory, and 0.0 GB are free\n"


def test_a_recipe_does_not_choose_the_device(dream: Run, files: Files) -> None:
    dream(*files.names, 3, "-o", "dream.png")
    words = load_info("dream.png")
    words["Command"] = words["Command"].replace("--device cpu", "--device gpu")
    save_image(1 - load_image("dream.png"), "dream.png", **words)
    found = dream("--replay", "dream.png", "--trust")
    assert found.code == ERROR
    assert found.err == (
        "darknet: dream_again.png is not equal to dream.png: it was made with --device gpu, not "
        "cpu\n"
    )


def test_files_are_named_where_they_are_elsewhere(
    dream: Run, files: Files, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A recipe has no folders, which are nobody's business."""
    away = tmp_path_factory.mktemp("away")
    names = [str(files.folder / name) for name in files.names]
    dream(*names, 3, "-o", away / "dream.png")
    assert str(files.folder) not in load_info(away / "dream.png")["Command"]
    assert "net.cfg: is not there" in dream("--replay", away / "dream.png").err
    assert dream("--replay", away / "dream.png", *names, "-o", "again.png").code == 0
    found = dream("--replay", away / "dream.png", *names, "-o", "photo.png")
    assert (found.code, found.out) == (ERROR, "")
    assert "photo.png" in found.err


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/stdin", "pipe.png", "zero.png", "folder"])
def test_a_recipe_stands_in_a_regular_file(name: str, dream: Run, files: Files) -> None:
    os.mkfifo("pipe.png")
    os.symlink("/dev/zero", "zero.png")
    os.mkdir("folder")
    code, out, err = dream("--replay", name)
    assert (code, out) == (ERROR, "")
    assert err in (
        f"darknet: {name}: is not a regular file: save it as one first\n",
        f"darknet: {name}: is a folder, not a picture: name a file in it\n",
    )


def test_names_that_a_shell_would_take_for_others(dream: Run, files: Files) -> None:
    """Any dream can be made again, whatever its files are called."""
    odd = ("-h.cfg", "a\nb.weights", "13")
    for old, new in zip(files.names, odd, strict=True):
        Path(old).rename(new)
    assert dream("./-h.cfg", odd[1], "./13", 3, "-o", "dream.png").code == 0
    assert load_info("dream.png")["Command"].startswith(
        "darknet nightmare _h.cfg a_b.weights 13 3 "
    )
    assert dream("--replay", "dream.png").code == 0


def test_the_table_has_the_commands_options() -> None:
    """Every option is in a recipe, or is known to make no difference."""
    options = {each.name: each.opts[0] for each in nightmare.params if isinstance(each, Option)}
    table = {name: option for name, (option, _) in INGREDIENTS.items()}
    assert table.items() <= options.items()
    assert options.keys() - table.keys() == {
        *("output", "prefix", "gif", "webp", "fps", "memory", "quiet", "strict"),
        *("names", "replay", "trust"),
        *("gpu", "nogpu", "overwrite"),  # as --device, which is there
    }


def test_a_round_that_there_is_not(dream: Run, files: Files) -> None:
    dream(*files.names, 3, "-o", "dream.png")
    words = load_info("dream.png")
    save_image(load_image("dream.png"), "dream.png", **{**words, "Round": "1"})
    assert "there is no round 1" in dream("--replay", "dream.png").err


def test_a_picture_is_not_replaced_by_its_replay(dream: Run, files: Files) -> None:
    dream(*files.names, 3, "-o", "dream.png")
    found = dream("--replay", "dream.png", "-o", "dream.png")
    assert (found.code, found.out) == (ERROR, "")
    assert "is there already: name another file" in found.err


# Animations, sheets, tiles, the network that comes with the program


@pytest.mark.parametrize(("words", "frame"), [([], 100), (["--fps", 4], 250), (["--fps", 12], 80)])
def test_animations(words: list[object], frame: int, dream: Run, files: Files) -> None:
    found = dream(*files.names, 3, "-rounds", 3, "--gif", "a.gif", "--webp", "a.webp", *words)
    assert found.out.splitlines()[-2:] == ["a.gif", "a.webp"]
    for name in ("a.gif", "a.webp"):
        with Image.open(name) as picture:
            assert (picture.size, getattr(picture, "n_frames", 1)) == ((48, 40), 3)
            picture.load()
            assert picture.info["duration"] == pytest.approx(frame, abs=5)


def test_a_sheet(dream: Run, files: Files) -> None:
    found = dream("--sheet", *files.names)
    assert found == Result(0, "photo_net_sheet.png\n", "")
    assert load_image("photo_net_sheet.png").shape[1] > 2 * 48
    assert dream("--replay", "photo_net_sheet.png").code == 0


def test_a_folder_for_what_is_written(dream: Run, files: Files) -> None:
    found = dream(*files.names, 3, "-prefix", "new/folder")
    assert found.out == f"{Path('new/folder/photo_net_3_000000.png')}\n"
    assert Path(found.out.strip()).is_file()


def test_tiles_where_memory_is_short(dream: Run, files: Files) -> None:
    save_image(make_picture(200, 300), "large.png")
    found = dream("net.cfg", "net.weights", "large.png", 4, "--memory", 0.001, quiet=False)
    assert found.code == 0
    assert "in tiles of 128 x 128" in found.err
    words = load_info("large_net_4_000000.png")
    assert "--tile 128" in words["Command"]
    again = dream("--replay", "large_net_4_000000.png")
    assert again.code == 0


def test_alone_it_dreams_on_clouds(
    darknet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = darknet("nightmare", "-iters", 1, "--device", "cpu")
    assert found.code == 0
    (path,) = tmp_path.glob("clouds_cifar_res_*_000000.png")
    assert found.out == f"{path.name}\n"
    assert "clouds.png, dreamed on by cfg/cifar_res.cfg, --preset creatures" in found.err
    assert load_image(path).shape == load_image(ROOT / "data/clouds.png").shape


def test_the_embedded_network_dreams_on_a_picture(dream: Run, files: Files) -> None:
    assert dream("photo.png", 3, "-iters", 1).out == "photo_cifar_res_3_000000.png\n"
    found = dream("photo.png", "--class", "frog", "-octaves", 1, "-iters", 1)
    assert found.out == "photo_cifar_res_frog_000000.png\n"

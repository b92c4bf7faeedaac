"""Damaged and hostile cfg files: refused in a line, or networks that run, train and are kept."""

from __future__ import annotations

import warnings
from pathlib import Path
from random import Random

import numpy as np

from darknet_py.cfg.keys import ACTIVATIONS as FOREIGN_ACTIVATIONS
from darknet_py.cfg.keys import LAYERS as FOREIGN_LAYERS
from darknet_py.cfg.keys import UNCOMPUTED, WITHOUT_EFFECT
from darknet_py.cfg.sections import Section, Value
from darknet_py.cfg.write import write_sections
from darknet_py.errors import CfgError, DarknetError, ShapeError
from darknet_py.layers import LAYERS, BuildContext, Shape
from darknet_py.network import Network
from darknet_py.network.builder import table
from darknet_py.network.optimiser import METHODS
from darknet_py.network.schedule import Schedule
from darknet_py.network.settings import read_settings
from darknet_py.network.weights import weights_bytes
from darknet_py.ops.activations import ACTIVATIONS
from scripts.trials.mutations import (
    check_message,
    encode,
    mangle_bytes,
    mangle_lines,
    number,
    word,
)
from scripts.trials.trial import Failed

NAME, GROUP, WEIGHT, SLICE = "cfgs", "fuzz", 1, 100
LIMIT = 60
MEMORY = 1 << 30

_CFG = Path(__file__).resolve().parents[2] / "cfg"
_MOST_PARAMETERS, _MOST_NUMBERS, _MOST_WORK, _MOST_LAYERS = 200_000, 100_000, 3_000_000, 40
"""Of a network that is run: what more would tell costs more than it is worth."""
_RUN = 0.4
"""Of those that could be."""

_texts: list[list[str]] = []
"""The shipped cfgs, made small."""
_keys: dict[str, list[str]] = {}
"""By section: the keys that are asked for, or known."""


def prepare() -> None:
    _texts.extend(_small(path.read_text().splitlines()) for path in sorted(_CFG.glob("*.cfg")))
    net = Section("net", "", 1)
    net.values["inputs"] = Value("8", 1)
    _keys["net"] = _asked(net) + _of_tables("net")
    for name in LAYERS:
        _keys[name] = _asked(Section(name, "", 1)) + _of_tables(name)
    for policy in Schedule.POLICIES:
        assert policy.isprintable()


def trial(random: Random, folder: Path) -> str:
    path = folder / random.choice(["net.cfg", "a b.cfg", "é.cfg"])
    path.write_bytes(_hostile(random))
    strict = random.random() < 0.2
    try:
        net = Network.from_cfg(path, "cpu", strict=strict)
    except DarknetError as error:
        check_message(error, path)
        return "refused"
    for line in net.warnings:
        check_message(CfgError("", None, line))
    _check_shapes(net)
    if random.random() < 0.3:
        _write_again(net, path.with_name("again.cfg"))
    if not _is_small(net):
        return "built" if random.random() < 0.98 else _run_large(net)
    if random.random() > _RUN:
        return "built"
    return _run(random, net, path)


# Texts


def _small(lines: list[str]) -> list[str]:
    """A cfg of few filters for small pictures."""
    small = {"filters": 6, "output": 6, "groups": 2, "batch": 4, "subdivisions": 2, "classes": 5}
    found = []
    for line in lines:
        key, equals, value = (part.strip() for part in line.partition("="))
        if equals and key in ("width", "height"):
            line = f"{key}={min(int(value), 40)}"
        elif equals and key in small:
            line = f"{key}={min(int(value), small[key])}"
        found.append(line)
    return found


def _hostile(random: Random) -> bytes:
    if random.random() < 0.0005:
        return _huge(random).encode()
    kind = random.random()
    if kind < 0.5:
        lines = _drawn(random)
    else:
        lines = _cut(random, random.choice(_texts))
        for _ in range(random.choice([0, 1, 1, 2, 4])):
            _change_value(random, lines)
    if kind < 0.15 or kind > 0.85:
        lines = mangle_lines(random, lines)
    if random.random() < 0.6:
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    data = encode(random, lines)
    return mangle_bytes(random, data) if random.random() < 0.3 else data


def _huge(random: Random) -> str:
    """More of one thing than any cfg has."""
    count = random.choice([10_000, 30_000, 100_001])
    few = "\n".join(_drawn(random))
    key = random.choice(["layers", "steps", "scales", "anchors", "mask", "mean", "size", "a"])
    section = random.choice(list(LAYERS))
    return f"{few}\n" + random.choice(
        [
            f"[{section}]\n" * count,
            f"[{section}]\nfrom=-1\nlayers=-1\nfilters=1\noutput=1\n" * count,
            f"{key}=" + "1," * 10 * count + "1\n",
            f"{key}=1\n" * count,
            f"{key}\n" * count,
            "".join(f"{key}{place}=1\n" for place in range(count)),
            f"{key}={word(random)}" + "9" * 100 * count + "\n",
            f"[{'x' * 100 * count}]\n",
            "\n" * 12 * count,
        ]
    )


def _cut(random: Random, lines: list[str]) -> list[str]:
    """Mostly the first sections and the last alone: deep networks are long."""
    starts = [place for place, line in enumerate(lines) if line.startswith("[")]
    if random.random() < 0.02 or len(starts) < 4:
        return list(lines)
    last = random.randrange(2, min(len(starts), 14))
    tail = random.choice(starts[-3:])
    return lines[: starts[last]] + lines[max(tail, starts[last]) :]


def _change_value(random: Random, lines: list[str]) -> None:
    places = [place for place, line in enumerate(lines) if "=" in line]
    if places:
        place = random.choice(places)
        key = lines[place].partition("=")[0]
        lines[place] = f"{key}={_value(random, key)}"


def _drawn(random: Random) -> list[str]:
    """A cfg from scratch, of known sections and keys."""
    lines = [f"[{random.choice(['net'] * 20 + ['network', 'Net', 'maxpool'])}]"]
    size = random.choice([1, 3, 7, 8, 12, 17])
    shape = {"width": size, "height": size, "channels": random.choice([1, 2, 3])}
    if random.random() < 0.15:
        shape = {"inputs": random.choice([1, 5, 24])}
    shape["batch"] = random.choice([1, 2, 4])
    lines += [f"{key}={value}" for key, value in shape.items()]
    lines += _some_keys(random, "net", random.choice([0, 0, 1, 3]))
    names = list(LAYERS)
    for _ in range(random.choice([1, 2, 3, 4, 6, 10])):
        name = random.choice(names if random.random() < 0.97 else [*FOREIGN_LAYERS, "net", "é"])
        lines.append(f"[{name}]")
        needed = _NEEDED.get(name, {}) if random.random() < 0.9 else {}
        lines += [f"{key}={random.choice(values)}" for key, values in needed.items()]
        lines += _some_keys(random, name, random.choice([0, 1, 1, 2, 4]))
    if random.random() < 0.5:
        lines += random.choice([["[softmax]"], ["[cost]"], ["[softmax]", "[cost]"], ["[logistic]"]])
    return lines


def _some_keys(random: Random, section: str, count: int) -> list[str]:
    known = _keys.get(section) or _keys["net"]
    if section == "net" and random.random() < 0.8:
        known = [key for key in known if key not in ("width", "height", "channels", "inputs")]
    keys = [random.choice(known) for _ in range(count)]
    return [f"{key}={_value(random, key)}" for key in keys]


_NEEDED = {
    "shortcut": {"from": ["-1", "-2", "0"]},
    "route": {"layers": ["-1", "-1,-2", "0", "0,-1"]},
    "crop": {"crop_width": ["1", "3"], "crop_height": ["1", "3"]},
    "region": {"classes": ["1"], "coords": ["1"], "num": ["1", "2"]},
    "yolo": {"classes": ["1"], "num": ["1"]},
    "convolutional": {"filters": ["1", "2", "4", "6", "8", "17"], "size": ["1", "3"], "pad": ["1"]},
    "connected": {"output": ["1", "4", "9"]},
}
"""Without which a section is refused, or dull."""
_GOOD = {
    "activation": [*ACTIVATIONS, *FOREIGN_ACTIVATIONS],
    "policy": list(Schedule.POLICIES),
    "optimizer": list(METHODS),
    "type": ["sse", "masked", "L1", "smooth", "seg", "wgan"],
    "layers": ["-1", "-1,-2", "0", "0,1", "-1,0"],
    "from": ["-1", "-2", "-3", "0"],
}


def _value(random: Random, key: str) -> str:
    if random.random() < 0.75:
        good = _GOOD.get(key) or ["0", "1", "1", "2", "3", "4", "6", "0.5"]
        return random.choice(good)
    return number(random) if random.random() < 0.8 else word(random)


def _asked(section: Section) -> list[str]:
    """The keys that a section's reader asks for: all of them, where none of them makes it fail."""
    read = section._read  # the getters keep no other record
    try:
        if section.name == "net":
            read_settings(section)
        else:
            place = BuildContext(3, Shape(6, 6, 4), Shape(6, 6, 4), [Shape(6, 6, 4)] * 3, 1, 0)
            LAYERS[section.name](section, place)
    except CfgError:
        pass
    common = ["learning_rate", "clip", "dontload", "dontsave", "stopbackward", "smooth"]
    return [*sorted(read), *common]


def _of_tables(name: str) -> list[str]:
    return [
        key
        for table in (UNCOMPUTED, WITHOUT_EFFECT)
        for of in ("*", name)
        for key in table.get(of, ())
    ]


# Networks


def _check_shapes(net: Network) -> None:
    for layer in net.layers:
        if min(layer.out_shape) < 1:
            raise Failed(f"[{layer.kind}] gives {layer.out_shape}")
    if not net.layers or net.outputs < 1:
        raise Failed(f"a network of {len(net.layers)} layers and {net.outputs} outputs")


def _is_small(net: Network) -> bool:
    maps = net.in_shape.size + sum(layer.out_shape.size for layer in net.layers)
    batch = net.settings.batch * net.settings.time_steps
    return (
        len(net.layers) <= _MOST_LAYERS
        and sum(parameter.size for parameter in net.parameters()) <= _MOST_PARAMETERS
        and maps * batch <= _MOST_NUMBERS
        and batch * sum(layer.operations() for layer in net.layers) <= _MOST_WORK
    )


def _write_again(net: Network, path: Path) -> None:
    """A rewritten cfg, as by fine-tuning, makes the same network."""
    path.write_text(write_sections(net.sections), "utf-8")
    again = Network.from_cfg(path, "cpu")
    if [section.name for section in again.sections] != [section.name for section in net.sections]:
        raise Failed("other sections once they were written and read")
    if table(again.layers) != table(net.layers) or again.settings != net.settings:
        raise Failed("another network once its sections were written and read")


def _run_large(net: Network) -> str:
    """Values for its parameters, if there is room for them."""
    try:
        net.initialise(1)
    except DarknetError as error:
        check_message(error, net.path)
        return "too large"
    except MemoryError:  # which the command line says in a line
        return "too large"
    return "large"


def _run(random: Random, net: Network, path: Path) -> str:
    rng = np.random.default_rng(random.getrandbits(64))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        net.initialise(1)
        h, w, c = net.in_shape
        n = net.settings.time_steps * random.choice([1, 1, 2])
        x = rng.random((n, c, h, w), np.float32)
        y = net.predict(x)
        if y.shape != (n, net.outputs) or y.dtype != np.float32:
            raise Failed(f"predict gives {y.dtype} {y.shape}: expected float32 {n, net.outputs}")
        for layer, found in zip(net.layers, net.activations(x), strict=True):
            if found.size != n * layer.out_shape.size:
                raise Failed(f"[{layer.kind}] gives {found.shape}, and says {layer.out_shape}")
        if random.random() < 0.2 and not net.settings.is_vector:
            _resize(random, net, x)
        kept = _reload(net, path, x, y)
        if random.random() < 0.5:
            return f"ran, {kept}"
        return f"{_train(rng, net)}, {kept}"


def _resize(random: Random, net: Network, x: np.ndarray) -> None:
    """Pictures of another size: refused, or taken at the next size that the network takes."""
    h, w, c = net.in_shape
    least = max(w + random.randint(-6, 9), 1), max(h + random.randint(-6, 9), 1)
    try:
        wide, high = net.next_size(*least)
    except ShapeError as error:
        check_message(error, net.path)
        return
    if wide < least[0] or high < least[1]:
        raise Failed(f"{wide} x {high} is the next size of {least}")
    larger = np.zeros((len(x), c, high, wide), np.float32)
    y = net.predict(larger)
    if len(y) != len(x):
        raise Failed(f"predict gives {y.shape} of {larger.shape}")


def _reload(net: Network, path: Path, x: np.ndarray, y: np.ndarray) -> str:
    """Weights that were saved make the same network of the same cfg."""
    file = path.with_suffix(".weights")
    net.save_weights(file)
    if file.stat().st_size != weights_bytes(net.layers):
        raise Failed(
            f"{file.stat().st_size} bytes of weights: expected {weights_bytes(net.layers)}"
        )
    again = Network.from_cfg(path, "cpu")
    try:
        again.load_weights(file)
    except DarknetError as error:
        check_message(error, file)
        if any(layer.dontsave or layer.dontload for layer in net.layers):
            return "refused again"
        finite = all(np.isfinite(parameter.value).all() for parameter in net.parameters())
        if not finite:
            return "not finite"
        raise
    if any(layer.dontsave or layer.dontload for layer in net.layers):
        return "loaded in part"
    if not np.array_equal(again.predict(x), y, equal_nan=True):
        raise Failed("another answer with the weights that were saved")
    return "reloaded"


def _train(rng: np.random.Generator, net: Network) -> str:
    h, w, c = net.in_shape
    batch = net.settings.batch * net.settings.time_steps
    x = rng.random((batch, c, h, w), np.float32)
    truth = np.eye(net.outputs, dtype=np.float32)[rng.integers(net.outputs, size=batch)]
    shapes = [parameter.value.shape for parameter in net.parameters()]
    try:
        loss = net.train_step(x, truth)
    except DarknetError as error:
        check_message(error, net.path)
        return "not trainable"
    if not isinstance(loss, float):
        raise Failed(f"a loss of {type(loss).__name__}")
    if [parameter.value.shape for parameter in net.parameters()] != shapes:
        raise Failed("parameters of other shapes after training")
    return "trained"

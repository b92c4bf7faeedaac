"""Names of files and classes, keys and values of a cfg that drive terminals, end lines, compute.

Each trial gives some to a command, on a terminal or with its output in files, and looks at what
comes out: nothing may drive the terminal, records are as many as pictures, and CSV, JSON and HTML
read back as the names that went in.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import struct
from collections.abc import Callable, Sequence
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from random import Random

from scripts.trials.console import Done, faults, run
from scripts.trials.trial import Failed

NAME = "names"
GROUP = "fuzz"

PIECES = (
    *("a", "b c", "é", "猫", "❤️", "שלום", "e\u0301", "0", "-0.5", "1e5", "%s", "{0}", "\\n"),
    *(
        "\n",
        "\r",
        "\r\n",
        "\t",
        "\x07",
        "\x08",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x1e",
        "\x7f",
        "\r\x1b[2K",
    ),
    *("\x1b", "\x1b[31m", "\x1b[2J", "\x1b]0;owned\x07", "\x1b]8;;http://x\x1b\\", "\x1bP"),
    *("\r\x1b[2K", '",=1,"'),
    *("\x80", "\x85", "\x90", "\x9b31m", "\x9d0;x\x9c", "\xa0", "\xad"),
    *("\u2028", "\u2029", "\u200b", "\u200d", "\u2060", "\ufeff", "\u034f", "\u3164", "\u180e"),
    *("\u202e", "\u202a", "\u2066", "\u2069", "\u200e", "\u061c", "\U000e0041", "\U000e0100"),
    *("\udcff", "\udc9b", "\udcc2\udc9b", "\udce2\udc80\udcae", "\udcc3"),
    *(
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "'=1",
        "\uff1d1",
        ";=1",
        '"',
        ",",
        '",=1,"',
    ),
    *("<script>alert(1)</script>", '"><img src=x onerror=a()>', "javascript:1", "&lt;", "'"),
    *("$x$", "$\\frac{1}{$", "_{^", "#", "[net]", "]", "=", "|", "`id`", "$(id)", "..", "-h", "--"),
)

_NUMBER = re.compile(r"[+-]?[0-9.]+(e-?[0-9]+)?")


def prepare() -> None:
    """What the first command would wait for."""
    from darknet_py.ops import for_device

    for_device("cpu")


def trial(random: Random, folder: Path) -> str:
    """One command."""
    choices = (_classify,) * 8 + (_validate,) * 4 + (_check,) * 4 + (_info,) * 4 + (_wrong,) * 4
    return random.choice((*choices, _report))(random, folder)


# Commands


def _classify(random: Random, folder: Path) -> str:
    classes = _write_network(random, folder)
    paths = sorted({os.path.join("in", f"_{_file_name(random)}.ppm") for _ in range(3)})
    paths = [path for path in paths if _write_picture(random, folder / path)]
    form = random.choice(("text", "--json", "--csv"))
    on_terminal, given = random.random() < 0.4, random.choice(("folder", "files", "list"))
    listed = ""
    if given == "list":
        # it has a name on each line, without outer blanks
        paths = [each for each in paths if not {"\n", "\r"} & {*each}]
        listed = "".join(f"{each}\n" for each in paths)
    if not paths:
        return "no such names here"
    words = ["classify", "-q", "-t", len(classes), "--names", "n.names"]
    words += ["n.cfg", "n.weights", *({"folder": ["in"], "files": paths, "list": ["-"]}[given])]
    words += [] if form == "text" else [form]
    done = _run(words, on_terminal, listed.encode("utf-8", "surrogateescape"))
    _expect(done.code == 0, f"exit code {done.code}: {done.err!r}")
    out = done.out.decode("utf-8", "surrogateescape")
    lines = out.removesuffix("\n").split("\n")
    if form == "text":
        _expect(len(lines) == len(paths) * (1 + len(classes)), f"{len(lines)} lines: {lines}")
    elif form == "--json":
        for line, path in zip(lines, paths, strict=True):
            found = json.loads(line)
            _expect_equal(found["path"], path, "path")
            for each in found["predictions"]:
                _expect_equal(each["name"], classes[each["index"]], "name")
    elif not on_terminal:  # which shows what ends a cell, spelled out
        head, *rows = _rows(out)
        _expect_equal(head, ["path", "rank", "index", "name", "probability"], "head")
        _expect_equal(len(rows), len(paths) * len(classes), "rows")
        for number, row in enumerate(rows):
            _expect_equal(row[0], paths[number // len(classes)], "path")
            _expect_name(row[3], classes[int(row[2])])
            _expect(0 <= float(row[4]) <= 1, f"probability {row[4]}")
    return f"classified as {form.strip('-')}"


def _validate(random: Random, folder: Path) -> str:
    """Classes are folders; their names are in what is printed, and in the table."""
    classes = _write_network(random, folder, _folder_names(random, folder))
    for name in classes:
        (folder / "in" / name).mkdir(parents=True)
        _write_picture(random, folder / "in" / name / f"_{_file_name(random, 20)}.png")
    is_json, on_terminal = random.random() < 0.5, random.random() < 0.4
    words = ["classifier", "valid", "-q", "in", "n.cfg", "n.weights", "--names", "n.names"]
    words += ["--confusion", "table.csv", *(["--json"] if is_json else [])]
    done = _run(words, on_terminal)
    if done.code == 1:
        return "validation refused"
    _expect(done.code == 0, f"exit code {done.code}: {done.err!r}")
    out = done.out.decode()
    if is_json:
        _expect_equal(json.loads(out)["classes"], classes, "classes")
        _expect(out.count("\n") == 1, "more than a line of JSON")
    else:
        _expect(out.count("\n") == 2 + len(classes), f"lines: {out!r}")
    table = (folder / "table.csv").read_bytes().decode()
    head, *rows = _rows(table)
    for name, cell, row in zip(classes, head[1:], rows, strict=True):
        _expect_name(cell, name)
        _expect_name(row[0], name)
    return "validated"


def _check(random: Random, folder: Path) -> str:
    """A .data file of any keys and values, or a folder of any names."""
    data = _file_name(random, 30)
    if random.random() < 0.5:
        place = folder / data
        for name in _folder_names(random, folder):
            _try(partial(os.makedirs, place / name))
            _write_picture(random, place / name / f"{_file_name(random)}.png")
        if not place.is_dir():
            return "no such names here"
    else:
        data = f"{data}.data"
        keys = ("classes", "train", "valid", "labels", "names", "backup", "top", _text(random))
        lines = [f"{random.choice(keys)}={_text(random)}" for _ in range(random.randint(1, 6))]
        for name in ("labels", "list"):
            lines.append(f"{random.choice(('train', 'labels', 'names'))}={name}")
            _write(folder / name, "".join(f"{_text(random)}\n" for _ in range(3)))
        random.shuffle(lines)
        if not _write(folder / data, "\n".join(lines)):
            return "no such names here"
    done = _run(["classifier", "check", "--headers", data], random.random() < 0.4)
    return ("checked", "data refused", "usage")[done.code]


def _info(random: Random, folder: Path) -> str:
    """A cfg of any keys, values, sections and lines."""
    lines = [
        "[net]",
        "width=8",
        "height=8",
        "channels=3",
        "[convolutional]",
        "filters=2",
        "[softmax]",
    ]
    for _ in range(random.randint(1, 4)):
        what = random.randrange(4)
        key = random.choice(("activation", "size", "groups", "pad", "filters", _text(random)))
        text = (f"{key}={_text(random)}", f"[{_text(random)}]", _text(random), f"{_text(random)}=1")
        lines.insert(random.randint(0, len(lines)), text[what])
    cfg = _file_name(random, 30)
    if cfg.startswith("-") or not _write(folder / cfg, "\n".join(lines)):
        return "no such names here"
    command = random.choice((["info"], ["ops"], ["ops", "--json"], ["info", "--strict"]))
    done = _run([*command, cfg], random.random() < 0.4)
    if command[0] == "ops" and done.code == 0:
        out = done.out.decode("utf-8", "surrogateescape")
        _expect(out.count("\n") == (1 if "--json" in command else 2), f"lines: {out!r}")
    return ("read", "cfg refused", "usage")[done.code]


def _wrong(random: Random, folder: Path) -> str:
    """What is not there, or no picture, weights or option."""
    _write_network(random, folder)
    text, bad = _text(random), _file_name(random, 60)
    if random.random() < 0.1:
        text = random.choice(("a" * 300, f"{text}{'/b' * 3000}", f"{'é' * 200}.png"))
    is_there = _try(lambda: (folder / bad).write_bytes(random.randbytes(random.choice((0, 9, 99)))))
    known = ["n.cfg", "n.weights"]
    words: Sequence[object] = random.choice(
        (
            ["classify", "-q", *known, text],
            ["classify", "-q", *known, bad],
            ["classify", "-q", "n.cfg", bad, "x.png"],
            ["classify", "-q", *known, "--names", bad, "x.png"],
            ["classify", "-q", *known, "--fit", text, "x.png"],
            ["classify", "-q", "--device", text, *known, "x.png"],
            ["explain", "-q", *known, "--class", text, "x.png"],
            ["filters", "-q", *known, "-o", text],
            ["features", "-q", *known, "x.png", "-o", os.path.join(text, "x.npz")],
            ["nightmare", "-q", "--replay", bad],
            ["nightmare", "-q", *known, bad, text],
            ["classifier", "valid", "-q", text, *known],
            ["plot", bad],
            ["dataset", "mean", text],
            ["reset", "-q", "n.cfg", bad, text],
            [text],
            ["info", text],
            ["info", f"--{text}"],
        )
    )
    if "\0" in "".join(map(str, words)):
        return "no words for a command"
    done = _run(words, random.random() < 0.4)
    if done.code == 1:
        lines = done.err.decode().removesuffix("\n").split("\n")
        _expect(len(lines) == 1, f"an error of {len(lines)} lines: {lines}")
    return ("taken", "refused in one line", "usage")[done.code] + (" (file)" if is_there else "")


def _report(random: Random, folder: Path) -> str:
    classes = _write_network(random, folder)
    name = f"_{_file_name(random, 40)}.ppm"
    if not _write_picture(random, folder / "in" / name):
        return "no such names here"
    words = ["report", "-q", "n.cfg", "n.weights", "in", "--names", "n.names", "-o", "page.html"]
    done = _run(words, random.random() < 0.4)
    _expect(done.code == 0, f"exit code {done.code}: {done.err!r}")
    page = _Page()
    page.feed((folder / "page.html").read_text(encoding="utf-8"))
    _expect(not page.strange, f"elements: {page.strange}")
    wrong = {c for c in page.text if not c.isprintable() and c != "\n"}
    _expect(not wrong, f"characters in HTML: {wrong}")
    from darknet_py.text import one_line

    for text in (name, *classes):
        _expect(one_line(text) in page.text, f"{text!r} is not in the page")
    return "reported"


class _Page(HTMLParser):
    """The text of a page, and elements and attributes that a report has not."""

    _KNOWN = frozenset(
        (
            *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "nav"),
            *("h1", "h2", "h3", "h4", "p", "ul", "li", "a", "div", "span", "details", "summary"),
            *(
                "figure",
                "img",
                "figcaption",
                "table",
                "caption",
                "thead",
                "tbody",
                "tr",
                "th",
                "td",
            ),
        )
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.strange = "", set[str]()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in self._KNOWN:
            self.strange.add(tag)
        for key, value in attributes:
            if key.startswith("on") or (key == "href" and not str(value).startswith("#")):
                self.strange.add(f"{key}={value}")
            if key == "src" and not str(value).startswith("data:image/"):
                self.strange.add(f"{key}={value}")
            if key in ("alt", "aria-label"):
                self.text += str(value)

    def handle_data(self, data: str) -> None:
        self.text += data


# What commands are given


def _text(random: Random) -> str:
    return "".join(random.choice(PIECES) for _ in range(random.choice((1, 1, 2, 3, 5))))


def _file_name(random: Random, most: int = 200) -> str:
    """A name that a file may have here."""
    name = os.fsencode(_text(random).replace("/", "-"))[:most].replace(b"\0", b"0")
    found = os.fsdecode(name)
    return f"_{found}" if found in ("", ".", "..") else found


def _class_names(random: Random) -> list[str]:
    """Names that a file of names can keep, each another."""
    from darknet_py.cfg.data_file import fault_of_name

    found = dict.fromkeys(_text(random) for _ in range(random.randint(2, 5)))
    names = [name for name in found if not fault_of_name(name)]
    return [*names, *(f"class {number}" for number in range(len(names), 2))]


def _folder_names(random: Random, folder: Path) -> list[str]:
    """The same as names of folders, in the order that those of classes have."""
    names = {name.replace("/", "-").replace("\0", "0") for name in _class_names(random)}
    names = {name for name in names if not name.startswith(".") and len(os.fsencode(name)) < 200}
    return sorted({*names, "one", "two"})


def _write_network(random: Random, folder: Path, classes: Sequence[str] = ()) -> list[str]:
    """A network of one layer, n.cfg, with its weights and names; the names."""
    names = list(classes) or _class_names(random)
    count = len(names)
    (folder / "in").mkdir(exist_ok=True)
    (folder / "n.cfg").write_text(
        f"[net]\nwidth=4\nheight=4\nchannels=3\n[convolutional]\nfilters={count}\nsize=1\n"
        "activation=linear\n[avgpool]\n[softmax]\n"
    )
    weights = [random.uniform(-1, 1) for _ in range(4 * count)]
    head = struct.pack("<iiiQ", 0, 2, 0, 0)
    (folder / "n.weights").write_bytes(head + struct.pack(f"<{4 * count}f", *weights))
    _write(folder / "n.names", "".join(f"{name}\n" for name in names))
    _write_picture(random, folder / "x.png")
    return names


def _write_picture(random: Random, path: Path) -> bool:
    """A picture, whatever its name says. Whether the file system took it."""
    level = bytes(random.randrange(256) for _ in range(3))
    return _try(lambda: path.write_bytes(b"P6 4 4 255\n" + 16 * level))


def _write(path: Path, text: str) -> bool:
    return _try(lambda: path.write_bytes(text.encode("utf-8", "surrogateescape")))


def _try(write: Callable[[], object]) -> bool:
    try:
        write()
    except (OSError, ValueError):  # a name that this file system has not
        return False
    return True


# What comes out


def _run(words: Sequence[object], on_terminal: bool, stdin: bytes = b"") -> Done:
    done = run(words, on_terminal, stdin)
    for fault in faults(done, on_terminal):
        raise Failed(f"{words}: {fault}")
    return done


def _expect(is_right: bool, fault: str) -> None:
    if not is_right:
        raise Failed(fault)


def _expect_equal(found: object, expected: object, what: str) -> None:
    _expect(found == expected, f"{what}: {found!r}, expected {expected!r}")


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def _expect_name(cell: str, name: str) -> None:
    """A cell that is the name, or says by an apostrophe that it is not to be computed."""
    _expect(cell in (name, f"'{name}"), f"{cell!r} is not {name!r}")
    computes = cell.lstrip()[:1] in {*"=+-@\uff1d\uff0b\uff0d\uff20"} or cell[:1] in {*"\t\r\n"}
    _expect(not computes or _NUMBER.fullmatch(cell) is not None, f"computes {cell!r}")

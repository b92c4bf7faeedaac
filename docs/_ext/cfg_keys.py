"""{cfg-layers}: each layer of a cfg, its keys and their defaults, from the layers' docstrings."""

from __future__ import annotations

import inspect
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from darknet_py.layers import base


def layers() -> dict[type[base.Layer], list[str]]:
    """Every class of layers, and the names that a cfg calls it by, the usual one first."""
    named: dict[type[base.Layer], list[str]] = {}
    for name, kind in base.LAYERS.items():
        named.setdefault(kind, []).append(name)
    return named


_KEY = re.compile(r"\s*(\w+)(?: (\((?:[^()]|\([^()]*\))*\)))?\s*(?:[,;.]|$)")
_MARKED = re.compile(r"(`[^`]+`|\*\w+\*)")


def split_keys(text: str) -> tuple[list[tuple[str, str]], str]:
    """The keys of a list such as `a (1), b (2, or so); c. And more.`, and the text behind it."""
    keys, place = [], 0
    while place < len(text) and (found := _KEY.match(text, place)):
        keys.append((found[1], found[2] or ""))
        place = found.end()
        if found[0].rstrip().endswith("."):
            break
    return keys, text[place:].strip()


class CfgLayers(SphinxDirective):
    """A section for each layer: what it computes, its keys, its shapes, its source."""

    def run(self) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        for kind, names in sorted(layers().items(), key=lambda each: each[1][0]):
            title = f"[{names[0]}]"
            section = nodes.section(ids=[f"layer-{names[0]}"], names=[title])
            section += nodes.title(text=title)
            if names[1:]:
                also = ", ".join(f"[{name}]" for name in names[1:])
                section += nodes.paragraph(text=f"Also: {also}.")
            for paragraph in re.split(r"\n\s*\n", inspect.getdoc(kind) or ""):
                section += self.paragraph(" ".join(paragraph.split()))
            found.append(section)
        return found

    def paragraph(self, text: str) -> list[nodes.Node]:
        before, keys, rest = text.partition("Keys: ")
        parsed: list[nodes.Node] = []
        if before:
            parsed.append(self.prose(before))
        if keys:
            listed, after = split_keys(rest)
            if not listed:
                raise self.error(f"no keys behind `Keys:` in {text!r}")
            items = nodes.bullet_list()
            for name, more in listed:
                line = nodes.paragraph("", "", nodes.literal(text=name), nodes.Text(f" {more}"))
                items += nodes.list_item("", line)
            parsed += [nodes.paragraph(text="Keys, with their defaults:"), items]
            if after:
                parsed.append(self.prose(after))
        return parsed

    def prose(self, text: str) -> nodes.paragraph:
        paragraph = nodes.paragraph()
        for part in _MARKED.split(text):
            if part.startswith("`"):
                paragraph += nodes.literal(text=part[1:-1])
            elif _MARKED.fullmatch(part):
                paragraph += nodes.emphasis(text=part[1:-1])
            else:
                paragraph += nodes.Text(part)
        return paragraph


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("cfg-layers", CfgLayers)
    return {"parallel_read_safe": True}

"""Short code within a paragraph stays on one line: --quiet is not broken after its dashes."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

_LONGEST = 24


class ShortCode(SphinxTransform):
    """Gives literals of a few letters a class, which darknet.css knows."""

    default_priority = 900

    def apply(self, **_: Any) -> None:
        for literal in self.document.findall(nodes.literal):
            if len(literal.astext()) <= _LONGEST:
                literal["classes"].append("short")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_transform(ShortCode)
    return {"parallel_read_safe": True}

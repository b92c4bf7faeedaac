"""HTML read back with the standard library's parser, and what a sound page keeps to."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"br", "col", "hr", "img", "input", "link", "meta"}
_OWN_PARENTS = {
    "tr": {"thead", "tbody"},
    "td": {"tr"},
    "th": {"tr"},
    "li": {"ul", "ol"},
    "caption": {"table"},
    "figcaption": {"figure"},
    "thead": {"table"},
    "tbody": {"table"},
}


class Page(HTMLParser):
    """elements: (tag, attributes) in order; text: of everything but the style."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.faults: list[str] = []
        self.declarations: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(source)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self._open]

    def handle_decl(self, decl: str) -> None:
        self.declarations.append(decl)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"<{tag}> has an attribute twice")
        parent = self._open[-1] if self._open else ""
        if tag in _OWN_PARENTS and parent not in _OWN_PARENTS[tag]:
            self.faults.append(f"<{tag}> within <{parent}>")
        if parent == "p" and tag in ("p", "div", "table", "ul", "section", "h2", "h3", "figure"):
            self.faults.append(f"<{tag}> within <p>")
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> where {self._open[-1:]} is open")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a tag."""
        return [attributes for name, attributes in self.elements if name == tag]

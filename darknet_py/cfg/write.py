"""Sections as the text of a `.cfg` file, and copies of them with other keys."""

from __future__ import annotations

from collections.abc import Sequence

from darknet_py.cfg.sections import Section, Value, parse_sections


def write_sections(sections: Sequence[Section]) -> str:
    """The text of a cfg, the inverse of `parse_sections` but for comments and blanks."""
    texts = []
    for section in sections:
        lines = [f"{key}={value.text}" for key, value in section.values.items()]
        texts.append("".join(f"{line}\n" for line in (f"[{section.name}]", *lines)))
    return "\n".join(texts)


def changed(section: Section, /, **keys: str | float | None) -> Section:
    """A copy of a section with keys set, or with None removed, in their old order, new ones last;
    no key counts as read. Raises ValueError for a value that does not round-trip."""
    copy = Section(section.name, section.path, section.line)
    for key, value in section.values.items():
        if key not in keys:
            copy.values[key] = value
        elif (new := keys[key]) is not None:
            copy.values[key] = Value(_shown(key, new), value.line)
    for key, new in keys.items():
        if new is not None and key not in copy:
            copy.add(key, Value(_shown(key, new), section.line))
    return copy


def _shown(key: str, value: str | float) -> str:
    """A value as text that round-trips, integers without a point."""
    text = str(value)
    line = f"{key}={text}"
    if [each.values for each in parse_sections(f"[some]\n{line}")] != [{key: Value(text, 2)}]:
        raise ValueError(f"{line!r} cannot stand in a cfg")
    return text

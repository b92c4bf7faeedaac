"""A section that remembers what is read of it."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section, Value


class RecordingSection(Section):
    """Remembers which keys were asked for, and with which default."""

    def __init__(self, name: str, keys: dict[str, str]) -> None:
        super().__init__(name, "<text>", 1)
        self.asked: dict[str, Any] = {}
        for key, text in keys.items():
            self.add(key, Value(text, 2))

    def _ask(self, key: str, default: object) -> Value | None:
        self.asked[key] = default
        return super()._ask(key, default)

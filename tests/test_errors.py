from __future__ import annotations

from darknet_py.errors import CfgError, DarknetError


def test_a_message_is_one_line() -> None:
    assert str(DarknetError("a\nb\x1b[2J")) == "a\\nb\\x1b[2J"


def test_of_a_message_without_end_the_middle_is_left_out() -> None:
    error = CfgError("my.cfg", 3, f"{'x' * 10**6}: expected a number")
    assert str(error).startswith("my.cfg:3: xxx")
    assert str(error).endswith("xxx: expected a number")
    assert len(str(error)) < 2100
    assert " ... " in str(error)

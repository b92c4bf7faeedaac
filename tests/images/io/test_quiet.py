from __future__ import annotations

import logging
import threading
import warnings

import pytest

from darknet_py.images.io.quiet import quiet


def warn_as_pillow() -> None:
    warnings.warn_explicit("a bomb", RuntimeWarning, "Image.py", 1, module="PIL.Image")


def test_pillows_warnings_and_log_print_nothing_inside(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own
    with quiet():
        warn_as_pillow()
        logging.getLogger("PIL.TiffImagePlugin").error("too many samples")
    assert capfd.readouterr().err == ""


def test_others_warnings_pass() -> None:
    with quiet(), pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", UserWarning, stacklevel=1)


def test_all_is_as_before_outside() -> None:
    filters, handlers = list(warnings.filters), list(logging.getLogger("PIL").handlers)
    with quiet():
        assert list(warnings.filters) != filters
    assert list(warnings.filters) == filters
    assert logging.getLogger("PIL").handlers == handlers
    with pytest.warns(RuntimeWarning, match="a bomb"):
        warn_as_pillow()


def test_an_error_inside_leaves_nothing_behind() -> None:
    filters = list(warnings.filters)
    with pytest.raises(KeyError), quiet():
        raise KeyError
    assert list(warnings.filters) == filters


def test_threads_that_overlap_leave_nothing_behind() -> None:
    filters = list(warnings.filters)
    entered, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with quiet():
            entered.set()
            leave.wait(5)

    thread = threading.Thread(target=stay)
    with quiet():
        thread.start()
        entered.wait(5)
    warn_as_pillow()  # An error, were the other thread not still inside.
    leave.set()
    thread.join()
    assert list(warnings.filters) == filters

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError
from darknet_py.network.plateau import Plateau, PlateauSettings, WindowMean
from darknet_py.network.settings import Settings, read_settings


def settings(keys: str = "") -> Settings:
    text = f"[net]\ninputs=1\nlearning_rate=.5\npolicy=plateau\n{keys}"
    return read_settings(parse_sections(text, "my.cfg")[0])


def plateau(keys: str = "plateau_window=1\n") -> Plateau:
    how = settings(keys).plateau
    assert how is not None
    return Plateau(how)


def verdicts(controller: Plateau, losses: Sequence[float]) -> list[str | None]:
    looks = [controller.observe(loss) for loss in losses]
    return [look.verdict for look in looks if look is not None]


def test_the_keys_and_their_defaults() -> None:
    assert settings().plateau == PlateauSettings(100, 0.1, 5, 0.01, 3, 2, 0)
    keys = (
        "plateau_window=7\nplateau_climb=.5\nplateau_factor=10\nplateau_threshold=.02\n"
        "plateau_patience=4\nplateau_step=3\nlearning_rate_min=.005\n"
    )
    assert settings(keys).plateau == PlateauSettings(7, 0.5, 10, 0.02, 4, 3, 0.01)
    assert settings().schedule.rate(1000) == 0.5
    text = "[net]\ninputs=1\npolicy=plateau\nplateau_patience=1\n"
    (section,) = parse_sections(text, "my.cfg")
    read_settings(section)
    with pytest.raises(CfgError, match="plateau_patience=1: expected a whole number of 2 or more"):
        section.check_trainable()


def test_without_the_policy_there_is_none() -> None:
    assert read_settings(parse_sections("[net]\ninputs=1\n")[0]).plateau is None


def test_a_look_is_the_mean_of_a_window() -> None:
    controller = plateau("plateau_window=3\n")
    looks = [controller.observe(loss) for loss in (3.0, 2.0, 4.0, 3.0, 3.0, 2.0)]
    assert looks[:2] == looks[3:5] == [None, None]
    assert looks[2] == WindowMean(3.0, is_best=True, verdict=None)
    assert looks[5] == WindowMean(8 / 3, is_best=True, verdict=None)


def test_a_loss_that_falls_well_is_left_alone() -> None:
    controller = plateau()
    assert set(verdicts(controller, [2 * 0.95**k for k in range(50)])) == {None}
    assert controller.factor == 1


def test_a_loss_that_climbs_slows_down_by_five() -> None:
    controller = plateau()
    assert verdicts(controller, [2.0, 1.0, 1.09]) == [None] * 3
    assert controller.observe(1.11) == WindowMean(1.11, is_best=False, verdict="climbs")
    assert controller.factor == 1 / 5
    assert controller.best == 1.0
    # what it finds there is the best: 1.0 may have been luck
    assert controller.observe(1.05) == WindowMean(1.05, is_best=True, verdict=None)
    assert verdicts(controller, [1.15, 1.2]) == [None, "climbs"]
    assert controller.factor == pytest.approx(1 / 25)


def test_chance_is_no_climb() -> None:
    """The best of many noisy looks was luck; what is above it by noise alone stands."""
    controller = plateau("plateau_window=4\n")
    noisy = [2.5, 1.0, 3.0, 1.5]
    assert verdicts(controller, [each - 0.2 for each in noisy]) == [None]
    assert verdicts(controller, [each + 0.6 for each in noisy]) == [None]
    even = plateau("plateau_window=4\n")
    assert verdicts(even, [1.8] * 4 + [2.6] * 4) == [None, "climbs"]


def test_weights_that_are_spoiled_again_are_gone_back_to_again() -> None:
    controller = plateau("plateau_window=2\n")
    assert verdicts(controller, [1.0, 1.0, 1.0, 9.0]) == [None, "climbs"]
    assert verdicts(controller, [1.0, 7.0, 1.2, 5.0]) == ["climbs", "climbs"]
    assert controller.factor == pytest.approx(1 / 125)
    assert controller.observe(1.0) is None
    assert controller.observe(1.5) == WindowMean(1.25, is_best=True, verdict=None)


def test_a_lucky_best_is_found_out_where_it_is_gone_back_to() -> None:
    """The weights of a look of 1.0 give 2.0 when they are seen again: that is no climb."""
    controller = plateau("plateau_window=2\n")
    assert verdicts(controller, [1.0, 1.0, 2.0, 2.0]) == [None, "climbs"]
    assert controller.observe(2.0) is None
    assert controller.observe(2.2) == WindowMean(2.1, is_best=True, verdict=None)
    assert controller.factor == 1 / 5


def test_the_first_window_may_not_spoil_the_weights() -> None:
    controller = plateau("plateau_window=3\n")
    looks = [controller.observe(loss) for loss in (1.0, 9.0, 2.0)]
    assert looks[-1] == WindowMean(4.0, is_best=False, verdict="climbs")
    assert (controller.best, controller.factor) == (None, 1 / 5)
    # what the start is worth is known better each time it was gone back to
    looks = [controller.observe(loss) for loss in (2.0, 3.0, 1.7)]
    assert looks[-1] == WindowMean(6.7 / 3, is_best=True, verdict=None)
    assert controller.factor == 1 / 5


def test_a_loss_that_stands_slows_down_by_two() -> None:
    controller = plateau()
    assert verdicts(controller, [1.0, 1.0, 1.02, 1.01]) == [None, None, None, "stands"]
    assert controller.factor == 1 / 2
    assert verdicts(controller, [1.0, 1.0, 1.0]) == [None, None, "stands"]
    assert controller.factor == 1 / 4


def test_one_that_falls_too_slowly_speeds_up() -> None:
    controller = plateau()
    assert verdicts(controller, [1.0, 0.998, 0.996, 0.994]) == [None, None, None, "falls"]
    assert controller.factor == 2
    assert controller.best == 0.994
    # enough of it is progress
    assert verdicts(controller, [0.98, 0.979, 0.96, 0.959, 0.94]) == [None] * 5


def test_every_best_look_is_said() -> None:
    controller = plateau()
    looks = [controller.observe(loss) for loss in (1.0, 0.999, 1.001, 0.998)]
    assert [look is not None and look.is_best for look in looks] == [True, True, False, True]


def test_the_rate_has_a_least() -> None:
    controller = plateau("plateau_window=1\nlearning_rate_min=.05\n")
    assert verdicts(controller, [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]) == [None, "climbs"] * 3
    assert controller.factor == pytest.approx(0.1)
    high = plateau("plateau_window=1\nlearning_rate_min=5\n")
    verdicts(high, [1.0, 2.0])
    assert high.factor == 1  # which is below the least: it is not raised


def test_a_loss_that_is_no_number_slows_down_at_once_and_not_for_ever() -> None:
    controller = plateau("plateau_window=2\n")
    controller.observe(3.0)
    assert controller.lose()
    assert controller.factor == 1 / 5
    # the window begins again, and a whole one is a new start
    assert controller.observe(3.0) is None
    assert controller.observe(5.0) == WindowMean(4.0, is_best=True, verdict=None)
    assert [controller.lose() for _ in range(9)] == [True] * 8 + [False]


@given(st.lists(st.floats(0, 1e6) | st.just(math.nan), max_size=60), st.integers(0, 59))
def test_what_it_remembers_goes_through_json(losses: list[float], cut: int) -> None:
    """Taken up anywhere, it says what it would have said."""

    def feed(controller: Plateau, some: list[float]) -> list[object]:
        return [controller.lose() if math.isnan(x) else controller.observe(x) for x in some]

    keys = "plateau_window=2\nplateau_patience=2\n"
    whole, first, second = plateau(keys), plateau(keys), plateau(keys)
    expected = feed(whole, losses)
    found = feed(first, losses[:cut])
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert found + feed(second, losses[cut:]) == expected
    assert second.state_dict() == whole.state_dict()
    assert 0 <= whole.factor < math.inf

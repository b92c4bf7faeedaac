from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError
from darknet_py.network.schedule import Schedule
from darknet_py.network.settings import read_settings
from tests.support.golden import golden_names, load_golden

batches = st.integers(1, 10**7)


def schedule(text: str) -> Schedule:
    """What [net] with these keys says."""
    (section,) = parse_sections(f"[net]\ninputs=1\nlearning_rate=.5\n{text}")
    return read_settings(section).schedule


@pytest.mark.parametrize("name", golden_names("train"))
def test_rates_are_the_c_programs(name: str) -> None:
    figure = load_golden("train", name)
    settings = read_settings(parse_sections(figure["cfg"])[0])
    rates = [settings.schedule.rate(batch_num) for batch_num in range(1, 9)]
    np.testing.assert_allclose(rates, figure["rate"], rtol=1e-6)


def test_every_golden_policy_moves_the_rate() -> None:
    for policy in ("burn_in", "exp", "poly", "step", "steps"):
        assert len(set(load_golden("train", f"sgd_{policy}")["rate"].tolist())) > 1, policy


@given(batches)
def test_constant(batch_num: int) -> None:
    assert schedule("policy=constant").rate(batch_num) == 0.5
    assert schedule("").rate(batch_num) == 0.5


@given(batches)
def test_step(batch_num: int) -> None:
    rate = schedule("policy=step\nstep=1000\nscale=.9").rate(batch_num)
    assert rate == pytest.approx(0.5 * 0.9 ** (batch_num // 1000))


@pytest.mark.parametrize(
    ("batch_num", "factor"), [(1, 1), (99, 1), (100, 0.1), (299, 0.1), (300, 0.2), (10**9, 0.2)]
)
def test_steps(batch_num: int, factor: float) -> None:
    rate = schedule("policy=steps\nsteps=100,300\nscales=.1,2").rate(batch_num)
    assert rate == pytest.approx(0.5 * factor)


@given(batches)
def test_exp(batch_num: int) -> None:
    rate = schedule("policy=exp\ngamma=.999").rate(batch_num)
    assert rate == pytest.approx(0.5 * 0.999**batch_num)


@given(batches)
def test_poly(batch_num: int) -> None:
    rate = schedule("policy=poly\nmax_batches=1000\npower=3").rate(batch_num)
    assert rate == pytest.approx(0.5 * max(1 - batch_num / 1000, 0) ** 3)


def test_poly_is_over_at_max_batches() -> None:
    poly = schedule("policy=poly\nmax_batches=1000")
    assert poly.rate(999) > 0
    assert poly.rate(1000) == 0
    assert poly.rate(2000) == 0


@given(batches)
def test_sigmoid(batch_num: int) -> None:
    rate = schedule("policy=sigmoid\ngamma=.01\nstep=1000").rate(batch_num)
    exponent = 0.01 * (batch_num - 1000)
    assert rate == pytest.approx(0.5 / (1 + math.exp(exponent)) if exponent < 700 else 0)


def test_random_is_drawn_from_the_seed_and_the_number() -> None:
    def rates(text: str) -> list[float]:
        drawn = schedule(f"policy=random\npower=1\n{text}")
        return [drawn.rate(batch_num) for batch_num in range(1, 2001)]

    first = rates("seed=1")
    assert first == rates("seed=1")
    assert first != rates("seed=2")
    assert len(set(first)) > 1900
    assert all(0 <= rate < 0.5 for rate in first)
    assert np.mean(first) == pytest.approx(0.25, abs=0.02)


def test_random_goes_with_its_power() -> None:
    plain, squared = (schedule(f"policy=random\npower={power}") for power in (1, 2))
    for batch_num in range(1, 50):
        expected = 0.5 * (plain.rate(batch_num) / 0.5) ** 2
        assert squared.rate(batch_num) == pytest.approx(expected)


@pytest.mark.parametrize("policy", Schedule.POLICIES)
def test_burn_in_comes_before_every_policy(policy: str) -> None:
    keys = f"policy={policy}\nmax_batches=50\nsteps=3\nscales=.1\ngamma=.9\nseed=1"
    burning, plain = schedule(f"{keys}\nburn_in=10\npower=2"), schedule(f"{keys}\npower=2")
    for batch_num in range(1, 10):
        assert burning.rate(batch_num) == pytest.approx(0.5 * (batch_num / 10) ** 2)
    for batch_num in range(10, 60):
        assert burning.rate(batch_num) == plain.rate(batch_num)


def test_the_default_power_is_4() -> None:
    assert schedule("burn_in=10").rate(5) == pytest.approx(0.5 * 0.5**4)


@pytest.mark.parametrize("policy", Schedule.POLICIES)
@pytest.mark.parametrize("power", [4, 0, -1])
def test_odd_settings_are_refused_or_give_a_number(policy: str, power: float) -> None:
    keys = f"power={power}\nmax_batches=10\nsteps=3\nscales=.1\ngamma=10\nscale=10"
    for burn_in in (0, 10):
        try:
            odd = schedule(f"policy={policy}\n{keys}\nburn_in={burn_in}")
        except CfgError:
            continue
        for batch_num in (0, 1, 9, 10, 11, 400, 10**12):
            assert odd.rate(batch_num) >= 0


def test_sgdr_restarts_and_its_cycles_grow() -> None:
    schedule = Schedule("sgdr", 0.1, learning_rate_min=0.01, sgdr_cycle=10, sgdr_mult=2)
    assert schedule.rate(5) == pytest.approx(0.055)
    assert schedule.rate(10) == pytest.approx(0.01)
    assert schedule.rate(11) == pytest.approx(0.01 + 0.09 * (1 + math.cos(math.pi / 20)) / 2)
    assert schedule.rate(20) == pytest.approx(0.055)
    assert schedule.rate(30) == pytest.approx(0.01)
    even = Schedule("sgdr", 0.1, sgdr_cycle=10, sgdr_mult=1)
    assert even.rate(10**12 + 5) == pytest.approx(0.05)


def test_sgdr_without_a_cycle_is_one_cosine_to_the_end() -> None:
    schedule = Schedule("sgdr", 0.2, max_batches=100)
    assert [schedule.rate(b) for b in (0, 50, 100)] == pytest.approx([0.2, 0.1, 0])


def test_onecycle_climbs_and_falls() -> None:
    schedule = Schedule("onecycle", 0.5, max_batches=100, peak=0.2, learning_rate_min=0.001)
    rates = [schedule.rate(b) for b in range(101)]
    assert rates[0] == pytest.approx(0.02)
    assert rates[20] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0.001)
    assert rates[:21] == sorted(rates[:21])
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert schedule.rate(10**6) == pytest.approx(0.001)

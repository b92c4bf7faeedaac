from __future__ import annotations

import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError
from darknet_py.network.settings import Settings, read_settings

SHAPE = "height=5\nwidth=6\nchannels=3\n"


def settings(keys: str) -> Settings:
    (section,) = parse_sections(f"[net]\n{keys}", "my.cfg")
    return read_settings(section)


def test_defaults_are_the_c_programs() -> None:
    net = settings(SHAPE)
    assert net.shape == (5, 6, 3)
    assert not net.is_vector
    assert (net.batch, net.subdivisions, net.time_steps, net.max_batches) == (1, 1, 1, 0)
    assert net.seed == 0
    assert net.warnings == ()
    optimiser = net.optimiser
    assert (optimiser.method, optimiser.momentum, optimiser.decay) == ("sgd", 0.9, 0.0001)
    assert (optimiser.beta1, optimiser.beta2, optimiser.epsilon) == (0.9, 0.999, 1e-7)
    schedule = net.schedule
    assert (schedule.policy, schedule.learning_rate, schedule.burn_in) == ("constant", 0.001, 0)
    augmentation = net.augmentation
    assert (augmentation.min_crop, augmentation.max_crop) == (6, 12)
    assert (augmentation.angle, augmentation.aspect, augmentation.hue) == (0, 1, 0)
    assert (augmentation.saturation, augmentation.exposure) == (1, 1)
    assert (augmentation.flip, augmentation.center) == (True, False)


def test_every_key_is_read() -> None:
    net = settings(
        SHAPE + "batch=12\nsubdivisions=3\ntime_steps=4\nmax_batches=100\nseed=7\nmomentum=.5\n"
        "decay=.01\noptimizer=adam\nB1=.8\nB2=.99\neps=1e-5\nlearning_rate=.2\npolicy=steps\n"
        "steps=10,20\nscales=.1,.01\nburn_in=5\npower=3\nstep=9\nscale=.3\ngamma=.7\n"
        "min_crop=4\nmax_crop=9\nangle=7\naspect=.75\nhue=.1\nsaturation=1.5\nexposure=1.25\n"
        "flip=0\ncenter=1\nnotruth=0\ninputs=90\n"
    )
    assert (net.batch, net.subdivisions, net.time_steps, net.max_batches) == (12, 3, 4, 100)
    assert net.seed == 7
    optimiser = net.optimiser
    assert (optimiser.method, optimiser.momentum, optimiser.decay) == ("adam", 0.5, 0.01)
    assert (optimiser.beta1, optimiser.beta2, optimiser.epsilon) == (0.8, 0.99, 1e-5)
    schedule = net.schedule
    assert (schedule.policy, schedule.learning_rate, schedule.burn_in) == ("steps", 0.2, 5)
    assert (schedule.steps, schedule.scales) == ((10, 20), (0.1, 0.01))
    assert (schedule.power, schedule.step, schedule.scale, schedule.gamma) == (3, 9, 0.3, 0.7)
    assert (schedule.max_batches, schedule.seed) == (100, 7)
    augmentation = net.augmentation
    assert (augmentation.min_crop, augmentation.max_crop, augmentation.angle) == (4, 9, 7)
    assert (augmentation.aspect, augmentation.hue) == (0.75, 0.1)
    assert (augmentation.saturation, augmentation.exposure) == (1.5, 1.25)
    assert (augmentation.flip, augmentation.center) == (False, True)


def test_inputs_alone_are_a_vector() -> None:
    net = settings("inputs=12")
    assert net.shape == (1, 1, 12)
    assert net.is_vector


def test_adam_1_is_warned_about() -> None:
    """The C program's CPU code reads it and does not follow."""
    net = settings(SHAPE + "adam=1")
    assert net.optimiser.method == "sgd"
    assert len(net.warnings) == 1
    assert net.warnings[0].startswith("my.cfg:5: [net] adam=1 trains with SGD")
    assert "optimizer=adam" in net.warnings[0]
    assert settings(SHAPE + "adam=0").warnings == ()


def test_an_unknown_policy_is_warned_about() -> None:
    """The C program knows `sigmoid`, and takes `sig`, which its cfgs say, for no policy."""
    net = settings(SHAPE + "policy=sig")
    assert net.schedule.policy == "constant"
    known = "constant, step, steps, exp, poly, sigmoid, "
    message = "my.cfg:5: [net] policy=sig is unknown, the rate stays constant: expected one of "
    assert [warning[: len(message + known)] for warning in net.warnings] == [message + known]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("batch=0", ":5: [net] batch=0: expected a whole number of 1 or more"),
        ("batch=8\nsubdivisions=3", ":6: [net] subdivisions=3: expected a divisor of batch=8"),
        ("subdivisions=2", ":5: [net] subdivisions=2: expected a divisor of batch=1"),
        ("time_steps=0", ":5: [net] time_steps=0: expected a whole number of 1 or more"),
        ("momentum=2", ":5: [net] momentum=2: expected a number from 0 to 1"),
        ("decay=-1", ":5: [net] decay=-1: expected a number of 0 or more"),
        ("optimizer=Adam", ":5: [net] optimizer=Adam: expected one of adam, rmsprop, sgd"),
        ("inputs=91", ":5: [net] inputs=91 is not width x height x channels = 90"),
        ("policy=poly", ":5: [net] policy=poly needs max_batches"),
        (
            "policy=steps",
            ":1: [net] policy=steps has 0 steps and 0 scales: expected as many of each, as in "
            "steps=400,800 and scales=.1,.1",
        ),
        (
            "policy=steps\nsteps=1,2\nscales=.1",
            ":6: [net] policy=steps has 2 steps and 1 scales: expected as many of each, as in "
            "steps=400,800 and scales=.1,.1",
        ),
        ("aspect=0", ":5: [net] aspect=0: expected a number of 0.001 or more"),
        ("flip=2", ":5: [net] flip=2: expected 0 or 1"),
        ("max_crop=0", ":5: [net] max_crop=0: expected a whole number of 1 or more"),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    with pytest.raises(CfgError) as caught:
        settings(SHAPE + keys)
    assert str(caught.value) == "my.cfg" + message


@pytest.mark.parametrize("keys", ["", "width=3\nheight=3", "height=0\nwidth=4\nchannels=3"])
def test_a_network_needs_an_input(keys: str) -> None:
    with pytest.raises(CfgError) as caught:
        settings(keys)
    assert str(caught.value) == (
        "my.cfg:1: [net] expected width, height and channels above 0, or inputs"
    )


def test_mean_and_deviation() -> None:
    assert (settings(SHAPE).mean, settings(SHAPE).deviation) == ((), ())
    net = settings(SHAPE + "mean=.4, .5,0\nstd=.25\n")
    assert (net.mean, net.deviation) == ((0.4, 0.5, 0), (0.25,))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mean=.4,.5", "mean= has 2 numbers: expected one for all channels or 3, one a channel"),
        ("mean=104,117,123", "mean: expected numbers from 0 to 1, as pixels are"),
        ("std=0", "std: expected numbers from 1e-06 to 1, as pixels are"),
    ],
)
def test_means_that_are_none(line: str, expected: str) -> None:
    with pytest.raises(CfgError) as caught:
        settings(f"{SHAPE}{line}\n")
    assert str(caught.value) == f"my.cfg:5: [net] {expected}"

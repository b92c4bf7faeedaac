from __future__ import annotations

import pytest

from darknet_py.cfg.sections import Section, parse_sections
from darknet_py.errors import CfgError
from darknet_py.network.settings import Settings, read_settings

SHAPE = "height=5\nwidth=6\nchannels=3\n"


def net_section(keys: str) -> Section:
    (section,) = parse_sections(f"[net]\n{keys}", "my.cfg")
    return section


def settings(keys: str) -> Settings:
    return read_settings(net_section(keys))


def warnings(keys: str) -> list[str]:
    section = net_section(SHAPE + keys)
    read_settings(section)
    return [f"{line}: {message}" for line, message in section.warnings()]


def test_defaults_are_the_c_programs() -> None:
    net = settings(SHAPE)
    assert net.shape == (5, 6, 3)
    assert not net.is_vector
    assert (net.batch, net.subdivisions, net.time_steps, net.max_batches) == (1, 1, 1, 0)
    assert net.seed == 0
    assert warnings("") == []
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
    assert settings(SHAPE + "adam=1").optimiser.method == "sgd"
    assert warnings("adam=1") == [
        "5: [net] adam=1 trains with SGD, as the C program does on a CPU: for Adam say "
        "optimizer=adam"
    ]
    assert warnings("adam=0") == []


def test_an_unknown_policy_is_warned_about() -> None:
    """The C program knows `sigmoid`, and takes `sig`, which its cfgs say, for no policy."""
    assert settings(SHAPE + "policy=sig").schedule.policy == "constant"
    (warning,) = warnings("policy=sig")
    assert warning.startswith(
        "5: [net] policy=sig is unknown and read as constant: expected one of"
    )
    assert "sigmoid" in warning


@pytest.mark.parametrize(
    ("batch", "subdivisions", "used"), [(8, 3, 6), (64, 24, 48), (1, 2, 2), (7, 7, 7), (64, 8, 64)]
)
def test_batches_are_what_the_c_program_learns_from(
    batch: int, subdivisions: int, used: int
) -> None:
    keys = f"batch={batch}\nsubdivisions={subdivisions}\n"
    net = settings(SHAPE + keys)
    assert (net.batch, net.subdivisions) == (used, subdivisions)
    read_as = f"6: [net] batch={batch} is read as {used}, as subdivisions={subdivisions} does not "
    assert warnings(keys) == ([] if batch == used else [f"{read_as}divide it"])


@pytest.mark.parametrize(
    ("keys", "steps", "scales", "said"),
    [
        ("steps=1,2\nscales=.1,.5,2", (1, 2), (0.1, 0.5), "the last scales do not count"),
        ("steps=1,2,\nscales=.1,.1,1", (1, 2, 0), (0.1, 0.1, 1), "is read as 1,2,0"),
        ("steps=1,2,3\nscales=.1,,10", (1, 2, 3), (0.1, 0, 10), "is read as 0.1,0,10"),
        ("steps=1,2#a, b\nscales=.1,.1", (1, 2), (0.1, 0.1), "is read as 1,2"),
        ("steps=1,2x\nscales=.1,.1", (1, 2), (0.1, 0.1), "is read as 1,2"),
    ],
)
def test_steps_are_read_as_the_c_program_does(
    keys: str, steps: tuple[int, ...], scales: tuple[float, ...], said: str
) -> None:
    section = net_section(f"{SHAPE}policy=steps\n{keys}")
    schedule = read_settings(section).schedule
    assert (schedule.steps, schedule.scales) == (steps, scales)
    assert said in section.warnings()[0][1]
    section.check_trainable()


def test_steps_of_another_policy_are_not_looked_at() -> None:
    assert warnings("policy=poly\nmax_batches=9\nsteps=x,,\nscales=y") == []


def test_more_batches_than_can_be_counted() -> None:
    assert settings(SHAPE + "max_batches=500200000000").max_batches == 2**31 - 1
    assert warnings("max_batches=5002000000") == [
        "5: [net] max_batches=5002000000 is read as 2147483647"
    ]
    assert settings(SHAPE).max_batches == 0


TRAINING = "mosaic=1\nletter_box=1\noptimized_memory=3\nlabel_smooth_eps=.1\nnotruth=1\nrandom=1\n"


def test_keys_of_a_detectors_training_are_known() -> None:
    assert warnings(TRAINING) == []


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("batch=0", ":5: [net] batch=0: expected a whole number of 1 or more"),
        ("subdivisions=0", ":5: [net] subdivisions=0: expected a whole number of 1 or more"),
        ("momentum=2", ":5: [net] momentum=2: expected a number from 0 to 1"),
        ("decay=-1", ":5: [net] decay=-1: expected a number of 0 or more"),
        ("learning_rate=-1", ":5: [net] learning_rate=-1: expected a number of 0 or more"),
        ("max_batches=-1", ":5: [net] max_batches=-1: expected a whole number of 0 or more"),
        ("optimizer=Adam", ":5: [net] optimizer=Adam: expected one of adam, rmsprop, sgd"),
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
        (
            "policy=steps\nsteps=1\nscales=-1",
            ":7: [net] scales: expected numbers of 0 or more",
        ),
        ("max_crop=0", ":5: [net] max_crop=0: expected a whole number of 1 or more"),
    ],
)
def test_what_cannot_be_trained_does_not_stop_inference(keys: str, message: str) -> None:
    section = net_section(SHAPE + keys)
    assert read_settings(section).shape == (5, 6, 3)
    line, _, said = message.removeprefix(":").partition(": ")
    assert (int(line), f"{said}: it cannot be trained") in section.warnings()
    with pytest.raises(CfgError) as caught:
        section.check_trainable()
    assert str(caught.value) == "my.cfg" + message


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("time_steps=0", ":5: [net] time_steps=0: expected a whole number of 1 or more"),
        ("inputs=91", ":5: [net] inputs=91 is not width x height x channels = 90"),
        ("inputs=x", ":5: [net] inputs=x: expected a whole number of 1 or more"),
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

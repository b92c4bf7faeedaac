from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import TrainingError
from darknet_py.network import Network
from darknet_py.ops import for_device
from darknet_py.tasks.finetune.head import with_new_head
from darknet_py.tasks.finetune.stages import Stage, plan_stages, stage_sections
from darknet_py.tasks.options import StageOptions
from tests.tasks.finetune.nets import CFG, HEAD

NET = Network(parse_sections(CFG), "base.cfg", for_device("cpu"))
NEW = with_new_head(NET, 3)


def plan(pictures: int, new: tuple[int, ...] = (HEAD,), **options: object) -> list[tuple[str, int]]:
    stages = plan_stages(NET.layers, HEAD, new, pictures, StageOptions(**options))  # type: ignore[arg-type]
    return [(stage.name, stage.first) for stage in stages]


def test_few_pictures_train_the_head_alone_and_many_all_layers() -> None:
    assert plan(99) == [("head", 4)]
    assert plan(100) == plan(2999) == [("head", 4), ("last", 3)]
    assert plan(3000) == [("head", 4), ("all", 0)]


def test_what_is_asked_for() -> None:
    assert plan(10**6, unfreeze=0) == [("head", 4)]
    assert plan(10, unfreeze=2) == [("head", 4), ("last", 1)]
    assert plan(10, unfreeze=9) == [("head", 4), ("last", 0)]
    assert plan(10, start=3) == [("head", 4), ("last", 3)]
    # from a layer without weights is from the next one that has some
    assert plan(10, start=2) == [("head", 4), ("last", 2)]
    assert plan(10, unfreeze=1, all=True) == [("head", 4), ("last", 3), ("all", 0)]
    assert plan(10, all=True) == [("head", 4), ("all", 0)]


def test_layers_that_were_drawn_train_with_the_head() -> None:
    assert plan(10, (3, 4)) == [("head", 3)]
    assert plan(10, (1, 4), unfreeze=1) == [("head", 1)]
    assert plan(10, (1, 4), all=True) == [("head", 1), ("all", 0)]


def test_a_layer_that_is_none() -> None:
    with pytest.raises(TrainingError, match="there is no layer 5 to train from: expected 0 to 4"):
        plan(10, start=5)


@given(st.integers(1, 10**7), st.none() | st.integers(2, 500))
def test_the_figures_of_stages_are_sensible(pictures: int, batch: int | None) -> None:
    for stage in plan_stages(
        NET.layers, HEAD, [HEAD], pictures, StageOptions(batch=batch, all=True)
    ):
        assert stage.batches >= 1
        assert stage.batch == batch or 4 <= stage.batch <= 64
        epochs = stage.batches * stage.batch / pictures
        assert epochs <= 100 or stage.batches == 1
        assert epochs >= 7 or stage.batch > pictures / 8


def stage_net(stage: Stage) -> Network:
    sections = stage_sections(NEW.sections, NET.layers, stage)
    return Network(sections, "stage.cfg", for_device("cpu"), strict=True)


def test_the_cfg_of_the_head(tmp_path: Path) -> None:
    (stage,) = plan_stages(NET.layers, HEAD, [HEAD], 100, StageOptions(unfreeze=0))
    net = stage_net(stage)
    assert [layer.frozen for layer in net.layers] == [True] * 4 + [False] * 4
    assert {layer.learning_rate for layer in net.layers} == {1}
    settings = net.settings
    assert (settings.optimiser.method, settings.schedule.policy) == ("adam", "sgdr")
    assert settings.schedule.learning_rate == 0.003
    assert settings.schedule.rate(stage.batches) == pytest.approx(0, abs=1e-9)
    assert (settings.batch, settings.max_batches) == (stage.batch, stage.batches)


def test_the_cfg_of_a_later_stage() -> None:
    _, stage = plan_stages(NET.layers, HEAD, [HEAD], 100, StageOptions(unfreeze=2, layer_decay=0.5))
    net = stage_net(stage)
    assert [layer.frozen for layer in net.layers] == [True] + [False] * 7
    rates = [layer.learning_rate for layer in net.layers]
    assert rates == [1, 0.25, 1, 0.5, 1, 1, 1, 1]
    assert (net.settings.optimiser.method, net.settings.schedule.policy) == ("sgd", "onecycle")


def test_rates_follow_the_batch() -> None:
    def rate(pictures: int, **options: float) -> float:
        asked = StageOptions(unfreeze=1, **options)  # type: ignore[arg-type]
        return plan_stages(NET.layers, HEAD, [HEAD], pictures, asked)[1].rate

    assert [rate(640), rate(10**5), rate(640, batch=128)] == [0.003] * 3
    assert rate(160) == pytest.approx(0.003 * 16 / 64)
    assert rate(160, rate=0.02) == 0.02


def test_the_decay_of_the_head() -> None:
    def decays(decay: float | None) -> list[float]:
        stages = plan_stages(NET.layers, HEAD, [HEAD], 100, StageOptions(unfreeze=1), decay)
        return [stage_net(stage).settings.optimiser.decay for stage in stages]

    assert decays(None) == [1e-4, 5e-4]
    assert decays(0.71234) == [0.712, 5e-4]


def test_memory_holds_no_more_pictures_than_the_cfg_says() -> None:
    def parts(batch: int, subdivisions: int) -> int:
        text = CFG.replace("batch=12", f"batch=12\nsubdivisions={subdivisions}")
        stage = Stage("head", HEAD, 10, batch, 0.1, 1, "adam", 0)
        sections = stage_sections(parse_sections(text), NET.layers, stage)
        return Network(sections, "stage.cfg", for_device("cpu")).settings.subdivisions

    assert [parts(12, 1), parts(12, 3), parts(64, 1), parts(8, 1), parts(7, 6)] == [1, 3, 8, 1, 7]

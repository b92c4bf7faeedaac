"""Everything before the first stage: what is copied, what is drawn, which stages there will be."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from darknet_py.atomic import write_text
from darknet_py.cfg.sections import Section
from darknet_py.cfg.write import changed, write_sections
from darknet_py.errors import TrainingError
from darknet_py.images import file_digest, file_digests
from darknet_py.layers import Layer
from darknet_py.network import Network
from darknet_py.tasks.data import Data
from darknet_py.tasks.finetune.folder import (
    Folder,
    check_inputs,
    check_new,
    check_places,
    read_folder,
    record_of,
)
from darknet_py.tasks.finetune.head import (
    Start,
    head_decay,
    start,
    with_new_head,
)
from darknet_py.tasks.finetune.run import How
from darknet_py.tasks.finetune.stages import (
    Stage,
    layer_rate,
    plan_stages,
    stage_sections,
)
from darknet_py.tasks.initialization import layers_to_draw
from darknet_py.tasks.model_files import model_texts
from darknet_py.tasks.options import FinetuneOptions, StageOptions
from darknet_py.tasks.outputs import learning_layers, sized
from darknet_py.tasks.split import rejoin, split_of

_VIEWS = 20000
"""Features of so many views are kept, as far as 1 to 16 of each picture are enough."""


@dataclass(frozen=True)
class Request:
    """What is fine-tuned, and how. net_keys, loss_keys: keys that [net] and the layers with a loss
    get, mixup=.2 or smooth=.1, say. overwrite: begin anew where another fine-tuning has begun."""

    weights: str
    output: Path
    stage_options: StageOptions
    size: int | None = None
    reinit: tuple[int, ...] = ()
    net_keys: tuple[tuple[str, float], ...] = ()
    loss_keys: tuple[tuple[str, float], ...] = ()
    seed: int = 0
    resume: bool = False
    overwrite: bool = False


def request_of(options: FinetuneOptions, net: Network, weights: str, seed: int) -> Request:
    """What the options ask for, of a network and its weights."""
    mixing = (("mixup", options.mixup), ("cutmix", options.cutmix))
    return Request(
        weights=weights,
        output=Path(options.output),
        stage_options=options,
        size=options.size,
        reinit=tuple(layers_to_draw(net, options.reinit)) if options.reinit else (),
        net_keys=tuple((key, value) for key, value in mixing if value),
        loss_keys=(("smooth", options.smooth),) if options.smooth else (),
        seed=seed,
        resume=options.resume,
        overwrite=options.overwrite,
    )


def how_of(options: FinetuneOptions, seed: int, top: int, stop: Callable[[], bool]) -> How:
    """How it is to run."""
    cache = Path(options.cache) if options.cache else Path(options.output) / "features"
    return How(
        cache=None if options.no_cache else cache,
        views=options.views,
        cache_bytes=1e9 * options.cache_size,
        seed=seed,
        top=top,
        patience=options.patience,
        stop=stop,
    )


@dataclass(frozen=True)
class Prepared:
    """A fine-tuning that can begin. data: with the sides that the pictures were on when it began;
    how: with the number of views; plan: a line for each layer with weights: where they are from,
    and in each stage "frozen" or its rate; changes: lines about pictures that are others than when
    it began, or would be on another side; again: whether stages begin again for them."""

    folder: Folder
    plan: list[str]
    data: Data
    how: How
    changes: list[str]
    again: bool


def prepare(net: Network, request: Request, data: Data, how: How) -> Prepared:
    """Reads the weights, plans the stages and writes what does not change any more into the output
    folder: cfgs, first weights, names, lists. All is checked before. Raises DarknetError."""
    name = Path(net.path).stem
    check_inputs(request.output, name, [net.path, request.weights, data.path])
    check_places(request.output, name)
    there = None if request.overwrite else read_folder(request.output, name)
    if request.resume and there is None:
        raise TrainingError(f"{request.output}: no fine-tuning began there: leave out --resume")
    data.training()
    goes_on = there if request.resume else None
    changes: list[str] = []
    again = False
    if goes_on is not None:
        record = record_of(goes_on.path)
        train, valid, changes = rejoin(goes_on.split, data.training(), data.valid, record)
        data = replace(data, train=train, valid=valid)
        split, began = split_of(train, valid), goes_on.split
        again = (split.train, split.valid) != (began.train, began.valid)
        how = replace(how, views=how.views or goes_on.inputs.get("views"))
        inputs = _inputs(net, request, how, data)
        if not again and _CONTENTS in goes_on.differs(inputs):
            again = True
            changes = [*changes, "pictures hold other than they did when the run began"]
        _check_same(goes_on, inputs, again)
    train = data.training()
    how = replace(how, views=how.views or max(1, min(16, _VIEWS // len(train))))
    new_head = with_new_head(net, len(data.names))
    first, *rest = sized(new_head.sections, request.size)
    sections = [changed(first, **dict(request.net_keys), seed=request.seed), *rest]
    begun = start(net, request.weights, sections, new_head.head, request.reinit, request.seed)
    sections = _with_loss_keys(sections, begun.net.layers, request)
    texts = model_texts(name, data)
    if goes_on is not None and goes_on.begun and not again:
        for each, text in texts.items():  # the pictures may lie somewhere else now
            write_text(request.output / each, text)
        plan = plan_lines(begun, goes_on.stages, new_head.added)
        return Prepared(goes_on, plan, data, how, changes, again)

    decay = head_decay(begun.net, new_head.head, train) if len(begun.drawn) == 1 else None
    stages = plan_stages(
        begun.net.layers, new_head.head, list(begun.drawn), len(train), request.stage_options, decay
    )
    if goes_on is None and not request.overwrite:
        check_new(request.output, name, there, texts)
    for stage in stages:
        written = write_sections(stage_sections(sections, begun.net.layers, stage))
        texts[f"{name}_{stage.name}.cfg"] = written
    inputs = _inputs(net, request, how, data)
    folder = Folder(request.output, name, inputs, split_of(train, data.valid), stages)
    begun.net.seen = 0
    folder.begin(texts, begun.net.save_weights, keep_result=goes_on is not None)
    plan = plan_lines(begun, stages, new_head.added)
    return Prepared(folder, plan, data, how, changes, again)


def _check_same(folder: Folder, inputs: dict[str, Any], again: bool) -> None:
    """Raises TrainingError where another fine-tuning began. Where stages begin again, what follows
    from the pictures may be another."""
    free = (_WEIGHTS, _CONTENTS) if again else ()
    other = [each for each in folder.differs(inputs) if each not in free]
    if other:
        what = ", ".join(_WORDS.get(each, each) for each in other)
        raise TrainingError(
            f"{folder.path}: the fine-tuning there began with other {what}: go on with what it "
            "began with, or begin anew in its place by --overwrite, or choose another -o"
        )


def plan_lines(begun: Start, stages: Sequence[Stage], added: bool) -> list[str]:
    """What happens to each layer, as a table."""
    layers = begun.net.layers
    learning = learning_layers(layers)
    head = f"{'layer':<22}{'weights':<18}"
    lines = [(head + "".join(f"{stage.name:>12}" for stage in stages)).rstrip()]
    for index in learning:
        fate = begun.drawn.get(index, "copied")
        if fate == "new" and added:
            fate = "added"
        rates = "".join(f"{_rate(learning, index, stage):>12}" for stage in stages)
        lines.append(f"{index:>5} {layers[index].kind:<16}{fate:<18}{rates}")
    return lines


def _rate(learning: Sequence[int], index: int, stage: Stage) -> str:
    rate = stage.rate * layer_rate(learning, index, stage)
    return f"{rate:.3g}" if rate else "frozen"


def _with_loss_keys(
    sections: list[Section], layers: Sequence[Layer], request: Request
) -> list[Section]:
    """The sections, those of layers that have a loss with the keys for them."""
    net, *rest = sections
    keys = dict(request.loss_keys)
    pairs = zip(rest, layers, strict=True)
    return [net, *(changed(each, **keys) if layer.is_loss else each for each, layer in pairs)]


_WEIGHTS, _CONTENTS = "class weights", "contents of pictures"
_WORDS = {
    "cfg": "layers (CFG)",
    "WEIGHTS": "weights (WEIGHTS)",
    "stages": "stages (--epochs, --batch, --lr and others)",
    "size": "size of pictures (--size)",
    "layers to re-initialise": "layers to re-initialise (--reinit)",
    "keys": "keys of the cfg (--mixup, --label-smoothing and others)",
    "seed": "seed (--seed)",
    "views": "views (--views)",
    "cache": "use of kept features (--cache, --no-cache)",
    "patience": "patience (--patience)",
    _WEIGHTS: "class weights (--class-weights)",
    "balance": "balance (--balance)",
    "ema": "averaging (--ema)",
}
"""By which options the inputs are given."""


def _inputs(net: Network, request: Request, how: How, data: Data) -> dict[str, Any]:
    """What the results depend on beside the names of pictures, for a run that is to go on."""
    return {
        "cfg": _digest(write_sections(net.sections)),
        "WEIGHTS": file_digest(request.weights).hex(),
        "stages": {
            each.name: getattr(request.stage_options, each.name) for each in fields(StageOptions)
        },
        "size": request.size,
        "layers to re-initialise": list(request.reinit),
        "keys": [list(pair) for pair in request.net_keys + request.loss_keys],
        "seed": request.seed,
        "views": how.views,
        "cache": how.cache is not None,
        "patience": how.patience,
        _WEIGHTS: how.class_weights,
        "balance": how.balance,
        "ema": how.ema,
        _CONTENTS: _contents(data),
    }


def _contents(data: Data) -> str:
    """A digest of all that is in the pictures, wherever they lie and in whatever order."""
    paths = [*data.training().paths, *(data.valid.paths if data.valid is not None else [])]
    digest = blake2b(digest_size=12)
    for name, found in sorted(
        (os.fsencode(path.name), found if isinstance(found, bytes) else b"")
        for path, found in zip(paths, file_digests(paths), strict=True)
    ):
        digest.update(name + b"/" + found)
    return digest.hexdigest()


def _digest(text: str) -> str:
    return blake2b(text.encode(errors="surrogateescape"), digest_size=12).hexdigest()

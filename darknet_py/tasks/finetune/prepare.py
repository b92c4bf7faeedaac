"""Everything before the first stage: what is copied, what is drawn, which stages there will be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from darknet_py.atomic import write_text
from darknet_py.cfg.sections import Section
from darknet_py.cfg.write import changed, write_sections
from darknet_py.images import Dataset, file_digest
from darknet_py.layers import Layer
from darknet_py.network import Network
from darknet_py.tasks.data import Data
from darknet_py.tasks.finetune.folder import Folder, open_folder, write_data
from darknet_py.tasks.finetune.head import learning_layers, with_new_head
from darknet_py.tasks.finetune.stages import (
    Stage,
    Wishes,
    layer_rate,
    plan_stages,
    stage_sections,
)
from darknet_py.tasks.finetune.start import Start, sized, start


@dataclass(frozen=True)
class Request:
    """What is fine-tuned, and how. net_keys, loss_keys: keys that [net] and the layers with a loss
    get, mixup=.2 or smooth=.1, say."""

    weights: str
    output: Path
    wishes: Wishes
    size: int | None = None
    reinit: tuple[int, ...] = ()
    net_keys: tuple[tuple[str, float], ...] = ()
    loss_keys: tuple[tuple[str, float], ...] = ()
    seed: int = 0
    resume: bool = False


@dataclass(frozen=True)
class Prepared:
    """A fine-tuning that can begin. plan: a line for each layer with weights: where they are from,
    and in each stage "frozen" or its rate."""

    folder: Folder
    stages: list[Stage]
    plan: list[str]


def prepare(net: Network, request: Request, data: Data) -> Prepared:
    """Reads the weights, plans the stages and writes what does not change any more into the output
    folder: cfgs, first weights, names, lists. Raises DarknetError."""
    train = data.training()
    new_head = with_new_head(net, len(data.names))
    sections = _with_keys(sized(new_head.sections, request.size), request)
    begun = start(net, request.weights, sections, new_head.head, request.reinit, request.seed)
    layers = begun.net.layers
    stages = plan_stages(layers, new_head.head, list(begun.drawn), len(train), request.wishes)
    inputs = _inputs(net, request, data, stages)
    folder = open_folder(request.output, Path(net.path).stem, inputs, request.resume)
    if not request.resume:
        _write(folder, begun, sections, stages, data)
    return Prepared(folder, stages, plan_lines(begun, stages, new_head.added))


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


def _with_keys(sections: list[Section], request: Request) -> list[Section]:
    net, *rest = sections
    return [changed(net, **dict(request.net_keys), seed=request.seed), *rest]


def _write(
    folder: Folder, begun: Start, sections: Sequence[Section], stages: Sequence[Stage], data: Data
) -> None:
    write_data(folder, data)
    for stage in stages:
        text = write_sections(stage_sections(sections, begun.net.layers, stage))
        write_text(folder.file(f"_{stage.name}.cfg"), text)
    begun.net.seen = 0
    begun.net.save_weights(folder.file("_start.weights"))


def _inputs(
    net: Network, request: Request, data: Data, stages: Sequence[Stage]
) -> dict[str, Any]:
    """What the results depend on, for a run that is to go on."""
    return {
        "cfg": _digest(write_sections(net.sections)),
        "WEIGHTS": file_digest(request.weights).hex(),
        "pictures to train on": _pictures(data.train),
        "pictures to validate with": _pictures(data.valid),
        "classes": list(data.names),
        "stages": [asdict(stage) for stage in stages],
        "size": request.size,
        "layers to re-initialise": list(request.reinit),
        "keys": [list(pair) for pair in request.net_keys + request.loss_keys],
        "seed": request.seed,
    }


def _pictures(dataset: Dataset | None) -> str | None:
    if dataset is None:
        return None
    pairs = zip(dataset.paths, dataset.labels, strict=True)
    return _digest("\n".join(f"{path.absolute()} {label}" for path, label in pairs))


def _digest(text: str) -> str:
    return blake2b(text.encode(errors="surrogateescape"), digest_size=12).hexdigest()


def loss_sections(sections: Sequence[Section], layers: Sequence[Layer], **keys: float) -> list[Section]:
    """The sections, those of layers with a loss with these keys."""
    return [
        sections[0],
        *(
            changed(section, **keys) if layer.is_loss else section
            for section, layer in zip(sections[1:], layers, strict=True)
        ),
    ]

"""Records of fine-tunings: damaged, or hostile with a digest that is right.

A record is refused in one line that says how to go on; or the fine-tuning is what stands in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from darknet_py.errors import TrainingError
from darknet_py.tasks.finetune.folder import Folder, read_folder, seed_of
from darknet_py.tasks.finetune.stages import Stage
from darknet_py.tasks.split import Side, Split, unpack_split
from scripts.trials.damage import NOT_JSON, damaged, mutated
from scripts.trials.trial import Failed

NAME, GROUP, WEIGHT = "records", "fuzz", 0.3
MEMORY = 1 << 30


def prepare() -> None:
    _written()


def trial(random: Random, folder: Path) -> str:
    written = _written()
    how = random.randrange(5)
    if how < 2:
        data = damaged(random, written, [written[::-1]])
    elif how == 2:
        data = random.choice([*NOT_JSON, b"[]", b"{}", b'{"digest": 1}'])
    else:
        found = mutated(random, {k: v for k, v in json.loads(written).items() if k != "digest"})
        text = json.dumps(found, sort_keys=True).encode()
        known = (
            {**found, "digest": hashlib.sha256(text).hexdigest()} if _is_object(found) else found
        )
        data = json.dumps(known).encode()
    record = folder / "finetune.json"
    record.write_bytes(data)
    seed = seed_of(folder, -1)
    try:
        found = read_folder(folder, "net")
    except TrainingError as error:
        line = str(error)
        record.unlink()
        if not line.startswith(f"{record}: ") or not line.isprintable() or len(line) > 1000:
            raise Failed(f"is refused in other words than a line: {line!r}") from error
        if data == written:
            raise Failed(f"what was written is refused: {line}") from error
        return "refused"
    record.unlink()
    _check_is(found, seed, json.loads(data))
    return "taken as it is"


def _is_object(found: Any) -> bool:
    return isinstance(found, dict)


@cache
def _written() -> bytes:
    side = Side(("a/1.png", "b/2.png"), ((0,), (1,)), (7, 8))
    stages = [
        Stage("head", 4, 10, 8, 0.003, 1.0, "adam", 1e-4),
        Stage("last", 2, 30, 8, 0.003, 0.8, "sgd", 5e-4),
    ]
    inputs = {"cfg": "0" * 8, "seed": 3, "views": 4, "keys": [["mixup", 0.2]]}
    with tempfile.TemporaryDirectory() as place:
        split = Split(("cat", "dog"), "/pictures", side, Side((), (), ()))
        folder = Folder(Path(place), "net", inputs, split, stages)
        folder.begun = True
        folder.finish("head", {"top1": 0.5, "loss": 1.25})
        return (Path(place) / "finetune.json").read_bytes()


def _check_is(found: Folder | None, seed: int, record: dict[str, Any]) -> None:
    """Fails where a fine-tuning is not what its record says."""
    if found is None:
        raise Failed("is read as if nothing had begun")
    split = unpack_split(base64.b64decode(record["pictures"]))
    agreed = [
        [asdict(stage) for stage in found.stages] == record["stages"],
        (found.inputs, found.done, found.begun)
        == (record["inputs"], record["done"], record["begun"]),
        found.split == split,
        seed == record["inputs"]["seed"],
        all(stage.name in ("head", "last", "all") for stage in found.stages),
    ]
    if not all(agreed):
        raise Failed(f"is not what the record says: {agreed}")

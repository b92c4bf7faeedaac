"""A network with random weights on a device."""

from __future__ import annotations

import re

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network
from scripts.benchmark.networks import find_cfg, with_batch

RATE = 1e-6
"""Of learning: so low that random pictures do no harm."""


def random_network(name: str, batch: int, device: str) -> Network:
    """cfg/NAME.cfg, or a path to one; batch: of a training step."""
    cfg = find_cfg(name)
    text = with_batch(cfg.read_text(encoding="utf-8"), batch)
    text = re.sub(r"(?m)^[ \t]*learning_rate[ \t]*=.*$", f"learning_rate={RATE}", text)
    net = Network(parse_sections(text), str(cfg), devices.for_device(device))
    net.initialise()
    return net

"""A network from its files."""

from __future__ import annotations

from pathlib import Path

from darknet_py.network.network import Network


def load_network(
    cfg: str | Path,
    weights: str | Path | None = None,
    device: str = "auto",
    *,
    strict: bool = False,
    partial: bool = False,
    exact: bool = False,
    half: bool = False,
) -> Network:
    """Reads a `.cfg` and, if given, `.weights`; without them the weights are drawn at random.

    device: "cpu", "gpu", "gpu:N" or "auto". strict: warnings about the cfg are errors. partial: a
    weights file may hold only the first layers. exact: convolutions are computed directly, without
    algorithms that are faster and round more. half: on a GPU, maps are bfloat16. Raises CfgError,
    WeightsError, DeviceError.
    """
    network = Network.from_cfg(cfg, device, strict=strict, exact=exact, half=half)
    if weights is not None:
        network.load_weights(weights, partial=partial)
    network.initialise()
    return network

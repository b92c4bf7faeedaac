"""policy=plateau at work: what the controller says is done to the network."""

from __future__ import annotations

from darknet_py.network import Network
from darknet_py.network.snapshot import restore_snapshot, take_snapshot
from darknet_py.tasks.events import Adjusted


def begin(net: Network) -> None:
    """Where a run begins are its first good weights."""
    if net.plateau is not None and net.plateau.kept is None:
        net.plateau.kept = take_snapshot(net)


def steer(net: Network, loss: float) -> Adjusted | None:
    """After a batch: keeps the weights where they are the best, and moves the rate where the loss
    climbs or stands."""
    if net.plateau is None:
        return None
    look = net.plateau.observe(loss)
    if look is None:
        return None
    if look.is_best:
        net.plateau.kept = take_snapshot(net)
    if look.verdict == "climbs":
        _go_back(net)
    return _adjusted(net, look.verdict, look.mean) if look.verdict else None


def retreat(net: Network) -> Adjusted | None:
    """After a batch whose loss is no number, which counts as seen and has moved nothing: back to
    the best weights. None where that has been of no use, or there is no policy=plateau."""
    if net.plateau is None or not net.plateau.lose():
        return None
    net.seen += net.settings.batch
    _go_back(net)
    return _adjusted(net, "no number", None)


def _go_back(net: Network) -> None:
    assert net.plateau is not None
    assert net.plateau.kept is not None
    restore_snapshot(net, net.plateau.kept)


def _adjusted(net: Network, why: str, mean: float | None) -> Adjusted:
    assert net.plateau is not None
    assert net.plateau.kept is not None
    best, rate = net.plateau.best, net.rate
    return Adjusted(net.batch_num, why, mean, best, rate, net.plateau.kept.batch)

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import CfgError, DeviceError, WeightsError
from darknet_py.network import load_network
from tests.support.networks import LAYERS, SMALL, make_network, pictures, values


def test_a_partial_file_leaves_the_rest_drawn(tmp_path: Path) -> None:
    network = make_network(SMALL + LAYERS)
    path = tmp_path / "some.weights"
    network.save_weights(path)
    first = 4 * sum(p.size for p in network.layers[0].parameters())
    path.write_bytes(path.read_bytes()[: 20 + first])
    cfg = tmp_path / "my.cfg"
    cfg.write_text(SMALL + LAYERS)
    with pytest.raises(WeightsError, match=r"is a partial file that ends before layer 2"):
        load_network(cfg, path, "cpu")
    partial = load_network(cfg, path, "cpu", partial=True)
    for one, other in zip(values(partial)[:2], values(network)[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(values(partial)[3], values(network)[3])
    partial.predict(pictures(partial, 1))


def test_load_network(tmp_path: Path) -> None:
    cfg = tmp_path / "my.cfg"
    cfg.write_text(SMALL + "filtres=3\n" + LAYERS)
    network = load_network(cfg, device="cpu")
    assert network.warnings == [f"{cfg}:5: [net] filtres= is not used"]
    assert network.predict(pictures(network, 1)).shape == (1, 3)
    with pytest.raises(CfgError, match="filtres= is not used"):
        load_network(cfg, device="cpu", strict=True)
    with pytest.raises(DeviceError, match="no such device: 'tpu'"):
        load_network(cfg, device="tpu")
    with pytest.raises(CfgError, match="no such file"):
        load_network(tmp_path / "none.cfg", device="cpu")

"""Networks: built from a cfg, loaded from weights, run and trained."""

from darknet_py.network.load import load_network
from darknet_py.network.network import Network

__all__ = ["Network", "load_network"]

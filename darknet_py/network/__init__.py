"""Networks: built from a cfg, loaded from weights, run and trained."""

from darknet_py.network.network import Network, load_network

__all__ = ["Network", "load_network"]

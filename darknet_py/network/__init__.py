"""Networks: built from a cfg, loaded from weights, run and trained."""

from darknet_py.network.network import Network, check_network, load_network

__all__ = ["Network", "check_network", "load_network"]

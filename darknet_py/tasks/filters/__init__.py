"""What the filters of a network are, and what they want to see."""

from darknet_py.tasks.filters.maximize import Maximized, check_channels, maximize_activation
from darknet_py.tasks.filters.weights import FirstFilters, first_filters

__all__ = ["FirstFilters", "Maximized", "check_channels", "first_filters", "maximize_activation"]

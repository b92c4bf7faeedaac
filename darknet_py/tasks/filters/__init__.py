"""What the filters of a network are, and what they want to see."""

from darknet_py.tasks.filters.ascent import Ascent, ascend, check_channels
from darknet_py.tasks.filters.weights import FirstFilters, first_filters

__all__ = ["Ascent", "FirstFilters", "ascend", "check_channels", "first_filters"]

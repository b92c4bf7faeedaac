"""All that can be seen of a network and some pictures, collected, and as one page."""

from darknet_py.tasks.report.collect import Report, collect
from darknet_py.tasks.report.page import render

__all__ = ["Report", "collect", "render"]

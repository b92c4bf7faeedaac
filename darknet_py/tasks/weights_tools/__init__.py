"""The C program's tools for weights files: a network goes in, and comes out changed.

All want its parameters on the host, as on the CPU. Nothing is written here.
"""

from darknet_py.tasks.weights_tools.entrance import rescale, swap_red_and_blue
from darknet_py.tasks.weights_tools.files import average, check_outputs, check_stored, first_layers
from darknet_py.tasks.weights_tools.norm import denormalize, normalize, reset
from darknet_py.tasks.weights_tools.oneoff import Fitted, oneoff

__all__ = [
    "Fitted",
    "average",
    "check_outputs",
    "check_stored",
    "denormalize",
    "first_layers",
    "normalize",
    "oneoff",
    "rescale",
    "reset",
    "swap_red_and_blue",
]

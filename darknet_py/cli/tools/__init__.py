"""The C program's tools for weights files: one command a file."""

from darknet_py.cli.tools.average import average
from darknet_py.cli.tools.denormalize import denormalize
from darknet_py.cli.tools.normalize import normalize
from darknet_py.cli.tools.oneoff import oneoff
from darknet_py.cli.tools.partial import partial
from darknet_py.cli.tools.rescale import rescale
from darknet_py.cli.tools.reset import reset
from darknet_py.cli.tools.rgbgr import rgbgr

TOOLS = (average, denormalize, normalize, oneoff, partial, rescale, reset, rgbgr)

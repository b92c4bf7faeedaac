"""One file per section of a cfg. Importing this package registers them all in LAYERS."""

import importlib
import pkgutil

from darknet_py.layers.base import LAYERS, BuildContext, Layer, Parameter, Shape, Wanted, Window

__all__ = ["LAYERS", "BuildContext", "Layer", "Parameter", "Shape", "Wanted", "Window"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

"""A neural-network toolkit that mirrors pjreddie's darknet, on numpy and cupy arrays.

    net = darknet_py.load_network("cfg/tiny.cfg", "tiny.weights", device="cpu")
    darknet_py.classify(net, ["dog.png"], top=5)

Names are fetched when first used, so that `darknet --help` waits for nothing; and nothing is
imported here, so that Ctrl-C is listened for as early as can be (see interrupt.py).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from darknet_py.errors import DarknetError
    from darknet_py.images.boxes import suppress
    from darknet_py.network import Network, load_network
    from darknet_py.tasks.activations import layer_activations
    from darknet_py.tasks.classify import classify
    from darknet_py.tasks.detect import Detection, detect
    from darknet_py.tasks.dreaming import nightmare
    from darknet_py.tasks.explain import explain
    from darknet_py.tasks.filters import maximize_activation
    from darknet_py.tasks.finetuning import finetune
    from darknet_py.tasks.training import train
    from darknet_py.tasks.validation import evaluate

__version__ = "0.1.0"

__all__ = [
    "DarknetError",
    "Detection",
    "Network",
    "classify",
    "detect",
    "evaluate",
    "explain",
    "finetune",
    "layer_activations",
    "load_network",
    "maximize_activation",
    "nightmare",
    "suppress",
    "train",
]

_HOMES = {
    "DarknetError": "darknet_py.errors",
    "Detection": "darknet_py.tasks.detect",
    "Network": "darknet_py.network",
    "maximize_activation": "darknet_py.tasks.filters",
    "classify": "darknet_py.tasks.classify",
    "detect": "darknet_py.tasks.detect",
    "evaluate": "darknet_py.tasks.validation",
    "explain": "darknet_py.tasks.explain",
    "finetune": "darknet_py.tasks.finetuning",
    "load_network": "darknet_py.network",
    "layer_activations": "darknet_py.tasks.activations",
    "nightmare": "darknet_py.tasks.dreaming",
    "suppress": "darknet_py.images.boxes",
    "train": "darknet_py.tasks.training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)

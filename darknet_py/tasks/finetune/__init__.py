"""Other people's weights, one's own pictures: a network fine-tuned to other classes."""

from darknet_py.tasks.finetune.folder import seed_of
from darknet_py.tasks.finetune.prepare import Prepared, Request, how_of, prepare, request_of
from darknet_py.tasks.finetune.run import Began, Ended, How, Kept, finetune
from darknet_py.tasks.finetune.stages import Stage
from darknet_py.tasks.options import StageOptions

__all__ = [
    "Began",
    "Ended",
    "How",
    "Kept",
    "Prepared",
    "Request",
    "Stage",
    "StageOptions",
    "finetune",
    "how_of",
    "prepare",
    "request_of",
    "seed_of",
]

"""Other people's weights, one's own pictures: a network fine-tuned to other classes."""

from darknet_py.tasks.finetune.folder import seed_of
from darknet_py.tasks.finetune.prepare import Prepared, Request, prepare
from darknet_py.tasks.finetune.run import Began, Ended, How, Kept, finetune
from darknet_py.tasks.finetune.stages import Stage, StageOptions

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
    "prepare",
    "seed_of",
]

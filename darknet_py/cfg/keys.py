"""Keys that pjreddie's or AlexeyAB's C program reads and no layer here does.

A key that changes a network's output is in UNCOMPUTED: it is refused unless its value is neutral.
One that only matters for training a detector, for what is shown or for memory is in WITHOUT_EFFECT
and ignored. Any other is a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from darknet_py.cfg.sections import Section, shown
from darknet_py.cfg.syntax import atoi

_ALL = "*"
_IsNeutral = Callable[[str, Section], bool]


def _is(neutral: int) -> _IsNeutral:
    return lambda text, section: atoi(text)[0] == neutral


def _is_word(neutral: str) -> _IsNeutral:
    return lambda text, section: text == neutral


UNCOMPUTED: Mapping[str, Mapping[str, _IsNeutral]] = {
    _ALL: {"dontloadscales": _is(0), "numload": _is(0)},
    "convolutional": {
        "cbn": _is(0),
        "coordconv": _is(0),
        "flipped": _is(0),
    },
    "crnn": {"dilation": _is(1), "stride": _is(1), "xnor": _is(0)},
    "rnn": {"logistic": _is(0)},
    "softmax": {"tree": _is_word("")},
}
"""By section: keys that no layer here implements, and which values are neutral. A key that a layer
reads counts as implemented."""

_BOXES = (
    *("cls_normalizer", "counters_per_class", "delta_normalizer", "focal_loss", "ignore_thresh"),
    *("iou_loss", "iou_normalizer", "iou_thresh", "iou_thresh_kind", "jitter", "label_smooth_eps"),
    *("max", "max_delta", "obj_normalizer", "objectness_smooth", "random", "resize"),
    *("show_details", "truth_thresh"),
)

WITHOUT_EFFECT: Mapping[str, tuple[str, ...]] = {
    _ALL: ("burnin_update", "dont_update", "onlyforward", "train_only_bn", "truth"),
    "net": (
        *("adversarial_lr", "attention", "augment_speed", "badlabels_rejection_percentage"),
        *("blur", "contrastive", "contrastive_color", "contrastive_jit_flip", "dynamic_minibatch"),
        *("ema_alpha", "equidistant_point", "gaussian_noise", "label_smooth_eps"),
        *("loss_scale", "max_chart_loss", "max_epochs", "mosaic", "mosaic_bound", "notruth"),
        *("num_sigmas_reject_badlabels", "optimized_memory", "random", "resize_step"),
        *("seq_scales", "sequential_subdivisions", "show_receptive_field", "track"),
        *("try_fix_nan", "unsupervised", "use_cuda_graph", "weights_reject_freq"),
        "workspace_size_limit_MB",
    ),
    "convolutional": (
        *("angle", "assisted_excitation", "bin_output", "dot", "grad_centr", "reverse", "rotate"),
        *("stream", "stretch", "stretch_sway", "sway", "wait_stream"),
    ),
    "cost": ("noobj", "ratio", "thresh"),
    "crop": ("angle", "exposure", "saturation", "shift"),
    "detection": (
        *("class_scale", "coord_scale", "forced", "jitter", "max", "noobject_scale"),
        *("object_scale", "random", "rescore", "resize"),
    ),
    "dropout": ("dropblock", "dropblock_size_abs", "dropblock_size_rel"),
    "maxpool": ("maxpool_zero_nonmax",),
    "region": (
        *_BOXES,
        *("absolute", "bias_match", "class_scale", "classfix", "coord_scale", "log", "mask_scale"),
        *("noobject_scale", "object_scale", "rescore", "sqrt", "thresh"),
    ),
    "route": ("stream", "wait_stream"),
    "yolo": (
        *_BOXES,
        *("dets_for_show", "dets_for_track", "embedding_layer", "map", "sim_thresh"),
        *("track_ciou_norm", "track_history_size", "uc_normalizer"),
    ),
    "Gaussian_yolo": (*_BOXES, "map", "uc_normalizer"),
}
"""By section: keys that have no effect on this program."""

ACTIVATIONS = ("prelu",)
"""Of forks of AlexeyAB's program; not implemented here. An activation that
no program knows is relu in all of them."""

LAYERS = (
    *("contrastive", "conv_lstm", "deconv", "deconvolutional", "history", "implicit", "iseg"),
)
"""Of the C programs; not implemented here."""


def read_others(section: Section, kind: str) -> None:
    """Checks the keys that the layer, or [net], has not read; kind: its name in these tables.
    Raises CfgError for a key that changes the network's output and is not implemented."""
    for name in (_ALL, kind):
        section.skip(WITHOUT_EFFECT.get(name, ()))
        for key, is_neutral in UNCOMPUTED.get(name, {}).items():
            if key not in section or section.is_read(key):
                continue
            section.skip([key])
            text = section.values[key].text
            if not is_neutral(text, section):
                section.fail(
                    f"{key}={shown(text)} changes what the network answers, and is not computed "
                    "here",
                    key,
                )

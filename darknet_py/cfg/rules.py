"""Which C program's rules a network follows where pjreddie's and AlexeyAB's differ.

Both read the same files and compute other numbers: batch norm's epsilon and averages, the layout of
[region], biases of [batchnorm], letterbox or stretch. What only one of them knows in a cfg tells;
else the weights' header: AlexeyAB's program, and hank-ai's, write 0.2.5, pjreddie's 0.2.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from darknet_py.cfg.sections import Section, shown

PJREDDIE, ALEXEYAB = "pjreddie", "alexeyab"
PROGRAMS = (PJREDDIE, ALEXEYAB)
_ASKED = "--rules"
ALEXEYAB_REVISION = 5
"""Of the header of weights, 0.2.5."""


class Rules:
    """The rules of one network: all its layers share the object, as its weights may decide.

    program: "pjreddie" or "alexeyab". why: what says so, for a line to the user; is_fixed: weights
    do not change it.
    """

    def __init__(self, program: str = PJREDDIE, why: str = "", is_fixed: bool = False) -> None:
        self.program, self.why, self.is_fixed = program, why, is_fixed

    def __eq__(self, other: object) -> bool:
        """Whatever says so."""
        return isinstance(other, Rules) and other.program == self.program

    __hash__ = None  # type: ignore[assignment]

    @property
    def is_alexeyab(self) -> bool:
        return self.program == ALEXEYAB

    @property
    def revision(self) -> int:
        """Of the header of weights, by which they are known again."""
        return ALEXEYAB_REVISION if self.is_alexeyab else 0

    @property
    def asked(self) -> str | None:
        """The program that the user has named, for a network of the same kind."""
        return self.program if self.why == _ASKED else None

    @property
    def line(self) -> str:
        """For the user: whose rules hold, and why."""
        name = {PJREDDIE: "pjreddie's", ALEXEYAB: "AlexeyAB's"}[self.program]
        return f"computed as by {name} program{f': {self.why}' * bool(self.why)}"

    def read_header(self, revision: int, path: object) -> bool:
        """Takes note of a weights file's revision, the last number of its version; whether that
        changes the rules."""
        if self.is_fixed:
            return False
        is_alexeyab = revision == ALEXEYAB_REVISION
        why = f"{path} says so (version 0.2.{ALEXEYAB_REVISION})" if is_alexeyab else ""
        return self.follow(ALEXEYAB if is_alexeyab else PJREDDIE, why)

    def follow(self, program: str, why: str) -> bool:
        """Holds to these rules from now on; whether that changes them."""
        has_changed = program != self.program
        self.program, self.why = program, why
        return has_changed


def read_rules(sections: Sequence[Section], program: str | None = None) -> Rules:
    """The rules of a cfg, [net] first. program: what the user has said; None: nothing."""
    if program is not None:
        return Rules(program, _ASKED, is_fixed=True)
    for known, told in ((ALEXEYAB, _ONLY_ALEXEYAB), (PJREDDIE, _ONLY_PJREDDIE)):
        for section in sections:
            key = _told(section, told)
            if key is not None:
                return Rules(known, f"{key} is known to it alone", is_fixed=True)
    return Rules()


def _told(section: Section, told: Mapping[str, Sequence[str]]) -> str | None:
    """What in a section only one program knows, with its line; None: nothing."""
    name = _ALIASES.get(section.name, section.name)
    if told.get(name) == ():
        return f"[{shown(section.name)}] (line {section.line})"
    for key in told.get(name, ()):
        if key in section:
            return f"{key}= (line {section.values[key].line})"
    if told is _ONLY_ALEXEYAB and "activation" in section:
        value = section.values["activation"]
        if value.text in _ACTIVATIONS:
            return f"activation={value.text} (line {value.line})"
    return None


_ALIASES = {"network": "net", "conv": "convolutional", "max": "maxpool"}

_ACTIVATIONS = (
    *("gelu", "hard_mish", "mish", "normalize_channels", "normalize_channels_softmax"),
    *("normalize_channels_softmax_maxval", "relu6", "revleaky", "swish"),
)

_ONLY_ALEXEYAB: Mapping[str, Sequence[str]] = {
    # a section without keys here tells by its name
    **dict.fromkeys(
        (
            *("Gaussian_yolo", "contrastive", "conv_lstm", "empty", "history", "implicit"),
            *("local_avg", "local_avgpool", "reorg3d", "sam", "scale_channels", "silence"),
        ),
        (),
    ),
    # without those that this program reads too: cutmix, flip, learning_rate_min, mixup, sgdr_*
    "net": (
        *("adversarial_lr", "attention", "augment_speed", "badlabels_rejection_percentage"),
        *("blur", "contrastive", "contrastive_color", "contrastive_jit_flip", "dynamic_minibatch"),
        *("ema_alpha", "equidistant_point", "gaussian_noise", "letter_box", "loss_scale"),
        *("max_chart_loss", "mosaic", "mosaic_bound", "num_sigmas_reject_badlabels"),
        *("optimized_memory", "resize_step", "seq_scales", "sequential_subdivisions", "track"),
        *("try_fix_nan", "unsupervised", "use_cuda_graph", "weights_reject_freq"),
        "workspace_size_limit_MB",
    ),
    "convolutional": (
        *("angle", "antialiasing", "assisted_excitation", "bin_output", "cbn", "coordconv"),
        *("dilation", "grad_centr", "reverse", "rotate", "share_index", "stream", "stretch"),
        *("stretch_sway", "stride_x", "stride_y", "sway", "wait_stream"),
    ),
    "crnn": ("dilation", "groups", "hidden", "output", "pad", "padding", "size", "stride", "xnor"),
    "dropout": ("dropblock", "dropblock_size_abs", "dropblock_size_rel"),
    "maxpool": (
        *("antialiasing", "maxpool_depth", "maxpool_zero_nonmax", "out_channels", "stride_x"),
        "stride_y",
    ),
    "region": ("focal_loss", "resize"),
    "route": ("group_id", "groups", "stream", "wait_stream"),
    "shortcut": ("weights_normalization", "weights_type"),
    "yolo": (
        *("beta_nms", "cls_normalizer", "counters_per_class", "delta_normalizer"),
        *("dets_for_show", "dets_for_track", "embedding_layer", "focal_loss", "iou_loss"),
        *("iou_normalizer", "iou_thresh", "iou_thresh_kind", "label_smooth_eps", "max_delta"),
        *("new_coords", "nms_kind", "obj_normalizer", "objectness_smooth", "resize"),
        *("scale_x_y", "show_details", "sim_thresh", "track_ciou_norm", "track_history_size"),
    ),
}
"""By section the keys that AlexeyAB's parser.c (59596d78) reads and pjreddie's does not."""

_ONLY_PJREDDIE: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("deconv", "deconvolutional", "iseg", "l2norm", "logistic"), ()),
    "crnn": ("hidden_filters", "output_filters"),
    "gru": ("tanh",),
    "region": ("background",),
    "reorg": ("extra", "flatten"),
    "shortcut": ("alpha", "beta"),
}
"""By section the keys that pjreddie's parser.c (f6afaabc) reads and AlexeyAB's does not."""

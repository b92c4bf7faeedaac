"""Small networks around a layer of some kind, in every twist of its keys, drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

SMOOTH = (
    *("leaky", "linear", "logistic", "tanh", "relu", "elu", "selu", "loggy", "hardtan"),
    *("mish", "swish", "gelu", "hard_mish", "normalize_channels_softmax"),
)
KINKED = (
    *("plse", "ramp", "relie", "lhtan", "stair", "relu6", "revleaky", "normalize_channels"),
    "normalize_channels_softmax_maxval",
)
ACTIVATIONS = SMOOTH + KINKED
"""All that there are; tests hold them equal to the table in ops."""

_CHANNELS = (1, 2, 3, 4, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40, 64, 70)
_SIDES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 20)
_WORK = 400_000
"""Products that a convolution takes for a picture, at most: so small is a trial."""

Keys = dict[str, object]


class Draw:
    """Choices for one network; `h`, `w`, `c`: of the map that the layer reads."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.h, self.w = random.choice(_SIDES), random.choice(_SIDES)
        if random.random() < 0.15:
            self.h, self.w = random.choice([(1, 1), (1, 70), (2, 51), (37, 1), (3, 29)])
        self.c = random.choice(_CHANNELS)

    def one(self, *values: object) -> object:
        return self.random.choice(values)

    def number(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def some(self, **keys: object) -> Keys:
        """Each of these keys, or not."""
        return {key: value for key, value in keys.items() if self.random.random() < 0.5}

    @property
    def activation(self) -> object:
        return self.one(*SMOOTH, *SMOOTH, *KINKED)

    def filters(self, size: int = 1) -> int:
        """As many as do not take too long."""
        most = max(_WORK // (self.h * self.w * self.c * size * size), 1)
        return min(self.random.choice(_CHANNELS), most)


def convolutional(draw: Draw) -> Keys:
    if draw.random.random() < 0.1:  # the second convolution of the network has these weights
        own: Keys = {
            "filters": draw.c,
            "share_index": draw.one(1, -1),
            **draw.some(batch_normalize=1),
        }
        return {**own, **_strides(draw), "activation": draw.activation}
    size = int(draw.random.choice([1, 1, 2, 3, 3, 3, 3, 4, 5, 7]))
    keys: Keys = {"size": size, "stride": draw.one(1, 1, 1, 2, 3, size + 1)}
    keys |= _strides(draw)
    keys |= draw.some(pad=1) or draw.some(padding=draw.number(0, size + 1))
    dilation = 1
    if size > 1 and draw.random.random() < 0.3:
        dilation = draw.number(1, max(draw.h, draw.w))
        keys["dilation"] = dilation
    if "pad" not in keys or size % 2 == 0:
        padding = size // 2 if "pad" in keys else int(str(keys.get("padding", 0)))
        least = dilation * (size - 1) + 1 - 2 * padding * dilation
        draw.h, draw.w = max(draw.h, least), max(draw.w, least)
    filters = draw.filters(size)
    if draw.random.random() < 0.4:
        groups = draw.number(2, 8) if draw.random.random() < 0.6 else draw.c
        draw.c = max(draw.c // groups, 1) * groups
        filters = max(filters // groups, 1) * groups
        keys["groups"] = groups
    keys["filters"] = filters
    if draw.random.random() < 0.2:
        keys |= {str(draw.one("xnor", "binary")): 1}
    return {**keys, **draw.some(batch_normalize=1), "activation": draw.activation}


def _strides(draw: Draw) -> Keys:
    """Of their own down and to the right, and the blur that has them."""
    if draw.random.random() < 0.7:
        return {}
    strides = draw.some(stride_x=draw.one(1, 2, 3), stride_y=draw.one(1, 2, 3))
    return strides | draw.some(antialiasing=draw.one(1, 2))


def local(draw: Draw) -> Keys:
    size = int(draw.random.choice([1, 2, 3, 3, 4, 5]))
    draw.h, draw.w = min(max(draw.h, size), 9), min(max(draw.w, size), 9)
    keys: Keys = {"filters": min(draw.filters(size), 9), "size": size, **draw.some(pad=1)}
    return {**keys, "stride": draw.one(1, 1, 2, 3), "activation": draw.activation}


def connected(draw: Draw) -> Keys:
    draw.h, draw.w = min(draw.h, 9), min(draw.w, 9)
    keys: Keys = {"output": draw.number(1, 70), **draw.some(batch_normalize=1)}
    return {**keys, "activation": draw.activation}


def maxpool(draw: Draw) -> Keys:
    size = draw.number(1, 5)
    keys = draw.some(padding=draw.number(0, 2 * size - 2))
    padding = int(str(keys.get("padding", size - 1)))
    draw.h, draw.w = max(draw.h, size - padding), max(draw.w, size - padding)
    if draw.random.random() < 0.1:
        return {"maxpool_depth": 1, "out_channels": draw.number(1, draw.c)}
    if size == 1:
        return draw.some(stride=draw.one(1, 2, 3))
    keys = {"size": size, "stride": draw.one(1, 2, 2, 3, 5), **keys}
    return keys | _strides(draw) if draw.one(0, 1) else keys


def local_avgpool(draw: Draw) -> Keys:
    size = draw.number(2, 5)
    keys = draw.some(padding=draw.number(0, 2 * size - 2))
    padding = int(str(keys.get("padding", size - 1)))
    draw.h, draw.w = max(draw.h, size - padding), max(draw.w, size - padding)
    keys |= draw.some(stride_x=draw.one(1, 2), stride_y=draw.one(1, 3))
    return {"size": size, "stride": draw.one(1, 2, 2, 3), **keys}


def dropout(draw: Draw) -> Keys:
    return draw.some(probability=draw.one(0, 0.2, 0.5, 0.9))


def crop(draw: Draw) -> Keys:
    size: Keys = {"crop_height": draw.number(1, draw.h), "crop_width": draw.number(1, draw.w)}
    return {**size, **draw.some(flip=1, noadjust=1)}


def activation(draw: Draw) -> Keys:
    return {"activation": draw.activation}


def upsample(draw: Draw) -> Keys:
    stride = draw.number(1, 3)
    draw.h, draw.w = min(draw.h, 9), min(draw.w, 9)
    if draw.random.random() < 0.4:
        draw.h, draw.w, stride = stride * draw.h, stride * draw.w, -stride
    return {"stride": stride, **draw.some(scale=draw.one(0.5, 2, -1))}


def reorg(draw: Draw) -> Keys:
    stride = draw.number(1, 3)
    draw.h, draw.w = min(draw.h, 6) * stride, min(draw.w, 6) * stride
    draw.c = stride**2 * draw.number(1, 7)
    more = draw.one({}, {}, {"flatten": 1}, {"extra": draw.number(1, 9)})
    return {"stride": stride, **draw.some(reverse=1), **more}  # type: ignore[dict-item]


def reorg3d(draw: Draw) -> Keys:
    stride = draw.number(1, 3)
    if draw.random.random() < 0.4:
        draw.h, draw.w, draw.c = min(draw.h, 6), min(draw.w, 6), stride**2 * draw.number(1, 7)
        return {"stride": stride, "reverse": 1}
    draw.h, draw.w, draw.c = min(draw.h, 6) * stride, min(draw.w, 6) * stride, min(draw.c, 40)
    return {"stride": stride}


def normalization(draw: Draw) -> Keys:
    keys = draw.some(size=draw.number(1, 9), alpha=draw.one(0, 0.1, 1))
    return keys | draw.some(beta=draw.one(0.5, 0.75, 1, 2), kappa=draw.one(0.5, 2))


def softmax(draw: Draw) -> Keys:
    draw.h, draw.w = min(draw.h, 6), min(draw.w, 6)
    groups = draw.number(1, 3)
    draw.c = groups * draw.number(1, 24)
    keys = {"groups": groups} if groups > 1 else {}
    return keys | draw.some(temperature=draw.one(0.5, 2), spatial=1, noloss=1)


def cost(draw: Draw) -> Keys:
    draw.h, draw.w = min(draw.h, 5), min(draw.w, 5)
    return draw.some(type=draw.one("sse", "L1", "smooth", "masked"), scale=draw.one(0.5, 2))


def logistic(draw: Draw) -> Keys:
    draw.h, draw.w = min(draw.h, 5), min(draw.w, 5)
    return {}


def recurrent(draw: Draw) -> Keys:
    draw.h, draw.w, draw.c = min(draw.h, 4), min(draw.w, 4), min(draw.c, 17)
    return {"output": draw.number(1, 33), **draw.some(batch_normalize=1)}


def gru(draw: Draw) -> Keys:
    return {**recurrent(draw), **draw.some(tanh=1)}


def rnn(draw: Draw) -> Keys:
    keys = {**recurrent(draw), **draw.some(shortcut=1), "activation": draw.activation}
    return keys | draw.some(hidden=keys["output"])


def crnn(draw: Draw) -> Keys:
    draw.h, draw.w, draw.c = min(draw.h, 6), min(draw.w, 6), min(draw.c, 17)
    keys: Keys = {**draw.some(batch_normalize=1, shortcut=1), "activation": draw.activation}
    if draw.random.random() < 0.5:
        return {**keys, "output_filters": draw.number(1, 20), "hidden_filters": draw.number(1, 20)}
    groups, size = draw.number(1, 3), draw.random.choice([1, 3, 5])
    draw.c = max(draw.c // groups, 1) * groups
    keys |= {"output": groups * draw.number(1, 9), "hidden": groups * draw.number(1, 9)}
    keys |= {"size": size, "groups": groups}
    return {**keys, **(draw.some(pad=1) or {"padding": size // 2})}


def route(draw: Draw) -> Keys:
    groups = draw.number(1, 4)
    draw.c = max(draw.c // groups, 1) * groups
    keys = {"groups": groups, **draw.some(group_id=draw.number(0, groups - 1))}
    layers = {"layers": draw.one("-1", "-1,-2", "-2,-1,-2", "0,1", "-2")}
    return {**layers, **keys} if groups > 1 else {**layers}


def shortcut(draw: Draw) -> Keys:
    several = draw.random.random() < 0.5
    layers = draw.one("-1,-2", "0,1", "-2,-2,0") if several else draw.one(-1, -2, -2, 0)
    keys: Keys = {"from": layers, "activation": draw.activation}
    if draw.random.random() < 0.5:
        kind = draw.one("per_feature", "per_layer", "per_channel")
        normalization = draw.one("relu", "avg_relu", "softmax")
        return {**keys, "weights_type": kind, "weights_normalization": normalization}
    return keys if several else {**keys, **draw.some(alpha=draw.one(0.5, 2), beta=draw.one(2, -1))}


def sam(draw: Draw) -> Keys:
    return {"from": draw.one(-1, -2, 0), "activation": draw.activation}


def scale_channels(draw: Draw) -> Keys:
    """Of two maps of one shape: it has one pixel, or one channel."""
    keys: Keys = {"from": draw.one(-1, -2), "activation": draw.activation}
    if draw.random.random() < 0.5:
        draw.c = 1
        return {**keys, "scale_wh": 1}
    draw.h, draw.w = 1, 1
    return keys


def nothing(_: Draw) -> Keys:
    return {}


def region(draw: Draw) -> Keys:
    num, classes, coords = draw.number(1, 3), draw.number(1, 9), draw.number(4, 5)
    draw.c = num * (coords + 1 + classes)
    keys: Keys = {"num": num, "classes": classes, **draw.some(softmax=1, background=1)}
    keys |= {"coords": coords} if coords > 4 else draw.some(coords=4)
    return keys | draw.some(anchors=",".join(["1"] * 2 * num))


def yolo(draw: Draw) -> Keys:
    num, classes = draw.number(1, 3), draw.number(1, 9)
    boxes = draw.number(1, num)
    draw.c = boxes * (5 + classes)
    keys: Keys = {"num": num, "classes": classes, "mask": ",".join(map(str, range(boxes)))}
    keys |= draw.some(new_coords=1, scale_x_y=draw.one(1.05, 2, 0.5), beta_nms=draw.one(0.6, 0.8))
    keys |= draw.some(nms_kind=draw.one("greedynms", "diounms"))
    return keys | draw.some(anchors=",".join(["1"] * 2 * num))


def gaussian_yolo(draw: Draw) -> Keys:
    keys = yolo(draw)
    keys.pop("new_coords", None)
    boxes = len(str(keys["mask"]).split(","))
    draw.c = boxes * (9 + int(str(keys["classes"])))
    return keys | draw.some(yolo_point=draw.one("center", "left_top", "right_bottom"))


def detection(draw: Draw) -> Keys:
    """Of a map that has as many numbers."""
    side, num, classes = draw.number(1, 4), draw.number(1, 3), draw.number(1, 5)
    draw.h, draw.w, draw.c = side, side, num * 5 + classes
    keys: Keys = {"side": side, "num": num, "classes": classes, "coords": 4}
    return keys | draw.some(softmax=1, sqrt=1)


KINDS: dict[str, Callable[[Draw], Keys]] = {
    "Gaussian_yolo": gaussian_yolo,
    "activation": activation,
    "avgpool": nothing,
    "batchnorm": nothing,
    "connected": connected,
    "convolutional": convolutional,
    "cost": cost,
    "crnn": crnn,
    "crop": crop,
    "detection": detection,
    "dropout": dropout,
    "empty": nothing,
    "gru": gru,
    "l2norm": nothing,
    "local": local,
    "local_avgpool": local_avgpool,
    "logistic": logistic,
    "lstm": recurrent,
    "maxpool": maxpool,
    "normalization": normalization,
    "region": region,
    "reorg": reorg,
    "reorg3d": reorg3d,
    "rnn": rnn,
    "route": route,
    "sam": sam,
    "scale_channels": scale_channels,
    "shortcut": shortcut,
    "softmax": softmax,
    "upsample": upsample,
    "yolo": yolo,
}
"""Keys of a section, at random; they may choose the shape of the layer's input."""

NORMALISED = ("batchnorm", "connected", "convolutional", "crnn", "gru", "lstm", "rnn")
"""Layers that may have rolling statistics."""
ENDS = ("softmax", "logistic", "cost")


def common(draw: Draw, kind: str, keys: Keys) -> Keys:
    """Keys that any layer may have; the frozen, and what `.weights` files hold, stay so."""
    more = draw.some(learning_rate=draw.one(0, 0.5, 3), clip=draw.one(0.3, 1))
    if draw.random.random() < 0.1:
        more |= {str(draw.one("stopbackward", "dontload", "dontsave")): 1}
    has_norm = "batch_normalize" in keys and "share_index" not in keys
    if kind == "batchnorm" or (kind in NORMALISED and has_norm):
        more |= draw.some(use_global_stats=1) if draw.random.random() < 0.5 else {}
    if kind in ENDS:
        more |= draw.some(smooth=draw.one(0.1, 0.3))
    return more if draw.random.random() < 0.5 else {}


def network_text(kind: str, random: Random, classes: int | None = None) -> str:
    """A cfg: the layer after two convolutions of one shape, then perhaps a third, and an end of
    some kind; or the layer as the end. classes: that it takes RGB pictures and knows so many."""
    draw = Draw(random)
    keys = KINDS[kind](draw)
    steps = draw.number(1, 4) if kind in ("rnn", "gru", "lstm", "crnn") and not classes else 1
    subdivisions = int(str(draw.one(1, 1, 2, 3)))
    net: Keys = {
        "height": draw.h,
        "width": draw.w,
        "channels": 3 if classes else draw.one(1, 2, 3, 3, 4, 8),
        "batch": subdivisions * draw.number(1, 4),
        "subdivisions": subdivisions,
        "time_steps": steps,
        "learning_rate": draw.one(0.003, 0.02),
        "decay": draw.one(0, 0.001, 0.1),
        "optimizer": draw.one("sgd", "sgd", "sgd", "adam", "rmsprop"),
        "eps": 1e-3,
        "seed": draw.number(0, 9),
        **draw.some(momentum=draw.one(0, 0.5)),
    }
    if draw.random.random() < 0.2:
        net |= {"mean": 0.45, "std": 0.25}
    head: Keys = {"filters": draw.c, "activation": draw.one("tanh", "leaky", "linear", "relu")}
    first: Keys = {**head, "size": 3, "pad": 1, **draw.some(batch_normalize=1)}
    second: Keys = {**head, "size": 1, **draw.some(batch_normalize=1)}
    if "share_index" in keys:
        second = {**head, **{key: keys[key] for key in ("batch_normalize",) if key in keys}}
    own = section(kind, {**keys, **common(draw, kind, keys)})
    text = section("net", net) + section("convolutional", first)
    text += section("convolutional", second) + own
    if kind in ENDS and "noloss" not in keys and not classes and draw.one(0, 1):
        return text
    if draw.random.random() < 0.3:
        after: Keys = {"filters": draw.number(1, 17), "size": draw.one(1, 3), "pad": 1}
        text += section("convolutional", {**after, "activation": draw.activation})
        text += section("avgpool", {}) if draw.one(0, 1) else ""
    last: Keys = {"output": classes or draw.number(2, 5), "activation": "linear"}
    return text + section("connected", last) + section(str(draw.one(*ENDS)), {})


def section(kind: str, keys: Keys) -> str:
    return f"[{kind}]\n" + "".join(f"{key}={value}\n" for key, value in keys.items())

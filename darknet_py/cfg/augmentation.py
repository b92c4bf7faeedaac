"""Data augmentation: keys of [net], read here for the network and the loader alike."""

from __future__ import annotations

from dataclasses import dataclass

from darknet_py.cfg.sections import Section


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random augmentation of each picture; defaults in parentheses.

    Darknet's keys, applied in this order:

    - min_crop, max_crop: pixels of the shorter side before the window is cut (the network's
      width, twice the width); min_ratio and max_ratio say the same in widths, and win.
    - angle: turned by up to so many degrees to either side (0).
    - aspect: stretched by a factor between 1 and this one, or by its inverse (1).
    - center: instead of all these, the middle square of the picture (0).
    - flip: mirrored half of the time (1).
    - hue: moved by up to this to either side, 1 being once round (0).
    - saturation, exposure: times a factor between 1 and this one, or its inverse (1).

    Further keys, each off at 0, its default:

    - shift: a further translation by up to so many whole pixels, across and down: with min_crop
      and max_crop the width, the picture is not resampled (padded by 4 and cropped, as is usual for
      CIFAR-10); outside is black.
    - shear: of columns by up to so many degrees to either side (with the crop).
    - elastic: the standard deviation in pixels of an elastic distortion, across and down (with the
      crop); elastic_sigma: its smoothness, the sigma in pixels of a Gaussian blur of noise (an
      eighth of the width). Simard et al. 2003.
    - pca: colour moved along the principal components of the set's pixels, each by a normal
      number times this times the component's standard deviation (after exposure); .1 is usual.
      Krizhevsky et al. 2012, who scale by variances of 0..255.
    - erase: the probability, 0..1, that a rectangle becomes noise; erase_min, erase_max: its
      share of the picture (.02, .4). Zhong et al. 2017.
    - mixup: the alpha of the Beta distribution of the share of another picture of the batch that
      is blended in, truth alike; .2 is usual. Zhang et al. 2017.
    - cutmix: the alpha for the size of a rectangle of another picture of the batch, truth alike;
      1 is usual. With mixup, each picture gets one of the two at random. Yun et al. 2019.
    """

    min_crop: int
    max_crop: int
    angle: float
    aspect: float
    hue: float
    saturation: float
    exposure: float
    flip: bool
    center: bool
    shear: float = 0
    elastic: float = 0
    elastic_sigma: float = 4
    pca: float = 0
    erase: float = 0
    erase_min: float = 0.02
    erase_max: float = 0.4
    mixup: float = 0
    cutmix: float = 0
    shift: int = 0


def read_augmentation(section: Section, w: int) -> Augmentation:
    """Reads the keys of [net]; w is the network's width. Invalid values are errors in training."""
    erase_min = section.get_float("erase_min", 0.02, minimum=0, maximum=1, training=True)
    erase_max = section.get_float("erase_max", 0.4, minimum=0, maximum=1, training=True)
    if erase_min > erase_max:
        section.fail_in_training(
            f"erase_min={erase_min:g} is above erase_max={erase_max:g}", "erase_min"
        )
    return Augmentation(
        min_crop=_read_crop(section, "min", w, w),
        max_crop=_read_crop(section, "max", 2 * w, w),
        angle=section.get_float("angle", 0, training=True),
        aspect=_read_factor(section, "aspect"),
        hue=section.get_float("hue", 0, training=True),
        saturation=_read_factor(section, "saturation"),
        exposure=_read_factor(section, "exposure"),
        flip=section.get_flag("flip", True),
        center=section.get_flag("center"),
        shear=section.get_float("shear", 0, minimum=0, maximum=80, training=True),
        elastic=section.get_float("elastic", 0, minimum=0, training=True),
        elastic_sigma=section.get_float("elastic_sigma", max(w / 8, 1), minimum=1, training=True),
        pca=section.get_float("pca", 0, minimum=0, training=True),
        erase=section.get_float("erase", 0, minimum=0, maximum=1, training=True),
        erase_min=erase_min,
        erase_max=erase_max,
        mixup=section.get_float("mixup", 0, minimum=0, training=True),
        cutmix=section.get_float("cutmix", 0, minimum=0, training=True),
        shift=section.get_int("shift", 0, minimum=0, training=True),
    )


def _read_factor(section: Section, key: str) -> float:
    """aspect, saturation or exposure. 0 is a little more: its inverse is to be a number."""
    factor = section.get_float(key, 1, minimum=0, training=True)
    if factor < 1e-3:
        section.warn(f"{key}={factor:g} is read as 0.001", key)
    return max(factor, 1e-3)


def _read_crop(section: Section, end: str, default: int, w: int) -> int:
    """min_crop or max_crop; min_ratio or max_ratio, where given, is in widths of the network."""
    crop = section.get_int(f"{end}_crop", default, minimum=1, training=True)
    ratio = section.get_float(f"{end}_ratio", 0, minimum=1e-3, maximum=1e3, training=True)
    return max(int(ratio * w), 1) if ratio else crop

"""Pictures: files in and out, and the C program's operations on (h, w, c) float32 arrays."""

from darknet_py.images.color import distort_image, hsv_to_rgb, rgb_to_hsv
from darknet_py.images.crop import center_crop_image, crop_image
from darknet_py.images.decode import MAX_PIXELS
from darknet_py.images.files import SUFFIXES, find_pictures, read_list
from darknet_py.images.fit import FITS, MAX_STRETCH, fit_image, load_fitted
from darknet_py.images.flip import flip_image
from darknet_py.images.image import load_image, save_image
from darknet_py.images.letterbox import letterbox_image
from darknet_py.images.resize import resize_image, resize_max, resize_min
from darknet_py.images.rotate import rotate_crop_image, rotate_image

__all__ = [
    "FITS",
    "MAX_PIXELS",
    "MAX_STRETCH",
    "SUFFIXES",
    "center_crop_image",
    "crop_image",
    "distort_image",
    "find_pictures",
    "fit_image",
    "flip_image",
    "hsv_to_rgb",
    "letterbox_image",
    "load_fitted",
    "load_image",
    "read_list",
    "resize_image",
    "resize_max",
    "resize_min",
    "rgb_to_hsv",
    "rotate_crop_image",
    "rotate_image",
    "save_image",
]

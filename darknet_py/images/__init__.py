"""Pictures: files in and out, and the C program's operations on (h, w, c) float32 arrays."""

import importlib
from typing import TYPE_CHECKING, Any

from darknet_py.images.dataset.caffe import (
    find_lists,
    find_valid_list,
    folder_names,
    has_numbers,
    names_beside,
    read_lists,
    read_numbered,
)
from darknet_py.images.dataset.dataset import Dataset
from darknet_py.images.dataset.folder import has_folders, read_folder, read_whole_folder
from darknet_py.images.dataset.listed import LABELS, read_data_file, read_data_part, read_labelled
from darknet_py.images.dataset.loader import Batch, Loader
from darknet_py.images.dataset.overlaps import DIGEST, file_digest, file_digests, overlap
from darknet_py.images.dataset.prepared import PREPARED_FITS, is_prepared, load_prepared
from darknet_py.images.dataset.readable import Refusal, check_enough, in_threads, others, scan
from darknet_py.images.dataset.sampler import BalancedOrder, Order, Turn, order_of
from darknet_py.images.dataset.views import Views
from darknet_py.images.draw.heatmap import (
    color_map,
    draw_heat,
    draw_overlay,
    shown_size,
    spread_heat,
)
from darknet_py.images.io.decode import MAX_PIXELS
from darknet_py.images.io.encode import check_animation, encode_jpeg, encode_png, save_animation
from darknet_py.images.io.files import SUFFIXES, find_pictures, read_list
from darknet_py.images.io.image import (
    check_name,
    load_image,
    load_info,
    picture_size,
    save_image,
    to_float,
    to_pixels,
)
from darknet_py.images.io.inputs import Given, decoding_threads, each_picture, name_of, to_image
from darknet_py.images.transform.augment import augment_image
from darknet_py.images.transform.color import (
    distort_image,
    hsv_to_rgb,
    rgb_to_hsv,
    to_channels,
    with_colors_of,
)
from darknet_py.images.transform.dream import (
    View,
    from_view,
    level_details,
    moments,
    to_view,
    total_variation,
    variation_delta,
)
from darknet_py.images.transform.fit import (
    FITS,
    MAX_STRETCH,
    Frame,
    center_crop_image,
    crop_image,
    fit_image,
    fitted_frame,
    letterbox_image,
    load_fitted,
    load_with_fitted,
)
from darknet_py.images.transform.geometry import flip_image, rotate_crop_image, rotate_image
from darknet_py.images.transform.resize import resize_image, resize_max, resize_min

if TYPE_CHECKING:
    from darknet_py.images.draw.canvas import save_drawing
    from darknet_py.images.draw.chart import Panel, Series, draw_chart
    from darknet_py.images.draw.confusion import confused_pairs, draw_confusion
    from darknet_py.images.draw.curves import smooth, top_without_spikes
    from darknet_py.images.draw.fonts import drawable_names
    from darknet_py.images.draw.sheet import draw_maps, draw_sheet

__all__ = [
    "DIGEST",
    "FITS",
    "LABELS",
    "MAX_PIXELS",
    "MAX_STRETCH",
    "PREPARED_FITS",
    "SUFFIXES",
    "BalancedOrder",
    "Batch",
    "Dataset",
    "Frame",
    "Given",
    "Loader",
    "Order",
    "Panel",
    "Refusal",
    "Series",
    "Turn",
    "View",
    "Views",
    "augment_image",
    "center_crop_image",
    "check_animation",
    "check_enough",
    "check_name",
    "color_map",
    "confused_pairs",
    "crop_image",
    "decoding_threads",
    "distort_image",
    "draw_chart",
    "draw_confusion",
    "draw_heat",
    "draw_maps",
    "draw_overlay",
    "draw_sheet",
    "drawable_names",
    "each_picture",
    "encode_jpeg",
    "encode_png",
    "file_digest",
    "file_digests",
    "find_lists",
    "find_pictures",
    "find_valid_list",
    "fit_image",
    "fitted_frame",
    "flip_image",
    "folder_names",
    "from_view",
    "has_folders",
    "has_numbers",
    "hsv_to_rgb",
    "in_threads",
    "is_prepared",
    "letterbox_image",
    "level_details",
    "load_fitted",
    "load_image",
    "load_info",
    "load_prepared",
    "load_with_fitted",
    "moments",
    "name_of",
    "names_beside",
    "order_of",
    "others",
    "overlap",
    "picture_size",
    "read_data_file",
    "read_data_part",
    "read_folder",
    "read_labelled",
    "read_list",
    "read_lists",
    "read_numbered",
    "read_whole_folder",
    "resize_image",
    "resize_max",
    "resize_min",
    "rgb_to_hsv",
    "rotate_crop_image",
    "rotate_image",
    "save_animation",
    "save_drawing",
    "save_image",
    "scan",
    "shown_size",
    "smooth",
    "spread_heat",
    "to_channels",
    "to_float",
    "to_image",
    "to_pixels",
    "to_view",
    "top_without_spikes",
    "total_variation",
    "variation_delta",
    "with_colors_of",
]

# Charts are drawn with letters, whose readers take their time; most commands draw none.
_CHARTS = {
    "canvas": ("save_drawing",),
    "chart": ("Panel", "Series", "draw_chart"),
    "confusion": ("confused_pairs", "draw_confusion"),
    "curves": ("smooth", "top_without_spikes"),
    "fonts": ("drawable_names",),
    "sheet": ("draw_maps", "draw_sheet"),
}


def __getattr__(name: str) -> Any:
    for module, names in _CHARTS.items():
        if name in names:
            return getattr(importlib.import_module(f"darknet_py.images.draw.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

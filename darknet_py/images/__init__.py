"""Pictures: files in and out, and the C program's operations on (h, w, c) float32 arrays."""

import importlib
from typing import TYPE_CHECKING, Any

from darknet_py.images.dataset.balance import BalancedOrder, order_of
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
from darknet_py.images.dataset.digests import DIGEST, file_digest, file_digests
from darknet_py.images.dataset.folder import has_folders, read_folder, read_whole_folder
from darknet_py.images.dataset.labels import LABELS
from darknet_py.images.dataset.listed import read_data_file, read_data_part, read_labelled
from darknet_py.images.dataset.loader import Batch, Loader
from darknet_py.images.dataset.order import Order, Turn
from darknet_py.images.dataset.overlaps import overlap
from darknet_py.images.dataset.prepared import PREPARED_FITS, is_prepared, load_prepared
from darknet_py.images.dataset.readable import check_enough, others
from darknet_py.images.dataset.unreadable import Refusal, scan
from darknet_py.images.dataset.views import Views
from darknet_py.images.draw.colormap import color_map
from darknet_py.images.draw.overlay import draw_heat, draw_overlay, shown_size
from darknet_py.images.draw.spread import spread_heat
from darknet_py.images.io.animation import check_animation, save_animation
from darknet_py.images.io.decode import MAX_PIXELS
from darknet_py.images.io.encode import encode_jpeg, encode_png
from darknet_py.images.io.files import SUFFIXES, find_pictures, read_list
from darknet_py.images.io.image import check_name, load_image, load_info, save_image, to_pixels
from darknet_py.images.io.inputs import Given, each_picture, name_of, to_image
from darknet_py.images.io.threads import in_threads
from darknet_py.images.transform.augment import augment_image
from darknet_py.images.transform.channels import to_channels
from darknet_py.images.transform.color import distort_image, hsv_to_rgb, rgb_to_hsv
from darknet_py.images.transform.crop import center_crop_image, crop_image
from darknet_py.images.transform.fit import (
    FITS,
    MAX_STRETCH,
    Frame,
    fit_image,
    fitted_frame,
    load_fitted,
    load_with_fitted,
)
from darknet_py.images.transform.flip import flip_image
from darknet_py.images.transform.jitter import View, from_view, moments, to_view
from darknet_py.images.transform.letterbox import letterbox_image
from darknet_py.images.transform.luma import with_colors_of
from darknet_py.images.transform.pyramid import level_details
from darknet_py.images.transform.resize import resize_image, resize_max, resize_min
from darknet_py.images.transform.rotate import rotate_crop_image, rotate_image
from darknet_py.images.transform.total_variation import total_variation, variation_delta

if TYPE_CHECKING:
    from darknet_py.images.draw.canvas import save_drawing
    from darknet_py.images.draw.chart import Panel, Series, draw_chart
    from darknet_py.images.draw.confused import confused_pairs
    from darknet_py.images.draw.confusion import draw_confusion
    from darknet_py.images.draw.curves import smooth, top_without_spikes
    from darknet_py.images.draw.fonts import drawable_names
    from darknet_py.images.draw.maps import draw_maps
    from darknet_py.images.draw.sheet import draw_sheet

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
    "Panel": "draw.chart",
    "Series": "draw.chart",
    "confused_pairs": "draw.confused",
    "draw_chart": "draw.chart",
    "draw_confusion": "draw.confusion",
    "draw_maps": "draw.maps",
    "draw_sheet": "draw.sheet",
    "drawable_names": "draw.fonts",
    "save_drawing": "draw.canvas",
    "smooth": "draw.curves",
    "top_without_spikes": "draw.curves",
}


def __getattr__(name: str) -> Any:
    if name not in _CHARTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"darknet_py.images.{_CHARTS[name]}"), name)

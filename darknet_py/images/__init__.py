"""Pictures: files in and out, and the C program's operations on (h, w, c) float32 arrays."""

import importlib
from typing import TYPE_CHECKING, Any

from darknet_py.images.animation import check_animation, save_animation
from darknet_py.images.augment import augment_image
from darknet_py.images.balance import BalancedOrder, order_of
from darknet_py.images.caffe import (
    find_lists,
    find_valid_list,
    folder_names,
    has_numbers,
    names_beside,
    read_lists,
    read_numbered,
)
from darknet_py.images.channels import to_channels
from darknet_py.images.color import distort_image, hsv_to_rgb, rgb_to_hsv
from darknet_py.images.crop import center_crop_image, crop_image
from darknet_py.images.dataset import Dataset
from darknet_py.images.decode import MAX_PIXELS
from darknet_py.images.digests import DIGEST, file_digest, file_digests
from darknet_py.images.encode import encode_jpeg, encode_png
from darknet_py.images.files import SUFFIXES, find_pictures, read_list
from darknet_py.images.fit import (
    FITS,
    MAX_STRETCH,
    Frame,
    fit_image,
    fitted_frame,
    load_fitted,
    load_with_fitted,
)
from darknet_py.images.flip import flip_image
from darknet_py.images.folder import has_folders, read_folder, read_whole_folder
from darknet_py.images.given import Given, each_picture, name_of, to_image
from darknet_py.images.heat.colormap import color_map
from darknet_py.images.heat.overlay import draw_heat, draw_overlay, shown_size
from darknet_py.images.heat.spread import spread_heat
from darknet_py.images.image import check_name, load_image, load_info, save_image, to_pixels
from darknet_py.images.labels import LABELS
from darknet_py.images.letterbox import letterbox_image
from darknet_py.images.listed import read_data_file, read_data_part, read_labelled
from darknet_py.images.loader import Batch, Loader
from darknet_py.images.luma import with_colors_of
from darknet_py.images.order import Order, Turn
from darknet_py.images.overlaps import overlap
from darknet_py.images.prepared import PREPARED_FITS, is_prepared, load_prepared
from darknet_py.images.pyramid import level_details
from darknet_py.images.readable import check_enough, others
from darknet_py.images.refusals import Refusal, scan
from darknet_py.images.resize import resize_image, resize_max, resize_min
from darknet_py.images.rotate import rotate_crop_image, rotate_image
from darknet_py.images.threads import in_threads
from darknet_py.images.variation import total_variation, variation_delta
from darknet_py.images.view import View, from_view, moments, to_view
from darknet_py.images.views import Views

if TYPE_CHECKING:
    from darknet_py.images.charts.canvas import save_drawing
    from darknet_py.images.charts.chart import Panel, Series, draw_chart
    from darknet_py.images.charts.confused import confused_pairs
    from darknet_py.images.charts.confusion import draw_confusion
    from darknet_py.images.charts.curves import smooth, top_without_spikes
    from darknet_py.images.charts.fonts import drawable_names
    from darknet_py.images.charts.sheet import draw_sheet
    from darknet_py.images.heat.maps import draw_maps

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
    "Panel": "charts.chart",
    "Series": "charts.chart",
    "confused_pairs": "charts.confused",
    "draw_chart": "charts.chart",
    "draw_confusion": "charts.confusion",
    "draw_maps": "heat.maps",
    "draw_sheet": "charts.sheet",
    "drawable_names": "charts.fonts",
    "save_drawing": "charts.canvas",
    "smooth": "charts.curves",
    "top_without_spikes": "charts.curves",
}


def __getattr__(name: str) -> Any:
    if name not in _CHARTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"darknet_py.images.{_CHARTS[name]}"), name)

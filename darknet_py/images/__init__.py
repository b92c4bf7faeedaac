"""Pictures: files in and out, and the C program's operations on (h, w, c) float32 arrays.

Charts and sheets are imported from images.draw: most commands draw none.
"""

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
    Frame,
    center_crop_image,
    crop_image,
    fit_image,
    fitted_frame,
    letterbox_image,
    load_with_fitted,
)
from darknet_py.images.transform.geometry import flip_image, rotate_image
from darknet_py.images.transform.resize import resize_image, resize_max, resize_min

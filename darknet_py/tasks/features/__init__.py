"""What the front of a network says of pictures, computed once and kept."""

from darknet_py.tasks.features.cache import Cached, cached_features
from darknet_py.tasks.features.front import Front
from darknet_py.tasks.features.source import FeatureSource, predictions_of

__all__ = ["Cached", "FeatureSource", "Front", "cached_features", "predictions_of"]

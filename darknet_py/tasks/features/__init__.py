"""What the backbone of a network says of pictures, computed once and kept."""

from darknet_py.tasks.features.backbone import Backbone
from darknet_py.tasks.features.cache import Cached, FeatureSource, cached_features, predictions_of

__all__ = ["Backbone", "Cached", "FeatureSource", "cached_features", "predictions_of"]

"""Pictures changed: (h, w, c) float32 arrays in and out."""

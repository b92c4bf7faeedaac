"""A neural-network toolkit that mirrors pjreddie's darknet, on numpy and cupy arrays."""

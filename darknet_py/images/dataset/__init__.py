"""Sets of pictures with their classes, and batches of them."""

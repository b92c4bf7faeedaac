"""Files of pictures: found, decoded, encoded."""

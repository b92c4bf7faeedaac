"""Heat maps: numbers of places made colours, and laid over pictures."""

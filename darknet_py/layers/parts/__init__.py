"""What several layers are made of. Parts know no sections and are no layers themselves."""

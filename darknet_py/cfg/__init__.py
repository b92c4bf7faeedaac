"""Text in: cfg files to sections, .data files, names and lists."""

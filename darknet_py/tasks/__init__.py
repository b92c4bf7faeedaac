"""What the commands do, without click and without printing: they take, compute and yield."""

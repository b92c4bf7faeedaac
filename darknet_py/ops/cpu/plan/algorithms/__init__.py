"""The ways to compute a convolution, a file for each: see convolution.py, which picks one."""

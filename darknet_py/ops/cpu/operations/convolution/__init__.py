"""Convolutions, a file for each algorithm: see convolution.py, which picks one."""

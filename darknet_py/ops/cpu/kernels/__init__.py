"""Kernels on maps (n, h, w, c): see native/kernel.py for what a kernel is."""

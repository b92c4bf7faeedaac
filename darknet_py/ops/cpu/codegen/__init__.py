"""Kernels that are machine code: written in Python, compiled once, kept on disk."""

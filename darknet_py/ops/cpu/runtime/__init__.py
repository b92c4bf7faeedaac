"""What runs a table of kernels: threads, barriers, the interpreter, the engine."""

"""From a graph to a program: see lower.py, which names the passes in their order."""

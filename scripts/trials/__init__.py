"""The parts of scripts/torture: the frame, main.py, and a module for each kind of trial."""

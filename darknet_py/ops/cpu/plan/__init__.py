"""From a recording to a program: see program.py."""

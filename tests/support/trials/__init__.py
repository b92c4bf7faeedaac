"""Kinds of trials with which the frame of scripts/torture is tested."""

"""Weights as files: the format (without torch), reading and writing tensors, and the shipped weights."""

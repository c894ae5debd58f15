"""Weights as files: the format (without torch), tensors in and out of it, and what ships."""

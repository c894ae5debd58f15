"""Bytes on disk and text on a terminal: the ground. Nothing here knows a puzzle or torch."""

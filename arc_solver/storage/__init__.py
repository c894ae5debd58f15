"""Bytes on disk and text on a terminal, the lowest layer. Nothing here knows puzzles or torch."""

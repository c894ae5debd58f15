"""ARC-like tasks of our own, drawn from many small rules; a task is a pure function of seed and number."""

"""Our own ARC-like tasks, drawn from many small rules; a task is a pure function of seed and number."""

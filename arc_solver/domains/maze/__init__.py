"""Rules, shortest paths and generator of mazes."""

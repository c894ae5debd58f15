"""Rules, solver, rating and generator of Sudokus."""

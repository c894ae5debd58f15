"""What ARC, Sudoku and Maze each say of themselves: the only place that tells them apart. No torch."""

"""Where tasks and puzzles come from when they are not given as a file of tasks."""

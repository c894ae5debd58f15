"""Pages and pictures of tasks, answers and training runs. No torch."""

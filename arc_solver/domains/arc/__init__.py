"""What is true of ARC alone."""

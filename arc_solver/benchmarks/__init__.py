"""What `arc-solve bench` measures."""

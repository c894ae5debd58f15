"""What the machine offers: devices and memory. No puzzle, no model."""

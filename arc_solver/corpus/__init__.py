"""What a training run is fed, and the manifest of what it opened. No torch."""

"""The recursive networks, in torch. No puzzle is known here by name."""

"""The recursive networks, in torch. Nothing here knows a puzzle by name."""

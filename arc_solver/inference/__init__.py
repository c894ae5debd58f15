"""From weights to votes: adaptation, halting, elections. Files are written elsewhere."""

"""From weights to votes: adaptation, halting, elections. It writes no answers to files."""

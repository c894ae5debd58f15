"""ARC tasks as values and as files, by name, and the rows their views take. No torch, no votes."""

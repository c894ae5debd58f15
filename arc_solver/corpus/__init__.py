"""The training data of a run, and the manifest of the files opened for it. No torch."""

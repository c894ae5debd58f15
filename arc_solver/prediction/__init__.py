"""The service around inference: a parent process without torch, its workers, and the output files."""

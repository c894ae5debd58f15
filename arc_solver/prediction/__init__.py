"""The service around inference: a parent without torch, its workers, and the files they fill."""

"""Batches, slots, loss, optimizers, run checkpoints, the loop."""

"""Published checkpoints of others. The only place that opens a `.pt`, in a process of its own."""

"""Published foreign checkpoints. The only place that opens a `.pt`, in a process of its own."""

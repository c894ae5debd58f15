"""Views of grids and boards, painted into token batches by compiled kernels; numpy and numba, never torch."""

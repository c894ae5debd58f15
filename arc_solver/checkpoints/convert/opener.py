"""The child that opens a foreign file: run as a script, imports nothing of ours, prints one JSON object."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file


def open_foreign(source: Path, plain: Path, max_bytes: int) -> str | None:
    """Save the state dict in `source` as safetensors; the reason when that cannot be."""
    try:
        # A memory map needs the archive format; older files are read whole.
        state = torch.load(
            source, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(source) or None
        )
    except Exception as error:  # noqa: BLE001 - a hostile file can make the reader fail in any way
        if type(error).__name__ == "UnpicklingError":
            return "holds more than tensors, or is no torch file; only plain state dicts are opened"
        return f"not a torch file that can be read ({type(error).__name__})"
    if not isinstance(state, dict) or not state:
        return "not a state dict (names and tensors)"
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            return f"entry {ascii(name)[:80]} is {type(value).__name__}, expected names and tensors only"
        if value.layout != torch.strided or value.is_quantized or value.device.type != "cpu":
            return f"tensor {ascii(name)[:80]} is not a plain dense one"
    total = sum(t.numel() * t.element_size() for t in state.values())
    if total > max_bytes:
        return f"tensors of {total} bytes, over the limit of {max_bytes}"
    seen: set[int] = set()
    tensors = {}
    for name, tensor in state.items():
        storage = tensor.untyped_storage().data_ptr()
        tensors[name] = tensor.detach().clone() if storage in seen else tensor.detach().contiguous()
        seen.add(storage)
    save_file(tensors, str(plain))
    return None


if __name__ == "__main__":
    reason = open_foreign(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps({"error": reason}))

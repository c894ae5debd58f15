"""The child process that opens a foreign file: a script that imports nothing of ours, prints one JSON object.

It ends with its parent, at the end of its standard input. Its memory is limited to a few times the file.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

# Prefixes that compilers, distributed trainers and the published classes put before a name.
WRAPPED = re.compile(r"(?:(?:_orig_mod|module|model|inner)\.)+")
# Keys under which trainers save a state dict; of several the last counts: the average over the weights.
KEPT_UNDER = ("model", "state_dict", "model_state_dict", "shadow")
MAX_WRAPPINGS = 4
MAX_PICKLE_BYTES = 16 << 20  # it holds names and shapes; the published ones are under 100 kB
SPARE_BYTES = 256 << 20
COPIES = 4  # of a file in memory: mapped, made contiguous, serialized, joined


def plain_name(name: str) -> str:
    """A tensor's name without the prefixes of wrappers."""
    return WRAPPED.sub("", name, count=1) if WRAPPED.match(name) else name


def open_foreign(source: Path, plain: Path, max_bytes: int) -> str | None:
    """Save the state dict in `source` as safetensors under plain names; returns the reason if it cannot."""
    from safetensors.torch import save

    size = source.stat().st_size
    found = _loaded(source, size)
    if isinstance(found, str):
        return found
    state = _unwrapped(found)
    if isinstance(state, str):
        return state
    if reason := _fault(state, min(max_bytes, 2 * size)):
        return reason
    seen: set[int] = set()
    tensors = {}
    for name, tensor in state.items():
        storage = tensor.untyped_storage().data_ptr()
        tensors[name] = tensor.detach().clone() if storage in seen else tensor.detach().contiguous()
        seen.add(storage)
    try:
        data = save(tensors)
    except Exception as error:  # noqa: BLE001 - tensor types that the format lacks can fail in any way
        return f"its tensors are of a kind that cannot be kept ({type(error).__name__})"
    try:
        with plain.open("wb") as file:
            file.write(data)
    except OSError as error:
        return f"{len(data):,} bytes cannot be put aside while it is read: {error.strerror or error}"
    return None


def _loaded(source: Path, size: int) -> Any:
    """What the file holds, or the reason why it is not opened."""
    import torch

    if _is_safetensors(source):
        return _safetensors(source)
    try:
        is_archive = zipfile.is_zipfile(source)
        if is_archive and (reason := _expands(source, size)):
            return reason
        # Memory mapping needs the archive format; older files are read whole.
        return torch.load(source, map_location="cpu", weights_only=True, mmap=is_archive or None)
    except Exception as error:  # noqa: BLE001 - a hostile file can make the reader fail in any way
        if isinstance(error, MemoryError) or "allocate memory" in str(error):
            return f"asks for far more memory than its {size:,} bytes; is it a checkpoint?"
        if type(error).__name__ == "UnpicklingError":
            return "holds more than tensors, or is not a torch file; only plain state dicts are opened"
        return f"not a torch file that can be read ({type(error).__name__})"


def _is_safetensors(source: Path) -> bool:
    with source.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _safetensors(source: Path) -> Any:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(source, "pt") as file:
            if "arc_solver" in (file.metadata() or {}):
                return "is a checkpoint of arc-solve already; nothing is to be converted"
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, ValueError) as error:
        return f"not a safetensors file that can be read ({type(error).__name__})"


def _expands(source: Path, size: int) -> str | None:
    """Why an archive is refused before it is opened: torch stores its entries uncompressed, each once."""
    with zipfile.ZipFile(source) as archive:
        entries = archive.infolist()
    if any(e.compress_type != zipfile.ZIP_STORED or e.file_size != e.compress_size for e in entries):
        return "its archive is compressed, which torch.save never does; save the state dict again"
    total = sum(entry.file_size for entry in entries)
    if total > size:
        return f"its archive of {size:,} bytes claims {total:,} bytes of content"
    if any(e.filename.endswith(".pkl") and e.file_size > MAX_PICKLE_BYTES for e in entries):
        return "holds more than tensors; only plain state dicts are opened"
    return None


def _unwrapped(found: Any, depth: int = 0) -> Any:
    """The state dict under plain names, whatever key it is saved under, or the reason why there is none."""
    if not isinstance(found, dict) or not found:
        return "not a state dict (names and tensors)"
    kept = [found[name] for name in KEPT_UNDER if isinstance(found.get(name), dict)]
    if kept and depth < MAX_WRAPPINGS:
        joined: dict[Any, Any] = {}
        for each in kept:
            state = _unwrapped(each, depth + 1)
            if isinstance(state, str):
                return state
            joined |= state
        return joined
    plain = {plain_name(name) if isinstance(name, str) else name: value for name, value in found.items()}
    if len(plain) < len(found):
        return "two of its names differ in their wrappers alone"
    return plain


def _fault(state: dict[Any, Any], max_bytes: int) -> str | None:
    """Why a state dict is refused: it holds other values, or tensors larger than the file."""
    import torch

    total = 0
    for name, value in state.items():
        shown = ascii(name)[:80]
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            return f"entry {shown} is {type(value).__name__}, expected names and tensors only"
        if value.layout != torch.strided or value.is_quantized or value.device.type != "cpu":
            return f"tensor {shown} is not a plain dense one"
        total += value.numel() * value.element_size()
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            return f"tensor {shown} of shape {tuple(value.shape)} is larger than what is stored of it"
    if total > max_bytes:
        return f"tensors of {total:,} bytes, over the limit of {max_bytes:,}"
    return None


def _end_with_parent() -> None:
    """End this process when its standard input ends, whose other end the parent holds."""

    def wait() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _limit_memory(size: int) -> None:
    """Limit this process to a few times `size` beyond its present memory, if the system can."""
    import torch

    torch.set_num_threads(1)  # every thread has a stack and an arena
    with contextlib.suppress(OSError, ValueError, StopIteration):
        status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        taken = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmData:"))
        limit = taken + COPIES * size + SPARE_BYTES
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def main(source: str, plain: str, max_bytes: str) -> None:
    """Open a file for the parent process."""
    _end_with_parent()
    _limit_memory(Path(source).stat().st_size)
    try:
        reason = open_foreign(Path(source), Path(plain), int(max_bytes))
    except MemoryError:
        reason = "asks for far more memory than its size; is it a checkpoint?"
    print(json.dumps({"error": reason}))


if __name__ == "__main__":
    main(*sys.argv[1:])

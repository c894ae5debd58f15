"""Which GPUs and cores a run may use, found out without loading torch."""

from __future__ import annotations

import os
import re
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
DEVICES = Path("/dev")
CONTROL, GPU_NAME = "nvidiactl", re.compile("nvidia[0-9]+")


def visible_gpus() -> list[str]:
    """What to put into CUDA_VISIBLE_DEVICES to get each NVIDIA GPU alone; empty where there is none.

    Told by the driver's device files, which are read at once: `nvidia-smi` hangs where a GPU does.
    """
    allowed = os.environ.get(VISIBLE)
    if allowed is not None:
        names = [name.strip() for name in allowed.split(",")]
        # CUDA takes the names up to the first that is none.
        end = next((i for i, name in enumerate(names) if not name or name == "-1"), len(names))
        return names[:end]
    names = [path.name for path in DEVICES.iterdir()] if (DEVICES / CONTROL).exists() else []
    return [str(i) for i in range(sum(1 for name in names if GPU_NAME.fullmatch(name)))]


def usable_cores() -> int:
    """Cores that this process may use; those of the machine where the system does not tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_environments(device: str, num_workers: int | None, threads: int | None) -> list[dict[str, str]]:
    """The environment of each worker: one per GPU, or one on another device, unless a number is given.

    Several workers on one machine share its cores; `threads` is per worker.
    """
    gpus = visible_gpus() if device in ("auto", "cuda") else []
    num = num_workers or max(1, len(gpus))
    if threads is None and num > 1:
        threads = max(1, usable_cores() // num)
    shared = {} if threads is None else {"OMP_NUM_THREADS": str(threads), "NUMBA_NUM_THREADS": str(threads)}
    return [shared | ({VISIBLE: gpus[i % len(gpus)]} if gpus else {}) for i in range(num)]

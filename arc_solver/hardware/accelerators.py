"""Which GPUs and cores a run may use, determined without loading torch."""

from __future__ import annotations

import os
import re
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
DEVICES = Path("/dev")
CONTROL, GPU_NAME = "nvidiactl", re.compile("nvidia[0-9]+")
DEVICE_NAME = re.compile("auto|cpu|cuda(:[0-9]{1,2})?|mps")


class DeviceError(ValueError):
    """The device asked for is not available."""

    exit_code = 2


def check_device_name(name: str) -> None:
    """DeviceError for what is no name of a device, available or not."""
    if not DEVICE_NAME.fullmatch(name):
        raise DeviceError(f"--device {name}: not a device; use auto, cpu, cuda, cuda:N or mps")


def visible_gpus() -> list[str]:
    """The value of CUDA_VISIBLE_DEVICES for each NVIDIA GPU; empty if there is none.

    Read off the driver's device files, which never blocks: `nvidia-smi` hangs if a GPU does.
    """
    allowed = os.environ.get(VISIBLE)
    if allowed is not None:
        names = [name.strip() for name in allowed.split(",")]
        # CUDA takes the names up to the first invalid one.
        end = next((i for i, name in enumerate(names) if not name or name == "-1"), len(names))
        return names[:end]
    names = [path.name for path in DEVICES.iterdir()] if (DEVICES / CONTROL).exists() else []
    return [str(i) for i in range(sum(1 for name in names if GPU_NAME.fullmatch(name)))]


def usable_cores() -> int:
    """Cores that this process may use; those of the machine if the system does not say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_environments(device: str, num_workers: int | None, threads: int | None) -> list[dict[str, str]]:
    """The environment of each worker: one worker per GPU, or one on another device, unless a number is given.

    Without `threads`, which is per worker, several workers share the cores of the machine.
    """
    gpus = visible_gpus() if device in ("auto", "cuda") else []
    num = num_workers or max(1, len(gpus))
    if threads is None and num > 1:
        threads = max(1, usable_cores() // num)
    shared = {} if threads is None else {"OMP_NUM_THREADS": str(threads), "NUMBA_NUM_THREADS": str(threads)}
    return [shared | ({VISIBLE: gpus[i % len(gpus)]} if gpus else {}) for i in range(num)]

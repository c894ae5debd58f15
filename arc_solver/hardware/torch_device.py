"""Which device to compute on, and how many threads."""

from __future__ import annotations

import torch

# Numbers in a row of the matrices from which on it pays to round their factors.
LEAST_ROUNDED_WIDTH = 96


class DeviceError(ValueError):
    """The device that was asked for is not there."""

    exit_code = 2


def choose_device(name: str) -> torch.device:
    """The device of a name; "auto" takes CUDA, then MPS, then the CPU. DeviceError when it is not there."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(f"--device {name}: not a device; use auto, cpu, cuda, cuda:N or mps") from None
    usable = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if not usable.get(device.type):
        raise DeviceError(f"--device {name}: this machine has none that torch can use")
    return device


def compute_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The type of activations: what is asked for, or with "auto" bfloat16 where the GPU has units for it.

    Weights, optimizers and losses are float32 in any case.
    """
    if precision not in ("auto", "products"):
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
    native = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float32


def rounded_factors(precision: str, device: torch.device, width: int) -> bool:
    """Whether products on a CPU round their factors to bfloat16: with "products", where it has AMX tiles.

    They are summed in float32, which everything else stays. Without such units it would only be slower, and
    so it is for matrices of a small `width`.
    """
    if precision != "products" or device.type != "cpu" or width < LEAST_ROUNDED_WIDTH:
        return False
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))

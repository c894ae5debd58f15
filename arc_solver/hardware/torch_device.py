"""Which device to compute on, and how many threads."""

from __future__ import annotations

import torch

from arc_solver.hardware.accelerators import DeviceError, check_device_name

# The width of matrices from which rounding their factors pays.
MIN_ROUNDED_WIDTH = 96


def choose_device(name: str) -> torch.device:
    """The device of a name; "auto" is CUDA, else MPS, else the CPU. DeviceError if it is not available."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    check_device_name(name)
    device = torch.device(name)
    usable = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if not usable.get(device.type):
        raise DeviceError(f"--device {name}: this machine has none that torch can use")
    return device


def compute_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The type of activations; "auto" is bfloat16 on GPUs with native support, else float32.

    Weights, optimizers and losses are always float32.
    """
    if precision not in ("auto", "products"):
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
    native = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float32


def rounded_factors(precision: str, device: torch.device, width: int) -> bool:
    """Whether matrix products on a CPU round their factors to bfloat16: with "products", on CPUs with AMX.

    Sums and everything else stay float32. Without AMX, or for matrices of small `width`, it is only slower.
    """
    if precision != "products" or device.type != "cpu" or width < MIN_ROUNDED_WIDTH:
        return False
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))

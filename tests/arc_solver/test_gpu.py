"""Training and answering on a CUDA device; a CPU runs the same checks, as far as it can, all the time."""

from typing import Any

import pytest
import torch

from tests.arc_solver import gpu_checks

CPU = torch.device("cpu")
cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def test_bfloat16_on_a_cpu() -> None:
    gpu_checks.bfloat16_follows_float32(CPU)


def test_resuming_on_a_cpu() -> None:
    gpu_checks.resuming_goes_on(CPU, tolerance=0)


def test_lack_of_memory_on_a_cpu() -> None:
    gpu_checks.lack_of_memory_halves_the_rows(CPU)


def test_muon_in_bfloat16_on_a_cpu() -> None:
    gpu_checks.muon_survives_bfloat16(CPU, torch.bfloat16)


def test_traced_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of compiling but the making of code, which takes a minute and a C++ compiler."""
    compile_ = torch.compile

    def traced(model: Any, **options: Any) -> Any:
        return compile_(model, backend="eager", **options)

    monkeypatch.setattr(torch, "compile", traced)
    gpu_checks.compiling_changes_nothing(CPU)


@pytest.mark.slow
def test_compiled_on_a_cpu() -> None:
    gpu_checks.compiling_changes_nothing(CPU)


@cuda
@pytest.mark.gpu
def test_bfloat16_on_a_gpu() -> None:
    gpu_checks.bfloat16_follows_float32(torch.device("cuda"))


@cuda
@pytest.mark.gpu
def test_compiled_on_a_gpu() -> None:
    gpu_checks.compiling_changes_nothing(torch.device("cuda"), wish="auto")


@cuda
@pytest.mark.gpu
def test_resuming_on_a_gpu() -> None:
    gpu_checks.resuming_goes_on(torch.device("cuda"), tolerance=1e-3)


@cuda
@pytest.mark.gpu
def test_lack_of_memory_on_a_gpu() -> None:
    gpu_checks.lack_of_memory_halves_the_rows(torch.device("cuda"))


@cuda
@pytest.mark.gpu
def test_muon_in_bfloat16_on_a_gpu() -> None:
    gpu_checks.muon_survives_bfloat16(torch.device("cuda"), torch.float32)

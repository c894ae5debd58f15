"""Training and answering on a CUDA device; a CPU runs the same checks, as far as it can, all the time."""

import pytest
import torch

from tests.arc_solver import gpu_checks

CPU = torch.device("cpu")
# Tracing looks at the gradient of every input; without pytest nobody hears of it.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),
]
cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def test_bfloat16_on_a_cpu() -> None:
    gpu_checks.bfloat16_follows_float32(CPU)


def test_resuming_on_a_cpu() -> None:
    gpu_checks.resuming_goes_on(CPU, tolerance=0)


def test_lack_of_memory_on_a_cpu() -> None:
    gpu_checks.lack_of_memory_halves_the_rows(CPU)


def test_muon_in_bfloat16_on_a_cpu() -> None:
    gpu_checks.muon_survives_bfloat16(CPU, torch.bfloat16)


@pytest.mark.parametrize("wish", ["on", "blocks"])
def test_traced_on_a_cpu(wish: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of compiling but the making of code, which takes a minute and a C++ compiler."""
    trace(monkeypatch)
    gpu_checks.compiling_changes_nothing(CPU, wish)


def test_answering_traced_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    trace(monkeypatch)
    gpu_checks.answering_compiled_changes_nothing(CPU)


def trace(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_ = torch.compile
    monkeypatch.setattr(torch, "compile", lambda part, **options: compile_(part, backend="eager", **options))


def test_blocks_that_cannot_be_compiled_run_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = gpu_checks.steps(gpu_checks.state_of(CPU, compile="off"), 0, 2)
    compile_ = torch.compile

    def broken(graph: object, _: object) -> None:
        raise RuntimeError("no compiler here")

    monkeypatch.setattr(torch, "compile", lambda model, **options: compile_(model, backend=broken, **options))
    torch._dynamo.reset()
    with pytest.warns(UserWarning, match="going on without it"):
        assert gpu_checks.steps(gpu_checks.state_of(CPU, compile="blocks"), 0, 2) == plain


@pytest.mark.slow
@pytest.mark.parametrize("wish", ["on", "blocks"])
def test_compiled_on_a_cpu(wish: str) -> None:
    gpu_checks.compiling_changes_nothing(CPU, wish)


@pytest.mark.slow
def test_answering_compiled_on_a_cpu() -> None:
    gpu_checks.answering_compiled_changes_nothing(CPU)


@cuda
@pytest.mark.gpu
def test_answering_compiled_on_a_gpu() -> None:
    gpu_checks.answering_compiled_changes_nothing(torch.device("cuda"))


@cuda
@pytest.mark.gpu
def test_bfloat16_on_a_gpu() -> None:
    gpu_checks.bfloat16_follows_float32(torch.device("cuda"))


@cuda
@pytest.mark.gpu
@pytest.mark.parametrize("wish", ["auto", "on", "graphs"])
def test_compiled_on_a_gpu(wish: str) -> None:
    gpu_checks.compiling_changes_nothing(torch.device("cuda"), wish)


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

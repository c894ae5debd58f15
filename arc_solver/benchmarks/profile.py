"""The speed of a training step of the real recipes on this machine's device, and where its time goes.

Uses random boards and tasks of real sizes: the time of a step does not depend on their content.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch._C._autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from arc_solver.benchmarks.figures import figure
from arc_solver.checkpoints.weights import build_model
from arc_solver.config import Preset
from arc_solver.domains.arc.examples import ArcTraining
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.protocols import TrainingData
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.hardware.torch_device import choose_device
from arc_solver.model.flops import step_flops
from arc_solver.presets import find_preset
from arc_solver.settings import apply_settings
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Pair, Task
from arc_solver.training.state import TrainState
from arc_solver.training.step import train_step
from arc_solver.training.warm_up import warm_up

CASES = ("sudoku-mlp", "sudoku-att", "arc1")
# To run the same code on any machine; the figures mean nothing.
TINY = (
    *("width=16", "num_heads=2", "rounding=8", "cycles=2", "latent_steps=1", "prefix_length=2"),
    *("batch_size=6", "compile=off"),
)
# Cells of a canvas -> how many tasks of ARC-1 and ConceptARC, which `arc1` trains on, have it.
ARC_TASKS = {49: 65, 121: 230, 256: 270, 441: 205, 676: 85, 900: 105}
NUM_BOARDS, NUM_TASKS, NUM_VIEWS = 64, 48, 4
STEPS, QUICK_STEPS, PROFILED_STEPS, COSTS = 20, 2, 2, 3
MATRIX_SIDE, QUICK_MATRIX_SIDE = 8192, 256


def measure_profile(section: str, quick: bool) -> Iterator[dict[str, Any]]:
    """`profile-blocks`, compiled as in training, or `profile`, which records CUDA graphs where it can.

    For each recipe: seconds and FLOP/s of a step, its share of torch.mm, memory, the largest costs.
    """
    device = choose_device("auto")
    usual = "graphs" if device.type == "cuda" else "auto"
    settings = [
        f"train.compile={'blocks' if section == 'profile-blocks' else usual}",
        *(TINY if quick else ()),
    ]
    for name in CASES:
        recipe = apply_settings(find_preset(name), [f"num_views={NUM_VIEWS}", *settings])
        for each in profiled(recipe, device, quick):
            yield each | {"name": f"{section}.{name}.{each['name']}"}


def profiled(recipe: Preset, device: torch.device, quick: bool) -> Iterator[dict[str, Any]]:
    """The figures of one recipe."""
    data, num_rows = material(recipe, smallest_only=quick)
    state = TrainState(build_model(recipe, num_rows), data, recipe.train, device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    started = time.perf_counter()
    warm_up(state, recipe.train)
    timed_step(state, recipe, 0)
    yield figure("first_step_s", [time.perf_counter() - started], "s")
    timed_step(state, recipe, 1)
    taken = [timed_step(state, recipe, 2 + number) for number in range(QUICK_STEPS if quick else STEPS)]
    yield figure("step_s", taken, "s")
    rows = {
        height * width: slots
        for (height, width), slots in zip(data.canvases, state.batches.global_slots, strict=True)
    }
    work = step_flops(recipe.model, rows, ages=recipe.train.gradient_ages)
    ceiling = matrix_rate(state.model.compute_dtype, device, QUICK_MATRIX_SIDE if quick else MATRIX_SIDE)
    yield figure("tflop_per_s", [work / each / 1e12 for each in taken], "TFLOP/s")
    yield figure("matmul_fraction", [work / each / ceiling for each in taken], "of torch.mm")
    yield figure("torch_mm", [ceiling / 1e12], "TFLOP/s")
    if device.type == "cuda":
        yield figure("memory", [torch.cuda.max_memory_allocated(device) / 1e9], "GB")
    yield from largest_costs(state, recipe)


def timed_step(state: TrainState, recipe: Preset, number: int) -> float:
    """The seconds of one training step, with its batch already on the device."""
    batches = [batch.to(state.batches.device) for batch in state.batches.paint(number)]
    wait_for(state.batches.device)
    started = time.perf_counter()
    train_step(state, batches, recipe.train, 1.0)
    wait_for(state.batches.device)
    return time.perf_counter() - started


def largest_costs(state: TrainState, recipe: Preset) -> list[dict[str, Any]]:
    """The kernels (on a CPU: operators) that take the most time, as shares of the total."""
    on_gpu = state.batches.device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=activities) as watched:
        for number in range(PROFILED_STEPS):
            timed_step(state, recipe, 1000 + number)
    wanted = DeviceType.CUDA if on_gpu else DeviceType.CPU
    costs = {
        each.key: each.self_device_time_total if on_gpu else each.self_cpu_time_total
        for each in watched.key_averages()
        if each.device_type == wanted
    }
    total = sum(costs.values())
    largest = sorted(costs, key=lambda key: -costs[key])[:COSTS]
    return [
        figure(f"cost_{place}", [costs[key] / total], f"of the time: {key[:60]}")
        for place, key in enumerate(largest, start=1)
    ]


def matrix_rate(dtype: torch.dtype, device: torch.device, side: int, runs: int = 10) -> float:
    """Operations per second of torch.mm on two random square matrices."""
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    torch.mm(a, b)
    times = []
    for _ in range(runs):
        wait_for(device)
        started = time.perf_counter()
        torch.mm(a, b)
        wait_for(device)
        times.append(time.perf_counter() - started)
    return 2 * side**3 / statistics.median(times)


def wait_for(device: torch.device) -> None:
    """Wait until a GPU has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def material(recipe: Preset, *, smallest_only: bool = False) -> tuple[TrainingData, int]:
    """Random examples of real sizes, and the number of rows of the embedding table."""
    rng = np.random.default_rng(0)
    train = recipe.train
    if train.domain == SUDOKU.name:
        questions = rng.integers(0, 10, (NUM_BOARDS, 81)).astype(np.uint8)
        answers = rng.integers(1, 10, (NUM_BOARDS, 81)).astype(np.uint8)
        return SUDOKU.training(BoardSet.unrated(SUDOKU.name, questions, answers), recipe)[0], 1
    cells = sorted(ARC_TASKS)[:2] if smallest_only else list(ARC_TASKS)
    tasks = []
    for each in cells:
        # A canvas has room for an edge beside the grid, except the largest one.
        side = round(each**0.5)
        side = side if side == 30 else side - 1
        for number in range(max(1, round(NUM_TASKS * ARC_TASKS[each] / sum(ARC_TASKS.values())))):
            grids = (rng.integers(0, 10, (side, side)).astype(np.uint8) for _ in range(3))
            tasks.append(
                Task(f"{side}-{number}", (Pair(next(grids), next(grids)),), (Pair(next(grids), None),))
            )
    puzzles = PuzzleMap.build(tasks, recipe.model.embedding, train.num_views, train.seed)
    return ArcTraining(tasks, puzzles, train), max(1, puzzles.num_rows)

"""The batch of every step: a pure function of (seed, step), painted one step ahead in a thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from arc_solver.config import ConfigError, TrainConfig
from arc_solver.domains.protocols import HintedData, TrainingData
from arc_solver.training.hints import HintTensors
from arc_solver.training.slots import Batch

MIN_EXPLORED_AGE = 2


def slots_of(data: TrainingData, config: TrainConfig) -> tuple[int, ...]:
    """The slots of every canvas: by the number of its examples, with `equal_time` divided by its cells."""
    cells = [height * width if config.equal_time else 1 for height, width in data.canvases]
    shares = [size / area for size, area in zip(data.sizes, cells, strict=True)]
    return slots_per_canvas(shares, config.batch_size)


def slots_per_canvas(sizes: Sequence[float], batch_size: int) -> tuple[int, ...]:
    """`batch_size` slots divided in proportion to `sizes`, at least one per canvas.

    The rest goes to the largest remainders; the sum is max(batch_size, number of canvases).
    """
    units = max(batch_size, len(sizes))
    shares = np.array(sizes, np.float64) / sum(sizes) * units
    given = np.maximum(np.floor(shares).astype(np.int64), 1)
    while given.sum() != units:
        gap = shares - given
        if given.sum() < units:
            given[int(np.argmax(gap))] += 1
        else:
            given[int(np.argmin(np.where(given > 1, gap, np.inf)))] -= 1
    return tuple(int(n) for n in given)


class Batches:
    """New examples for the slots of one process: per step, one Batch for each canvas.

    Process `rank` of `world` paints its own slice of the global batch, so processes never overlap and a run
    sees the same examples if their number changes.
    """

    def __init__(
        self, data: TrainingData, config: TrainConfig, device: torch.device, *, rank: int = 0, world: int = 1
    ) -> None:
        if config.batch_size < world:
            raise ConfigError(
                f"batch_size={config.batch_size}: fewer rows than the {world} processes; start fewer of them"
            )
        self.data, self.config, self.device = data, config, device
        self.global_slots = slots_of(data, config)
        self.world = world
        self.spans = tuple(self.all_spans(group)[rank] for group in range(len(self.global_slots)))

    def all_spans(self, group: int) -> list[tuple[int, int]]:
        """The global slots of every process in a group."""
        total = self.global_slots[group]
        return [(total * rank // self.world, total * (rank + 1) // self.world) for rank in range(self.world)]

    def all_sizes(self, groups: Sequence[int]) -> list[int]:
        """How many rows every process has in these groups together."""
        spans = zip(*map(self.all_spans, groups), strict=True)
        return [sum(end - start for start, end in own) for own in spans]

    def paint(self, step: int) -> list[Batch]:
        """The batches of one step, in host memory (pinned if the device is CUDA)."""
        pinned = self.device.type == "cuda"
        explored = np.random.Generator(np.random.Philox(key=[self.config.seed, step]))
        batches = []
        for group, (total, (start, end)) in enumerate(zip(self.global_slots, self.spans, strict=True)):
            local = end - start
            height, width = self.data.canvases[group]
            tokens = torch.empty(local, height * width, dtype=torch.uint8)
            targets = torch.empty(local, height * width, dtype=torch.uint8)
            codes = torch.empty(local, 12, dtype=torch.int32)
            self.data.paint(group, step * total + start, tokens.numpy(), targets.numpy(), codes.numpy())
            ages = explored.integers(MIN_EXPLORED_AGE, max(self.config.max_age, MIN_EXPLORED_AGE) + 1, total)
            chosen = explored.random(total) < self.config.exploration
            least = torch.from_numpy(np.where(chosen, ages, 0).astype(np.int32)[start:end])
            batch = Batch(tokens, targets, codes, least, self._hints(tokens, targets))
            batches.append(batch.pinned() if pinned else batch)
        return batches

    def _hints(self, tokens: torch.Tensor, targets: torch.Tensor) -> HintTensors | None:
        """The dense labels of painted examples, if the recipe trains on them."""
        if not self.config.hint_weight:
            return None
        if not isinstance(self.data, HintedData):
            raise ConfigError(
                f"hint_weight={self.config.hint_weight}: these data have no dense labels; set 0"
            )
        return HintTensors(*map(torch.from_numpy, self.data.hints(tokens.numpy(), targets.numpy())))

    def from_step(self, step: int) -> Iterator[list[Batch]]:
        """Endless batches from `step` on, each painted during the step before."""
        with ThreadPoolExecutor(1, thread_name_prefix="painter") as painter:
            ahead = painter.submit(self.paint, step)
            while True:
                batches = ahead.result()
                step += 1
                ahead = painter.submit(self.paint, step)
                yield [batch.to(self.device) for batch in batches]

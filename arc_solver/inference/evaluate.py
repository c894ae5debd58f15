"""Scoring a model on puzzles that it has not seen, with the answers and the scores that users get."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arc_solver.config import PredictConfig, Preset
from arc_solver.corpus.corpus import Corpus
from arc_solver.domains.domains import domain_of
from arc_solver.domains.protocols import Bytes, Domain
from arc_solver.inference.answer import Answering
from arc_solver.model.trm import Model
from arc_solver.storage.text import DataError
from arc_solver.tasks.puzzles import PuzzleMap

MOST_AGES = 16  # of a board while a run is scored


@dataclass(frozen=True)
class PuzzleEvaluator:
    """Puzzles of a domain with known answers; of what a model must know, what it does not counts as wrong."""

    domain: Domain[Any]
    material: Any
    config: PredictConfig
    canvas: str = "fitted"

    def count(self, model: Model, puzzles: PuzzleMap, rank: int, world: int) -> dict[str, float]:
        """Scores of share `rank` of `world` as sums, with the ages spent."""
        mine = self.domain.take(self.material, slice(rank, None, world))
        if not len(mine):
            return dict.fromkeys((*self.domain.counts(mine, ()), "ages"), 0.0)
        numbers = self.domain.numbers(mine, puzzles)
        known = np.flatnonzero(numbers >= 0)
        config = self.config
        if self.domain.evaluated_views:
            # One chain without guesses: a run is scored many times.
            views, ages = self.domain.evaluated_views, min(config.ages, MOST_AGES)
            config = dataclasses.replace(config, views=views, rollouts=1, guess_after=0, ages=ages)
        asked = self.domain.take(mine, known)
        questions = self.domain.questions(asked, puzzles, numbers[known].tolist(), config, self.canvas)
        answering = Answering(self.domain, asked, questions, config)
        was_training = model.training
        for _ in answering.run(model.eval()):
            pass
        model.train(was_training)
        counts = self.domain.counts(asked, attempts_of(answering))
        others = self.domain.take(mine, np.flatnonzero(numbers < 0))
        blank = [()] * sum(block.num_queries for block in self.domain.blocks(others))
        for name, missed in self.domain.counts(others, blank).items():
            counts[name] += missed
        return counts | {"ages": float(answering.ages.sum())}

    def metrics(self, counts: dict[str, float]) -> dict[str, float]:
        """Shares of all that there is, and mean ages."""
        total, *scores = counts
        return {f"eval_{name}": round(counts[name] / counts[total], 5) for name in scores}


def attempts_of(answering: Answering) -> list[list[Bytes]]:
    """The grids that every query would hand in, best first."""
    most = answering.domain.attempts
    standings = answering.standings(np.arange(len(answering.ages)), most)
    return [[tally.grid for tally in standing.candidates] for standing in standings]


def read_evaluator(
    source: str,
    preset: Preset,
    corpus: Corpus,
    *,
    solutions: Path | None = None,
    notice: Callable[[str], None] = lambda _: None,
) -> PuzzleEvaluator:
    """What scores a run of `preset` on `corpus`: puzzles with answers, of boards the first 1000 of a file.

    Answers that are kept apart are read from `solutions` and never otherwise. `notice` hears what is not
    scored or cannot be solved; where that is everything it is a DataError.
    """
    domain = domain_of(source)
    if domain.name != corpus.domain.name:
        raise DataError(f"{source}: {domain.noun}, expected {corpus.domain.noun} with answers")
    material = domain.read_scored(source, solutions, corpus.material, preset, notice)
    return PuzzleEvaluator(domain, material, preset.predict, preset.train.canvas)

"""Scores of a model on puzzles that it has not seen, answered and scored as for users."""

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

MAX_AGES = 16  # of a board while a run is scored


@dataclass(frozen=True)
class PuzzleEvaluator:
    """Puzzles of a domain with known answers; those that a model should know but does not count as wrong."""

    domain: Domain[Any]
    material: Any
    config: PredictConfig
    canvas: str = "fitted"

    def count(self, model: Model, puzzles: PuzzleMap, rank: int, world: int) -> dict[str, float]:
        """The scores of part `rank` of `world` as sums, with the ages spent."""
        mine = self.domain.take(self.material, slice(rank, None, world))
        if not len(mine):
            return dict.fromkeys((*self.domain.counts(mine, ()), "ages"), 0.0)
        numbers = self.domain.numbers(mine, puzzles)
        known = np.flatnonzero(numbers >= 0)
        config = self.config
        if self.domain.evaluated_views:
            # One chain without guesses: a run is scored many times.
            views, ages = self.domain.evaluated_views, min(config.ages, MAX_AGES)
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
        """The scores as shares of all puzzles, and mean ages."""
        total, *scores = counts
        return {f"eval_{name}": round(counts[name] / counts[total], 5) for name in scores}


def attempts_of(answering: Answering) -> list[list[Bytes]]:
    """The attempts at every query, best first."""
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
    """The evaluator for a run of `preset` on `corpus`: puzzles with answers, of boards the first 1000.

    Answers in a separate file are read from `solutions` and never otherwise. `notice` reports what is not
    scored or cannot be solved; DataError if that is everything.
    """
    domain = domain_of(source)
    if domain.name != corpus.domain.name:
        raise DataError(f"{source}: {domain.noun}, expected {corpus.domain.noun} with answers")
    material = domain.read_scored(source, solutions, corpus.material, preset, notice)
    return PuzzleEvaluator(domain, material, preset.predict, preset.train.canvas)

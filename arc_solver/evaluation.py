"""Scoring a model on puzzles that it has not seen, with the engine and the scorer that users get."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arc_solver.config import PredictConfig, Preset
from arc_solver.inference.boards import answer_boards
from arc_solver.inference.tasks import guesses
from arc_solver.judging import carried_truth
from arc_solver.model.trm import Model
from arc_solver.puzzles import PuzzleMap
from arc_solver.sources.board_set import BoardSet
from arc_solver.sources.maze import valid_mazes
from arc_solver.sources.puzzle_files import read_boards
from arc_solver.sources.sudoku import valid_boards
from arc_solver.task import DataError, Task, read_tasks
from submission.score import score_attempts
from submission.vote import BallotBox, Query

MAX_BOARDS = 1000


def board_scores(boards: BoardSet, answers: np.ndarray) -> dict[str, float]:
    """Shares of boards answered as in the file (exact) and by the rules of their kind (valid)."""
    exact = (answers == boards.answers).all(axis=1)
    valid = (valid_boards if boards.kind == "sudoku" else valid_mazes)(boards.questions, answers)
    return {"exact": float(exact.mean()), "valid": float(valid.mean())}


@dataclass(frozen=True)
class BoardEvaluator:
    """Held-out boards with answers."""

    boards: BoardSet
    config: PredictConfig

    def evaluate(self, model: Model, puzzles: PuzzleMap) -> dict[str, Any]:
        """Exact and valid share, mean ages, seconds."""
        del puzzles
        started = time.monotonic()
        was_training = model.training
        answers = answer_boards(model.eval(), self.boards, dataclasses.replace(self.config, views=1))
        model.train(was_training)
        scores = board_scores(self.boards, answers.cells)
        return {
            "eval_exact": round(scores["exact"], 5),
            "eval_valid": round(scores["valid"], 5),
            "eval_ages": round(float(answers.ages.mean()), 3),
            "eval_seconds": round(time.monotonic() - started, 2),
        }


@dataclass(frozen=True)
class TaskEvaluator:
    """Tasks whose demonstrations are trained on and whose test outputs are the truth."""

    tasks: tuple[Task, ...]
    config: PredictConfig
    canvas: str = "fitted"

    def evaluate(self, model: Model, puzzles: PuzzleMap) -> dict[str, Any]:
        """Share of outputs solved with one and two attempts (per output), seconds."""
        started = time.monotonic()
        known = [(task, number) for task in self.tasks if (number := puzzles.find(task)) is not None]
        tasks, numbers = [task for task, _ in known], [number for _, number in known]
        box = BallotBox([Query(task.id, i) for task in tasks for i in range(len(task.test))])
        for found in guesses(model.eval(), puzzles, tasks, numbers, self.config, canvas=self.canvas):
            a = found.answers
            box.cast_batch(found.queries, a.keys, a.cells, a.shapes[:, 0], a.shapes[:, 1], found.confidence)
        result = score_attempts(
            {query: box.attempts(query) for query in box.queries}, carried_truth(list(self.tasks)), ""
        )
        return {
            "eval_exact": round(result.rate("per_output", 2).value, 5),
            "eval_pass_1": round(result.rate("per_output", 1).value, 5),
            "eval_seconds": round(time.monotonic() - started, 2),
        }


def read_evaluator(source: str, preset: Preset) -> BoardEvaluator | TaskEvaluator:
    """The evaluator of a file of boards (its first 1000) or of tasks that carry their outputs."""
    if preset.train.domain == "arc":
        tasks = tuple(read_tasks(source))
        if not carried_truth(tasks):
            raise DataError(f"{source}: the tasks carry no outputs to evaluate on")
        return TaskEvaluator(tasks, preset.predict, preset.train.canvas)
    boards = read_boards(Path(source), need_answers=True)[0].take(slice(MAX_BOARDS))
    if boards.kind != preset.train.domain:
        raise DataError(f"{source}: {boards.kind} boards, expected {preset.train.domain} boards with answers")
    return BoardEvaluator(boards, preset.predict)

"""Scoring a model on puzzles that it has not seen, with the engine and the scorer that users get."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from arc_solver.config import PredictConfig, Preset
from arc_solver.corpus.corpus import Corpus
from arc_solver.domains.arc.examples import known_pairs
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.examples import board_scores, num_given_away, vocabulary
from arc_solver.domains.sources import boards_of_source, tasks_of_source
from arc_solver.inference.answer import guesses
from arc_solver.inference.boards import answer_boards
from arc_solver.model.trm import Model
from arc_solver.storage.text import DataError
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task, task_hash
from arc_solver.tasks.truth import carried_truth
from submission.score import score_attempts
from submission.vote import BallotBox, Query

MAX_BOARDS = 1000


@dataclass(frozen=True)
class BoardEvaluator:
    """Held-out boards with answers."""

    boards: BoardSet
    config: PredictConfig

    def count(self, model: Model, puzzles: PuzzleMap, rank: int, world: int) -> dict[str, float]:
        """Boards, those exact, those valid and all their ages, of share `rank` of `world`."""
        del puzzles
        boards = self.boards.take(slice(rank, None, world))
        if not len(boards):
            return dict.fromkeys(("boards", "exact", "valid", "ages"), 0.0)
        was_training = model.training
        answers = answer_boards(model.eval(), boards, dataclasses.replace(self.config, views=1))
        model.train(was_training)
        scores = board_scores(boards, answers.cells)
        return {
            "boards": len(boards),
            "exact": scores["exact"] * len(boards),
            "valid": scores["valid"] * len(boards),
            "ages": float(answers.ages.sum()),
        }

    def metrics(self, counts: dict[str, float]) -> dict[str, float]:
        """Exact and valid share and mean ages."""
        return {
            f"eval_{name}": round(counts[name] / counts["boards"], 5) for name in ("exact", "valid", "ages")
        }


@dataclass(frozen=True)
class TaskEvaluator:
    """Tasks whose demonstrations are trained on and whose test outputs are the truth."""

    tasks: tuple[Task, ...]
    config: PredictConfig
    canvas: str = "fitted"

    def count(self, model: Model, puzzles: PuzzleMap, rank: int, world: int) -> dict[str, float]:
        """Outputs, and those solved with one and with two attempts, of share `rank` of `world`."""
        mine = self.tasks[rank::world]
        truth = carried_truth(mine)
        if not truth:
            return dict.fromkeys(("outputs", "pass_1", "pass_2"), 0.0)
        known = [(task, number) for task in mine if (number := puzzles.find(task)) is not None]
        tasks, numbers = [task for task, _ in known], [number for _, number in known]
        box = BallotBox([Query(task.id, i) for task in tasks for i in range(len(task.test))])
        was_training = model.training
        for found in guesses(model.eval(), puzzles, tasks, numbers, self.config, canvas=self.canvas):
            a = found.answers
            box.cast_batch(found.queries, a.keys, a.cells, a.shapes[:, 0], a.shapes[:, 1], found.confidence)
        model.train(was_training)
        score = score_attempts({query: box.attempts(query) for query in box.queries}, truth, "")
        return {
            "outputs": score.num_outputs,
            "pass_1": len(score.solved_outputs(1)),
            "pass_2": len(score.solved_outputs(2)),
        }

    def metrics(self, counts: dict[str, float]) -> dict[str, float]:
        """Share of outputs solved with two attempts (exact) and with one."""
        return {
            "eval_exact": round(counts["pass_2"] / counts["outputs"], 5),
            "eval_pass_1": round(counts["pass_1"] / counts["outputs"], 5),
        }


def read_evaluator(
    source: str,
    preset: Preset,
    corpus: Corpus,
    *,
    solutions: Path | None = None,
    notice: Callable[[str], None] = lambda _: None,
) -> BoardEvaluator | TaskEvaluator:
    """What scores a run of `preset` on `corpus`: boards (the first 1000 of a file), or tasks with outputs.

    Outputs that are kept apart are read from `solutions` and never otherwise. `notice` hears what is not
    scored or cannot be solved; where that is everything it is a DataError.
    """
    if preset.train.domain == "arc":
        tasks = _scored_tasks(source, solutions, notice)
        _check_known(source, tasks, corpus, notice)
        learnt = {pair for task in corpus.tasks for pair in known_pairs(task)}
        scored = [pair for task in tasks for pair in task.test]
        _tell_overlap(source, sum(pair in learnt for pair in scored), len(scored), "output", notice)
        return TaskEvaluator(tasks, preset.predict, preset.train.canvas)
    if solutions is not None:
        raise DataError(f"{solutions}: solutions go with tasks; boards stand in one file with their answers")
    boards = boards_of_source(source, need_answers=True, notice=notice)
    cells, model = boards.questions.shape[1], preset.model
    if boards.kind != preset.train.domain:
        raise DataError(f"{source}: {boards.kind} boards, expected {preset.train.domain} boards with answers")
    if model.length not in (0, cells) or model.vocabulary != vocabulary(boards):
        raise DataError(f"{source}: {boards.kind} boards of side {boards.side}, the run is for another side")
    if len(boards) > MAX_BOARDS:
        notice(f"{source}: {len(boards):,} boards, of which the first {MAX_BOARDS:,} are scored")
    boards = boards.take(slice(MAX_BOARDS))
    if corpus.boards is not None and corpus.boards.side == boards.side:
        _tell_overlap(source, num_given_away(boards, corpus.boards), len(boards), "board", notice)
    return BoardEvaluator(boards, preset.predict)


def _tell_overlap(source: str, num: int, total: int, noun: str, notice: Callable[[str], None]) -> None:
    """Say how much of what is scored is trained on."""
    if num:
        nouns = noun if total == 1 else f"{noun}s"
        notice(f"warning: {source}: {num:,} of {total:,} scored {nouns} are in --data with their answers")


def _scored_tasks(source: str, solutions: Path | None, notice: Callable[[str], None]) -> tuple[Task, ...]:
    """The tasks whose outputs are all known."""
    tasks = tasks_of_source(source, solutions=solutions)
    truth = carried_truth(tasks)
    if not truth:
        where = "; --eval-solutions names the file that holds them" if solutions is None else ""
        raise DataError(f"{source}: the tasks carry no outputs to evaluate on{where}")
    if len(truth) < len(tasks):
        notice(f"{source}: {len(tasks) - len(truth)} of {len(tasks)} tasks lack outputs and are not scored")
    return tuple(task for task in tasks if task.id in truth)


def _check_known(source: str, tasks: Sequence[Task], corpus: Corpus, notice: Callable[[str], None]) -> None:
    """A model answers only tasks whose demonstrations it was trained on."""
    trained = set(map(task_hash, corpus.tasks))
    unknown = sum(task_hash(task) not in trained for task in tasks)
    if unknown == len(tasks):
        raise DataError(
            f"{source}: none of its {len(tasks)} tasks is known to this run; "
            "--data must hold their demonstrations"
        )
    if unknown:
        notice(f"{source}: {unknown} of {len(tasks)} tasks are unknown to this run and count as not solved")

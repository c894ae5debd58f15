"""Compares rules to choose among the answers of many views, and what early decisions save and lose.

`python -m arc_solver.programs.voting_rules --checkpoint WEIGHTS --tasks TASKS --solutions SOLUTIONS` answers
the tasks that the weights know (those of a run with `predict --keep` are in its folder), prints two tables.
Shapes: R rows of one task (test inputs × views), L tokens of its canvas, V tokens of the vocabulary.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from arc_solver.checkpoints.file_format import CheckpointError
from arc_solver.checkpoints.weights import load
from arc_solver.config import ConfigError, PredictConfig
from arc_solver.domains.arc.examples import CANVASES, ArcQueries, task_side
from arc_solver.inference.time_budget import view_rounds
from arc_solver.model.trm import Model, halting_logit
from arc_solver.prediction.truth import read_truth
from arc_solver.storage.text import DataError
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.reader import read_tasks
from arc_solver.tasks.task import Task
from augment.canvas import PAD, place
from augment.grid import Grid
from augment.view import View
from submission.score import Score, score_attempts
from submission.vote import BallotBox, Query

MAX_ROWS = 64
# How many candidates, those with most votes, are rescored under all views.
NUM_RESCORED = 16
ERRORS = (0.01, 0.05, 0.2)


class Ballot(NamedTuple):
    """The answer of one view of a query: a grid or None, its confidence and the halting probability."""

    grid: Grid | None
    confidence: float
    halting: float


@dataclass(frozen=True)
class Opinions:
    """The answers of all views of one query, in order."""

    query: Query
    ballots: tuple[Ballot, ...]
    views: tuple[View, ...]
    side: int  # of the canvas
    log_probabilities: npt.NDArray[np.float32]  # (views, L, V)

    def box(self, num: int | None = None, *, halting: bool = False) -> BallotBox:
        """A box with the ballots of the first `num` views, or all; `halting`: by the halting probability."""
        box = BallotBox([self.query])
        for ballot in self.ballots[:num]:
            if ballot.grid is not None:
                box.cast(self.query, ballot.grid, ballot.halting if halting else ballot.confidence)
        return box

    def likelihood(self, grid: Grid) -> float:
        """The log-probability of the grid, its edge included, summed over all views."""
        total = 0.0
        for view, probabilities in zip(self.views, self.log_probabilities, strict=True):
            turned = view.apply(grid)
            if max(turned.shape) > self.side:
                return -np.inf
            tokens = place(turned, self.side).reshape(-1)
            cells = np.flatnonzero(tokens != PAD)
            total += float(probabilities[cells, tokens[cells]].sum())
        return total


def opinions(
    model: Model, puzzles: PuzzleMap, task: Task, number: int, config: PredictConfig, canvas: str
) -> list[Opinions]:
    """The answers of all views to each test input of a task, after `config.ages` ages."""
    sides = CANVASES[canvas]
    data = ArcQueries([task], [number], puzzles, config.views, sides)
    side, queries, views = task_side(task, sides), data.queries(0), data.view_numbers(0)
    ballots: dict[int, list[Ballot]] = {}
    likely: dict[int, list[npt.NDArray[np.float32]]] = {}
    for start in range(0, len(queries), MAX_ROWS):
        rows = np.arange(start, min(len(queries), start + MAX_ROWS))
        logits, halting = _answered(model, data, rows, config.ages)
        restored = data.restore(0, rows, logits.argmax(axis=2).astype(np.uint8))
        probabilities = logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)
        confidence = data.confidence(0, rows, restored.shapes, probabilities.max(axis=2)).tolist()
        for place_, row in enumerate(rows):
            height, width = restored.shapes[place_].tolist()
            cells = restored.cells[place_, : height * width].reshape(height, width)
            query = int(queries[row])
            ballot = Ballot(cells if height else None, confidence[place_], halting[place_])
            ballots.setdefault(query, []).append(ballot)
            likely.setdefault(query, []).append(probabilities[place_])
    return [
        Opinions(
            Query(task.id, query),
            tuple(ballots[query]),
            tuple(data.views[int(view)] for view in views[queries == query]),
            side,
            np.stack(likely[query]),
        )
        for query in sorted(ballots)
    ]


@torch.inference_mode()
def _answered(
    model: Model, data: ArcQueries, rows: npt.NDArray[np.int64], ages: int
) -> tuple[npt.NDArray[np.float32], list[float]]:
    """Logits (R, L, V) and halting probabilities (R,) of some rows after `ages` ages."""
    height, width = data.canvases[0]
    tokens, codes = np.empty((len(rows), height * width), np.uint8), np.empty((len(rows), 12), np.int32)
    data.paint(0, rows, tokens, codes)
    device = model.first_answer.device
    question, code = torch.from_numpy(tokens).to(device), torch.from_numpy(codes).to(device)
    carry = model.first_carry(len(rows), model.config.num_positions(height * width))
    for _ in range(ages):
        output = model(question, code, carry, (height, width))
        carry = output.carry
    return output.logits.cpu().numpy(), halting_logit(output.halt).float().sigmoid().tolist()


def by_rules(all_opinions: Sequence[Opinions]) -> dict[str, dict[Query, list[Grid]]]:
    """The ranking of every query's candidates by each rule."""
    found: dict[str, dict[Query, list[Grid]]] = {}
    for own in all_opinions:
        tallies = own.box().tallies(own.query)
        voted = [tally.grid for tally in tallies]
        halted = [tally.grid for tally in own.box(halting=True).tallies(own.query)]
        summed = sorted(tallies, key=lambda tally: -tally.votes * tally.confidence)
        scores = [own.likelihood(grid) for grid in voted[:NUM_RESCORED]]
        order = sorted(range(len(scores)), key=lambda i: -scores[i])
        tied = sorted(range(len(scores)), key=lambda i: (-tallies[i].votes, -scores[i]))
        rankings = {
            "votes, then mean halting probability": halted,
            "votes, then mean probability of the answer": voted,
            "summed probability of the answer": [tally.grid for tally in summed],
            "summed log-probability over all views": [voted[i] for i in order],
            "votes, then summed log-probability": [voted[i] for i in tied],
        }
        for rule, ranking in rankings.items():
            found.setdefault(rule, {})[own.query] = ranking
    return found


def by_early_decision(all_opinions: Sequence[Opinions]) -> Iterator[tuple[str, int, dict[Query, list[Grid]]]]:
    """Name, views asked and attempts for each way of stopping early."""
    attempts = {own.query: own.box().attempts(own.query) for own in all_opinions}
    yield "all views", sum(len(own.ballots) for own in all_opinions), attempts
    used = {own.query: _until_decided(own) for own in all_opinions}
    yield "decided", sum(used.values()), _attempts_after(all_opinions, used)
    for error in ERRORS:
        used = {own.query: _until_likely(own, error) for own in all_opinions}
        yield f"likely, error {error:g}", sum(used.values()), _attempts_after(all_opinions, used)


def _until_decided(own: Opinions) -> int:
    box, total = BallotBox([own.query]), len(own.ballots)
    for number, ballot in enumerate(own.ballots, 1):
        if ballot.grid is not None:
            box.cast(own.query, ballot.grid, ballot.confidence)
        if box.decided(own.query, total - number):
            return number
    return total


def _until_likely(own: Opinions, error: float) -> int:
    rounds = [min(end, len(own.ballots)) for _, end in view_rounds(len(own.ballots))]
    for end in rounds[:-1]:
        if own.box(num=end).likely(own.query, error / (len(rounds) - 1)):
            return end
    return len(own.ballots)


def _attempts_after(all_opinions: Sequence[Opinions], used: Mapping[Query, int]) -> dict[Query, list[Grid]]:
    return {own.query: own.box(num=used[own.query]).attempts(own.query) for own in all_opinions}


def main() -> None:
    """Print both tables for the weights and tasks of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", required=True, help="weights that know the tasks")
    parser.add_argument("--tasks", required=True)
    parser.add_argument("--solutions", required=True, help="as for `arc-solve score`")
    parser.add_argument("--views", type=int, help="default: as the checkpoint predicts")
    parser.add_argument("--ages", type=int, help="default: as the checkpoint predicts")
    asked = parser.parse_args()
    loaded = load(asked.checkpoint)
    predict = loaded.preset.predict
    config = PredictConfig(views=asked.views or predict.views, ages=asked.ages or predict.ages)
    truth, digest = read_truth(asked.solutions)
    known = [
        (task, number)
        for task in read_tasks(asked.tasks)
        if (number := loaded.puzzles.find(task)) is not None and task.id in truth
    ]
    if not known:
        raise ConfigError(f"{asked.checkpoint}: these weights know no task of {asked.tasks} with a solution")
    found = [
        each
        for task, number in known
        for each in opinions(loaded.model, loaded.puzzles, task, number, config, loaded.preset.train.canvas)
    ]
    truth = {task.id: truth[task.id] for task, _ in known}
    print(f"{len(known)} tasks, {len(found)} outputs, {config.views} views, {config.ages} ages\n")
    print("| rule | pass@1 | pass@2 |\n|---|---|---|")
    for rule, rankings in by_rules(found).items():
        print(f"| {rule} | {_rates(score_attempts(rankings, truth, digest))} |")
    print("\n| views stop when | views asked | pass@1 | pass@2 |\n|---|---|---|---|")
    total = sum(len(own.ballots) for own in found)
    for name, views, attempts in by_early_decision(found):
        score = score_attempts(attempts, truth, digest)
        print(f"| {name} | {100 * views / max(1, total):.1f} % | {_rates(score)} |")


def _rates(score: Score) -> str:
    rates = (score.rate("per_output", depth) for depth in (1, 2))
    return " | ".join(f"{rate.solved:g} of {rate.total}" for rate in rates)


if __name__ == "__main__":
    try:
        main()
    except (ConfigError, DataError, CheckpointError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)

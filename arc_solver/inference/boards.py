"""Answers to boards: contenders (views and noisy rollouts) and the choice among them.

Shapes: n boards, L cells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arc_solver.config import PredictConfig
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.examples import (
    ROLLOUTS,
    BoardQueries,
    board_hashes,
    consistent_answers,
    num_distinct_views,
)
from arc_solver.inference.election import Choice, Contenders, FirstConfident, Numbers, Vote
from arc_solver.inference.engine import Answered, Wanted, Watch, answer_rows
from arc_solver.inference.noise import Disturb, Disturbance, mixed
from arc_solver.inference.time_budget import Pace, view_rounds
from arc_solver.model.trm import Model


class BoardAnswers(NamedTuple):
    """The chosen answer of every board."""

    cells: npt.NDArray[np.uint8]  # (n, L); 0 where a cell has no value
    confidence: npt.NDArray[np.float32]  # (n,)
    ages: npt.NDArray[np.int64]  # (n,) spent in all on the board
    answered: npt.NDArray[np.bool_]  # (n,) whether any row of the board finished


def num_contenders(boards: BoardSet, config: PredictConfig) -> int:
    """Views times rollouts: the most rows that a board is given."""
    return num_distinct_views(boards, config.views) * config.rollouts


def answer_boards(
    model: Model,
    boards: BoardSet,
    config: PredictConfig,
    *,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda _: None,
    pace: Pace | None = None,
    report: Callable[[Numbers, BoardAnswers], None] = lambda numbers, answers: None,
    watch: Watch | None = None,
) -> BoardAnswers:
    """Answer every board with `config.views` views and `config.rollouts` chains of each.

    Contenders come in rounds of one, three, twelve, ...: the first is the question as it stands, without
    noise. A board that is settled after a round takes no part in the next. An answer is a function of the
    board, the seed and the settings alone, unless `stop` or `pace` cut it short. `progress` hears of rows
    that are done or not needed, `report` of boards whose rows left and of the answers that they have then;
    `watch` is shown every row after each age.
    """
    total = num_contenders(boards, config)
    choosing = choice_for(boards, config)
    spent = np.zeros(len(boards), np.int64)
    length = boards.questions.shape[1]

    def answers(numbers: Numbers) -> BoardAnswers:
        return BoardAnswers(*choosing.chosen(numbers), spent[numbers], choosing.answered[numbers])

    for first, last in view_rounds(total):
        chosen = np.flatnonzero(~choosing.settled())
        data = BoardQueries(boards, config.views, config.seed, range(first, last), chosen)
        if pace:
            pace.begin_round(0 if first else len(chosen) * length)
        finished = 0
        for found in answer_rows(
            model,
            data,
            config,
            stop=stop,
            wanted=_wanted(data, choosing, spent),
            age_limit=pace.age_limit if pace else None,
            disturb=disturbance(data, config) if last > data.num_views else None,
            watch=watch,
        ):
            numbers = data.queries(found.group)[found.rows]
            choosing.take(_contenders(data, found, numbers))
            np.add.at(spent, numbers, found.ages)
            if pace:
                pace.answered(len(numbers) * length, int(found.ages.sum()) * length)
            finished += len(numbers)
            progress(len(numbers))
            touched = np.unique(numbers)
            report(touched, answers(touched))
        if stop():
            break
        progress(len(boards) * (last - first) - finished)
    return answers(np.arange(len(boards)))


def choice_for(boards: BoardSet, config: PredictConfig) -> Choice:
    """What chooses among the contenders of these boards: the setting, or what suits the kind of board."""
    choice = ROLLOUTS[boards.kind][1] if config.choice == "auto" else config.choice
    if choice == "vote":
        return Vote(boards.questions.shape, num_contenders(boards, config))
    return FirstConfident(boards.questions.shape, valid_alone=choice == "valid")


def disturbance(data: BoardQueries, config: PredictConfig) -> Disturb:
    """The noise of every row: a function of the seed, the board's content, its view and its chain."""
    hashes = mixed(board_hashes(data.boards), config.seed)
    sigma = np.float32(config.sigma or ROLLOUTS[data.boards.kind][0])

    def disturb(group: int, rows: Numbers) -> Disturbance:
        chain, view = np.divmod(data.contenders[rows].astype(np.uint64), np.uint64(data.num_views))
        keys = mixed(mixed(hashes[data.queries(group)[rows]], view), chain)
        return Disturbance(keys, np.where(chain > 0, sigma, np.float32(0)))

    return disturb


def _wanted(data: BoardQueries, choosing: Choice, spent: Numbers) -> Wanted:
    """Lets go of rows that decide nothing any more; the ages they took are counted in `spent`."""

    def wanted(group: int, rows: Numbers, ages: Numbers) -> npt.NDArray[np.bool_]:
        numbers = data.queries(group)[rows]
        keep = choosing.keep(numbers, ages)
        np.add.at(spent, numbers[~keep], ages[~keep])
        return keep

    return wanted


def _contenders(data: BoardQueries, found: Answered, numbers: Numbers) -> Contenders:
    restored = data.restore(found.group, found.rows, found.tokens)
    return Contenders(
        numbers,
        data.contenders[found.rows],
        restored.cells,
        restored.shapes[:, 0] > 0,
        consistent_answers(data.boards, numbers, restored.cells),
        found.confident,
        found.confidence,
        found.ages,
    )

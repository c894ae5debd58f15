"""Answers to boards. Shapes: n boards, L cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arc_solver.config import PredictConfig
from arc_solver.domain.boards import BoardQueries
from arc_solver.inference.engine import answer_rows
from arc_solver.model.trm import Model
from arc_solver.sources.board_set import BoardSet


class BoardAnswers(NamedTuple):
    """The chosen answer of every board."""

    cells: npt.NDArray[np.uint8]  # (n, L); what came of the identity view where no answer was whole
    confidence: npt.NDArray[np.float32]  # (n,)
    ages: npt.NDArray[np.int64]  # (n,) spent in all on the board
    answered: npt.NDArray[np.bool_]  # (n,) whether any row of the board finished


def answer_boards(
    model: Model,
    boards: BoardSet,
    config: PredictConfig,
    *,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda _: None,
) -> BoardAnswers:
    """Answer every board under `config.views` views; of several whole answers the most confident is taken."""
    num = len(boards)
    cells = np.zeros_like(boards.questions)
    confidence = np.full(num, -1.0, np.float32)
    ages = np.zeros(num, np.int64)
    answered = np.zeros(num, np.bool_)
    data = BoardQueries(boards, config.views, config.seed)
    for found in answer_rows(model, data, config, stop=stop):
        restored = data.restore(found.group, found.rows, found.tokens)
        queries = data.queries(found.group)[found.rows]
        for place, query in enumerate(queries):
            whole = restored.shapes[place, 0] > 0
            rank = found.confidence[place] if whole else -0.5
            if rank > confidence[query]:
                confidence[query], cells[query] = rank, restored.cells[place]
            ages[query] += found.ages[place]
            answered[query] = True
        progress(len(queries))
    return BoardAnswers(cells, np.maximum(confidence, 0), ages, answered)

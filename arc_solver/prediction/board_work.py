"""What a worker does with boards: answers them with a checkpoint and reports as answers come.

Shapes: n boards, N of them at a time.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from arc_solver.checkpoints.file_format import CheckpointError, check_domain
from arc_solver.checkpoints.weights import Loaded, load
from arc_solver.config import PredictConfig
from arc_solver.domains.boards.board_file import cells_from_texts, texts_from_cells
from arc_solver.domains.boards.board_set import UNKNOWN_RATING, BoardSet
from arc_solver.domains.boards.examples import vocabulary
from arc_solver.hardware.torch_device import choose_device
from arc_solver.inference.boards import BoardAnswers, answer_boards, num_contenders
from arc_solver.inference.election import Numbers
from arc_solver.inference.time_budget import Pace
from arc_solver.prediction.board_sheet import BLOCK
from arc_solver.prediction.messages import Channel, Message
from arc_solver.settings import apply_settings, with_values
from augment.maze import UNKNOWN

REPORT_SECONDS = 1.0
# Answers per message, of up to 128 x 128 cells each.
MAX_ANSWERS = 1000


def work_boards(request: Message, channel: Channel, deadline: float | None) -> None:
    """Answer the boards of a request until an instant of the monotonic clock.

    CheckpointError for weights of other boards.
    """
    boards = boards_of(request)
    loaded = load(request["checkpoint"])
    check_weights(loaded, boards, Path(request["checkpoint"]).name)
    config = _config(loaded, request, len(boards))
    device = choose_device(request["device"])
    channel.send({"kind": "facts", "facts": {"device": str(device), "predict": _plain(config)}})
    contenders = num_contenders(boards, config)
    reporter = BoardReporter(channel, boards, np.array(request["numbers"], np.int64), contenders == 1)
    pace = None
    if deadline is not None:
        pace = Pace(config.ages, deadline, lambda text: channel.send({"kind": "say", "text": text}))
    hidden = True if request["quiet"] else None
    with tqdm(total=len(boards) * contenders, desc="predict", unit="row", disable=hidden) as bar:
        answer_boards(
            loaded.model.to(device),
            boards,
            config,
            stop=lambda: deadline is not None and time.monotonic() >= deadline,
            progress=bar.update,
            pace=pace,
            report=reporter.take,
        )
    reporter.send()


def boards_of(request: Message) -> BoardSet:
    """The boards of a request, their answers unknown."""
    questions = cells_from_texts(request["board"], request["side"], request["questions"])
    return BoardSet(
        request["board"],
        questions,
        np.zeros_like(questions),
        np.full(len(questions), UNKNOWN_RATING, np.int64),
    )


class BoardReporter:
    """Sends the answers that are new, now and then, and which blocks of boards are finished."""

    def __init__(self, channel: Channel, boards: BoardSet, numbers: Numbers, final: bool) -> None:
        """`numbers[i]` is what board i is called by the parent; `final` says that first answers stay."""
        self._channel, self._boards, self._numbers, self._final = channel, boards, numbers, final
        self._news: dict[int, list[object]] = {}
        self._open = np.bincount(numbers // BLOCK)
        self._next = time.monotonic() + REPORT_SECONDS

    def take(self, places: Numbers, answers: BoardAnswers) -> None:
        """Take note of the answers to the boards at `places`."""
        questions = self._boards.questions[places]
        cells = np.where(answers.cells == UNKNOWN, questions, answers.cells)
        texts = texts_from_cells(self._boards.kind, cells)
        numbers = self._numbers[places]
        for number, text, ages in zip(numbers.tolist(), texts, answers.ages.tolist(), strict=True):
            self._news[number] = [number, text, ages]
        if self._final:
            np.subtract.at(self._open, numbers // BLOCK, 1)
        if time.monotonic() >= self._next:
            self.send()
            self._next = time.monotonic() + REPORT_SECONDS

    def send(self) -> None:
        """Send all that is new."""
        news = list(self._news.values())
        blocks = {number // BLOCK for number in self._news}
        self._news.clear()
        for start in range(0, len(news), MAX_ANSWERS):
            self._channel.send({"kind": "boards", "answers": news[start : start + MAX_ANSWERS]})
        finished = [str(block) for block in sorted(blocks) if not self._open[block]]
        if finished:
            self._channel.send({"kind": "finished", "items": finished})


def check_weights(loaded: Loaded, boards: BoardSet, name: str) -> None:
    """CheckpointError where the weights, called `name`, are not for boards of this kind and side."""
    check_domain(loaded.metadata, boards.kind, name)
    model, num_cells = loaded.model.config, boards.questions.shape[1]
    if model.length not in (0, num_cells):
        raise CheckpointError(
            f"{name}: weights for boards of {model.length} cells, {boards.kind} of side {boards.side} has "
            f"{num_cells}; name weights for this side"
        )
    if model.vocabulary != vocabulary(boards):
        raise CheckpointError(
            f"{name} knows {model.vocabulary} tokens, {boards.kind} of side {boards.side} has "
            f"{vocabulary(boards)}; name weights for this side"
        )


def _config(loaded: Loaded, request: Message, num_boards: int) -> PredictConfig:
    """How the boards are answered: the checkpoint's recipe with what was asked for in its place."""
    predict = apply_settings(loaded.preset, list(request["settings"])).predict
    asked = {key: request[key] for key in ("views", "ages", "seed") if request[key] is not None}
    config = with_values(predict, asked)
    return dataclasses.replace(config, batch_size=min(config.batch_size, max(1, num_boards)))


def _plain(config: PredictConfig) -> Message:
    """The configuration as plain JSON values (infinity as text)."""
    values = dataclasses.asdict(config)
    return {key: str(value) if value == float("inf") else value for key, value in values.items()}

"""One question, age by age: the answer as it stands after every refinement. L = side · side tokens."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from arc_solver.checkpoints.weights import Loaded
from arc_solver.domains.arc.examples import CANVASES, task_side
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.examples import BoardQueries
from arc_solver.domains.protocols import Canvas
from arc_solver.inference.adaptation import adapt, warm_model
from arc_solver.model.trm import Model, halting_logit
from arc_solver.tasks.puzzles import puzzles_of
from arc_solver.tasks.task import Task
from arc_solver.training.loop import Limits
from augment.canvas import place
from augment.grid import NUM_COLORS

FIRST_COLOR = 2
NO_COLOR = 255


@dataclass(frozen=True)
class Subject:
    """A model and a task as it stands; `code` (12,) is the puzzle it is told, `remark` says which."""

    model: Model
    task: Task
    code: npt.NDArray[np.int32]
    sides: tuple[int, ...]
    remark: str

    @classmethod
    def find(
        cls,
        loaded: Loaded,
        task: Task,
        adapt_steps: int | None,
        seed: int,
        device: torch.device,
        *,
        quiet: bool = True,
    ) -> Subject:
        """The task as the checkpoint knows it; else after `adapt_steps` of learning it, or without a row."""
        sides = CANVASES[loaded.preset.train.canvas]
        number = loaded.puzzles.find(task)
        if number is not None:
            code = loaded.puzzles.codes()[loaded.puzzles.starts[number]]
            return cls(loaded.model.to(device), task, code, sides, "known to the checkpoint")
        if adapt_steps is None:
            blank = np.array([0, 0, *range(NUM_COLORS)], np.int32)
            remark = (
                "unknown to the checkpoint, so it sees the blank row (--adapt-steps N learns the task first)"
            )
            return cls(loaded.model.to(device), task, blank, sides, remark)
        config = dataclasses.replace(loaded.preset.train, steps=adapt_steps, seed=seed)
        puzzles = puzzles_of([task], loaded.preset, seed)
        model = warm_model(loaded, puzzles)
        model = adapt(model, puzzles, [task], config, Limits(), device, quiet=quiet)
        return cls(model, task, puzzles.codes()[0], sides, f"learnt for {adapt_steps} steps")


def follow_answer(
    subject: Subject, index: int, ages: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Colors (ages, H, W) of the answer to test input `index`, and halting logits (ages,).

    H and W hold every colored cell of every age; 255 stands where there is no color.
    """
    side = task_side(subject.task, subject.sides)
    tokens = place(subject.task.test[index].input, side).reshape(1, -1)
    answers, logits = _thoughts(subject.model, tokens, subject.code[None], (side, side), ages)
    answers = answers.reshape(ages, side, side)
    colors = np.where(answers >= FIRST_COLOR, answers - np.uint8(FIRST_COLOR), NO_COLOR).astype(np.uint8)
    colored = (colors != NO_COLOR).any(axis=0)
    rows, columns = np.flatnonzero(colored.any(axis=1)), np.flatnonzero(colored.any(axis=0))
    height, width = (int(found[-1]) + 1 if len(found) else 1 for found in (rows, columns))
    return colors[:, :height, :width], logits


def follow_board(
    model: Model, board: BoardSet, ages: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Cells (ages, side, side) of the answer to the one board of `board`, and halting logits (ages,).

    A cell without a value is 0 in a Sudoku and 255 in a maze.
    """
    data, none = BoardQueries(board), np.zeros(1, np.int64)
    tokens, codes = np.empty((1, board.questions.shape[1]), np.uint8), np.empty((1, 12), np.int32)
    data.paint(0, none, tokens, codes)
    answers, logits = _thoughts(model, tokens, codes, data.canvases[0], ages)
    cells = data.restore(0, np.zeros(ages, np.int64), answers).cells
    return cells.reshape(ages, board.side, board.side), logits


@torch.inference_mode()
def _thoughts(
    model: Model,
    tokens: npt.NDArray[np.uint8],
    codes: npt.NDArray[np.int32],
    canvas: Canvas,
    ages: int,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """The answer (ages, L) to one question (1, L) after every age, and the halting logits (ages,)."""
    device = model.eval().first_answer.device
    question, code = torch.from_numpy(tokens).to(device), torch.from_numpy(codes).to(device)
    carry = model.first_carry(1, model.config.prefix + tokens.shape[1])
    answers, logits = np.empty((ages, tokens.shape[1]), np.uint8), np.empty(ages, np.float32)
    for age in range(ages):
        output = model(question, code, carry, canvas)
        carry = output.carry
        answers[age] = output.logits[0].argmax(dim=-1).to(torch.uint8).cpu().numpy()
        logits[age] = halting_logit(output.halt).float().item()
    return answers, logits

"""Composition root for boards: read, answer with a checkpoint, write a CSV, score where possible."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from arc_solver.boxes import boxed_weights
from arc_solver.config import ConfigError, apply_settings, with_values
from arc_solver.device import choose_device
from arc_solver.domain.boards import vocabulary
from arc_solver.evaluation import board_scores
from arc_solver.files import write_atomic
from arc_solver.inference.boards import answer_boards, num_contenders
from arc_solver.sources.board_set import UNKNOWN_RATING, BoardSet
from arc_solver.sources.puzzle_files import board_csv, read_boards
from arc_solver.task import DataError
from arc_solver.weights import load


def predict_boards(
    source: Path,
    out: Path,
    checkpoint: Path | None,
    *,
    settings: Sequence[str] = (),
    limits: dict[str, float | None] | None = None,
    deadline: float | None = None,
    device: str = "auto",
    num: int | None = None,
    skip_bad: bool = False,
    quiet: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Answer the first `num` boards of a file and write them beside their questions; returns what was done.

    `limits` are fields of PredictConfig (views, rollouts, ...). Boards not reached in time stay unanswered.
    """
    started = time.monotonic()
    boards, complaints = read_boards(source, skip_bad=skip_bad)
    boards = boards.take(slice(num))
    if complaints:
        say(f"{source.name}: {len(complaints)} bad boards left out; the first: {complaints[0]}")
    checkpoint = checkpoint or boxed_weights(boards.kind, boards.side)
    if checkpoint is None:
        raise DataError(
            f"{source}: no weights ship for {boards.kind} of side {boards.side}; name some with --checkpoint "
            f"(`arc-solve train --data {source}` makes them)"
        )
    loaded = load(checkpoint)
    trained = loaded.preset.train.domain
    if trained != boards.kind or loaded.model.config.length not in (0, boards.questions.shape[1]):
        raise ConfigError(
            f"{checkpoint} was trained on {trained}, not on {boards.kind} of side {boards.side}"
        )
    if loaded.model.config.vocabulary != vocabulary(boards):
        raise ConfigError(
            f"{checkpoint} knows {loaded.model.config.vocabulary} tokens, {boards.kind} of side "
            f"{boards.side} has {vocabulary(boards)}"
        )
    preset = apply_settings(loaded.preset, list(settings))
    config = with_values(preset.predict, {k: v for k, v in (limits or {}).items() if v is not None})
    config = dataclasses.replace(config, batch_size=min(config.batch_size, max(1, len(boards))))
    with tqdm(
        total=len(boards) * num_contenders(boards, config),
        desc="predict",
        unit="row",
        disable=True if quiet else None,
    ) as bar:
        answers = answer_boards(
            loaded.model.to(choose_device(device)),
            boards,
            config,
            stop=lambda: deadline is not None and time.monotonic() >= deadline,
            progress=bar.update,
        )
    given = np.where(answers.answered[:, None], answers.cells, 0).astype(np.uint8)
    unrated = np.full(len(boards), UNKNOWN_RATING, np.int64)
    write_atomic(out, board_csv(BoardSet(boards.kind, boards.questions, given, unrated), "arc-solver"))
    facts: dict[str, Any] = {
        "answers": str(out),
        "boards": len(boards),
        "unanswered": int((~answers.answered).sum()),
        "mean_ages": round(float(answers.ages.mean()), 3) if len(boards) else 0.0,
        "seconds": round(time.monotonic() - started, 2),
    }
    if boards.answers.any(axis=1).all():
        facts |= {name: round(share, 5) for name, share in board_scores(boards, answers.cells).items()}
    return facts

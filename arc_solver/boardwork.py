"""Composition root for boards: read, answer with a checkpoint, write a CSV, score where answers are at hand."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from arc_solver.boardfile import read_boards, written_boards
from arc_solver.config import ConfigError, apply_settings, with_values
from arc_solver.device import choose_device
from arc_solver.evaluation import board_scores
from arc_solver.files import write_atomic
from arc_solver.inference.boards import answer_boards
from arc_solver.task import DataError
from arc_solver.weights import load


def predict_boards(
    source: Path,
    out: Path,
    checkpoint: Path | None,
    *,
    settings: Sequence[str] = (),
    limits: dict[str, int | None] | None = None,
    deadline: float | None = None,
    device: str = "auto",
    num: int | None = None,
    skip_bad: bool = False,
    quiet: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Answer the first `num` boards of a file and write them beside their questions; returns what was done.

    `limits` are fields of PredictConfig (views, ages). Boards not reached by the deadline stay unanswered.
    """
    started = time.monotonic()
    boards = read_boards(source, skip_bad=skip_bad, notice=say).first(num)
    if checkpoint is None:
        raise DataError(f"{source}: boards need --checkpoint; train one with `arc-solve train --data {source}`")
    loaded = load(checkpoint)
    trained = loaded.preset.train.domain
    if trained != boards.domain or loaded.model.config.length not in (0, boards.length):
        raise ConfigError(f"{checkpoint} was trained on {trained}, not on {boards.domain} of side {boards.side}")
    if loaded.model.config.vocabulary != boards.vocabulary:
        raise ConfigError(
            f"{checkpoint} knows {loaded.model.config.vocabulary} tokens, {boards.domain} of side {boards.side} "
            f"has {boards.vocabulary}"
        )
    preset = apply_settings(loaded.preset, list(settings))
    config = with_values(preset.predict, {k: v for k, v in (limits or {}).items() if v is not None})
    config = dataclasses.replace(config, batch_size=min(config.batch_size, max(1, len(boards))))
    with tqdm(total=len(boards) * config.views, desc="predict", unit="board", disable=True if quiet else None) as bar:
        answers = answer_boards(
            loaded.model.to(choose_device(device)),
            boards,
            config,
            stop=lambda: deadline is not None and time.monotonic() >= deadline,
            progress=bar.update,
        )
    write_atomic(out, written_boards(boards, answers.cells, answers.answered))
    facts: dict[str, Any] = {
        "answers": str(out),
        "boards": len(boards),
        "unanswered": int((~answers.answered).sum()),
        "mean_ages": round(float(answers.ages.mean()), 3) if len(boards) else 0.0,
        "seconds": round(time.monotonic() - started, 2),
    }
    if boards.answers is not None:
        facts |= {name: round(share, 5) for name, share in board_scores(boards, answers.cells).items()}
    return facts

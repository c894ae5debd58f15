"""A kind of board as a domain: its material is a BoardSet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from arc_solver.config import ConfigError, Groups, ModelConfig, PredictConfig, Preset
from arc_solver.domains.boards.board_reader import looks_like
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.examples import BoardQuestions, BoardTraining, num_given_away
from arc_solver.domains.boards.kind import BoardKind
from arc_solver.domains.boards.reading import complaints_line, read_kinds
from arc_solver.domains.protocols import (
    Block,
    Bytes,
    Faults,
    Flags,
    Look,
    Notice,
    Numbers,
    Questions,
    Reading,
    trained_on,
)
from arc_solver.domains.published_content import is_published, material_from_published
from arc_solver.storage.text import DataError
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task, TaskFault

# Boards are given to workers, and reported as done, in blocks of consecutive ones.
BLOCK = 64
MAX_SCORED = 1000
NOTHING_TO_LEARN = "a board has no demonstrations to learn from; its weights are made by `arc-solve train`"
OF_TASKS = "canvas translate permute_colors all_pairs num_views early early_error retry_overflow weigh_views"
LEARNING = ("--preset", "--adapt-steps", "--adapt-each", "--keep")


@dataclass(frozen=True)
class BoardDomain:
    """Domain of boards of one kind; see `domains.protocols`."""

    kind: BoardKind
    attempts: int = 1
    learns: bool = False
    default_noise: float = 0.3
    default_out: str = "answers.csv"
    endings: tuple[str, ...] = (".csv", ".tsv", ".txt", ".sdk", ".sdm")
    evaluated_views: int | None = 1
    idle: Set[str] = frozenset([*OF_TASKS.split(), "adapt_rows_share"])
    refused: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(LEARNING, NOTHING_TO_LEARN))

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def noun(self) -> str:
        return f"{self.name} boards"

    @property
    def default_election(self) -> str:
        return self.kind.election

    @property
    def rules_decide(self) -> bool:
        return self.kind.rules_decide

    @property
    def training_file(self) -> str | None:
        return self.kind.training_file

    def recognizes(self, source: str, *, guess: bool = False) -> bool:
        if is_published(source):
            found = material_from_published(source)
            return isinstance(found, BoardSet) and found.kind == self.name
        return looks_like(self.kind.form, source, guess=guess)

    def read(self, source: str, reading: Reading, notice: Notice) -> tuple[BoardSet, Faults]:
        if is_published(source):
            found = material_from_published(source, reading.split)
            if not isinstance(found, BoardSet):
                raise DataError(f"{source}: tasks, expected boards")
            return found, {}
        boards, complaints = read_kinds([self.kind], source, reading, notice)
        if complaints:
            notice(complaints_line(source, complaints))
        return boards, {str(n): TaskFault(str(n), text, 0) for n, text in enumerate(complaints)}

    def read_scored(
        self, source: str, solutions: Path | None, trained: BoardSet, preset: Preset, notice: Notice
    ) -> BoardSet:
        if solutions is not None:
            raise DataError(
                f"{solutions}: solutions go with tasks; boards stand in one file with their answers"
            )
        boards, _ = self.read(source, Reading(need_answers=True), notice)
        if self.fault(preset.model, boards):
            raise DataError(f"{source}: {self._sized(boards)}, the run is for another side")
        if len(boards) > MAX_SCORED:
            notice(f"{source}: {len(boards):,} boards, of which the first {MAX_SCORED:,} are scored")
        boards = boards.take(slice(MAX_SCORED))
        if trained.side == boards.side and (num := num_given_away(boards, trained)):
            notice(trained_on(source, num, len(boards), "board"))
        return boards

    def for_training(self, material: BoardSet, hidden: Sequence[Task], notice: Notice) -> BoardSet:
        del hidden, notice
        return material

    def join(self, parts: Sequence[BoardSet]) -> BoardSet:
        return BoardSet.joined(parts)

    def take(self, material: BoardSet, places: Numbers | slice) -> BoardSet:
        return material.take(places)

    def part(
        self, material: BoardSet, faults: Faults, number: int, num_parts: int
    ) -> tuple[BoardSet, Faults]:
        num = len(material)
        return material.take(slice(num * (number - 1) // num_parts, num * number // num_parts)), faults

    def ids(self, material: BoardSet) -> list[str]:
        """The number of each board in its file, from 1."""
        return [str(number) for number in range(1, len(material) + 1)]

    def sides(self, material: BoardSet) -> list[int]:
        return [material.side] * len(material)

    def side(self, material: BoardSet) -> int:
        return material.side

    def blocks(self, material: BoardSet) -> Sequence[Block]:
        starts = range(0, len(material), BLOCK)
        parts = [np.arange(start, min(len(material), start + BLOCK)) for start in starts]
        return [Block(str(name), part, len(part), 1.0) for name, part in enumerate(parts)]

    def pack(self, material: BoardSet) -> dict[str, Any]:
        return {"side": material.side, "questions": self.kind.texts(material.questions)}

    def unpack(self, message: Mapping[str, Any]) -> BoardSet:
        questions = self.kind.cells(message["side"], message["questions"])
        return BoardSet.unrated(self.name, questions, np.zeros_like(questions))

    def check(self, model: ModelConfig, predict: PredictConfig | None = None) -> None:
        if "group_sums" in model.mixers:
            self.groups(model.length)
        if predict and predict.guess_after and self.kind.broken is None:
            raise ConfigError(
                f"guess_after={predict.guess_after}: guesses are taken back by the rules of a Sudoku, "
                f"this recipe is for {self.name}"
            )

    def groups(self, length: int) -> Groups:
        if self.kind.groups is None:
            raise ConfigError(f"group_sums among mixers is for other boards, this recipe is for {self.name}")
        return self.kind.groups(length)

    def fault(self, model: ModelConfig, material: BoardSet) -> str | None:
        cells, tokens = material.questions.shape[1], self.kind.vocabulary(material.side)
        sized = self._sized(material)
        if model.length not in (0, cells):
            return (
                f"weights for boards of {model.length} cells, {sized} has {cells}; name weights for this side"
            )
        if model.vocabulary != tokens:
            return f"knows {model.vocabulary} tokens, {sized} has {tokens}; name weights for this side"
        return None

    def training(self, material: BoardSet, preset: Preset) -> tuple[BoardTraining, PuzzleMap]:
        model = preset.model
        if self.fault(model, material):
            cells, tokens = material.questions.shape[1], self.kind.vocabulary(material.side)
            raise ConfigError(
                f"preset {preset.name!r} is for {model.length or 'any number of'} cells and "
                f"{model.vocabulary} tokens; {self._sized(material)} has {cells} "
                f"cells and {tokens} tokens (--set vocabulary={tokens})"
            )
        if preset.train.hint_weight and (not self.kind.labels or self.kind.labels.classes != model.hints):
            there = f"{self.kind.labels.classes} classes" if self.kind.labels else "none"
            raise ConfigError(f"hints={model.hints}: of dense labels {self.name} boards have {there}")
        puzzles = PuzzleMap("none" if model.embedding == "none" else "rows")
        return BoardTraining(self.kind, material, preset.train), puzzles

    def numbers(self, material: BoardSet, puzzles: PuzzleMap) -> Numbers:
        del puzzles
        return np.zeros(len(material), np.int64)

    def questions(
        self,
        material: BoardSet,
        puzzles: PuzzleMap,
        numbers: Sequence[int],
        config: PredictConfig,
        canvas: str,
    ) -> BoardQuestions:
        del puzzles, numbers, canvas
        return BoardQuestions(self.kind, material, config)

    def practice(self, questions: Questions) -> None:
        del questions

    def keeps_the_rules(self, material: BoardSet, queries: Numbers, cells: Bytes) -> Flags:
        return self.kind.keeps_the_rules(material.questions[queries], cells)

    def scores(self, material: BoardSet, cells: Bytes) -> dict[str, float]:
        """Shares of boards answered (n, L) as in the file (exact) and by the rules of their kind (valid)."""
        exact = (cells == material.answers).all(axis=1)
        return {
            "exact": float(exact.mean()),
            "valid": float(self.kind.solves(material.questions, cells).mean()),
        }

    def counts(self, material: BoardSet, answers: Sequence[Sequence[Bytes]]) -> dict[str, float]:
        cells = np.zeros_like(material.questions)
        for place, attempts in enumerate(answers):
            if attempts:
                cells[place] = attempts[0].ravel()
        shares = self.scores(material, cells) if len(material) else {"exact": 0.0, "valid": 0.0}
        return {"boards": len(material)} | {name: len(material) * share for name, share in shares.items()}

    def look(self, side: int) -> Look | None:
        return self.kind.look(side) if self.kind.look else None

    def _sized(self, boards: BoardSet) -> str:
        return f"{self.name} of side {boards.side}"

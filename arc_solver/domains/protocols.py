"""The protocol of a kind of puzzle, so that training, engine, election and commands need not know which.

Shapes: n queries, B rows, N answers, L tokens of a canvas (height · width), C cells of the largest answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from arc_solver.config import Groups, ModelConfig, PredictConfig, Preset
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task, TaskFault

Bytes = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Canvas = tuple[int, int]
Notice = Callable[[str], None]
Breaks = Callable[[Bytes], Flags]
Faults = Mapping[str, TaskFault]
M = TypeVar("M")
Moves = npt.NDArray[np.int32]
NEVER, NOT_ASKED = np.iinfo(np.int32).max, -1


class TrainingData(Protocol):
    """An endless stream of examples per canvas; example i of a canvas is a pure function of (seed, i)."""

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        """(height, width) of each group of slots."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Examples of an epoch per canvas: slots are divided in this proportion."""

    @property
    def fingerprint(self) -> str:
        """A hash of everything that determines example i."""

    def paint(self, group: int, first: int, tokens: Bytes, targets: Bytes, codes: Codes) -> None:
        """Write examples first, first + 1, ... of a group: tokens and targets (B, L), codes (B, 12)."""


class Hints(NamedTuple):
    """Dense labels of examples, and after how many moves from cell to cell each can be known."""

    labels: Bytes  # (B, L): a class from 1; 0 if none can be known
    label_moves: Moves  # (B, L); NEVER if none can be known, NOT_ASKED for cells without a label
    target_moves: Moves  # (B, L): when the target can be known; NOT_ASKED if the question gives it


@runtime_checkable
class HintedData(Protocol):
    """Training data of a domain that has dense labels."""

    def hints(self, tokens: Bytes, targets: Bytes) -> Hints:
        """The dense labels of painted examples, tokens and targets (B, L)."""


class Restored(NamedTuple):
    """Answers in the frame of their query, the views undone."""

    cells: Bytes  # (N, C): the cells in row-major order, then anything
    shapes: Bytes  # (N, 2): height, width; 0, 0 where the tokens form no answer
    keys: npt.NDArray[np.uint64]  # (N, 2): content hash
    overflow: Flags  # (N,): the answer reaches the far edge of a canvas that is not the largest


class QueryData(Protocol):
    """Rows to answer, grouped by canvas: each is one contender (a view and a chain) of one query."""

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        """(height, width) of each group."""

    def queries(self, group: int) -> Numbers:
        """The query of each row of a group."""

    def contenders(self, group: int) -> Numbers:
        """The contender of each row of a group; 0 is the query itself."""

    def turns(self, group: int) -> tuple[Numbers, Numbers]:
        """The view and the chain of each row of a group; chain 0 has no noise."""

    def paint(self, group: int, rows: Numbers, tokens: Bytes, codes: Codes) -> None:
        """Write the questions of some rows of a group to tokens (B, L) and codes (B, 12)."""

    def restore(self, group: int, rows: Numbers, answers: Bytes) -> Restored:
        """Undo the view of answers (N, L) to some rows of a group."""

    @property
    def breaks(self) -> Breaks | None:
        """Whether tokens (n, L), some of them blanks, break a rule; None: there are no rules."""

    def confidence(
        self, group: int, rows: Numbers, shapes: Bytes, log_probabilities: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32] | None:
        """(N,) from the log-probabilities (N, L) of the tokens; None: the halting probability is used."""


class Questions(Protocol):
    """Everything to ask about some material: each query under each of its contenders, in rounds."""

    @property
    def contenders(self) -> int:
        """The largest number of contenders of any query."""

    @property
    def owed(self) -> Numbers:
        """(n,): the number of rows of each query."""

    @property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """(n,): hashes of the content, so that noise does not depend on the order of queries."""

    @property
    def solved(self) -> Flags:
        """(n,): questions in which nothing is left to find."""

    def as_they_stand(self, chosen: Numbers) -> Restored:
        """The chosen questions as answers to themselves."""

    def round(self, first: int, last: int, chosen: Numbers) -> QueryData:
        """Contenders `first` up to `last` of the chosen queries."""

    def again(self, chosen: Numbers) -> QueryData | None:
        """All contenders of the chosen queries on the largest canvas; None if they were on it already."""


class Practice(Protocol):
    """Questions with known answers, asked under each view to learn what its ballots are worth."""

    def round(self, first: int, last: int, chosen: Numbers) -> QueryData:
        """What to ask before contenders `first` up to `last` of the chosen queries are."""

    def take(self, queries: Numbers, views: Numbers, answers: Restored) -> None:
        """Count answers (N,) of a round."""

    def weights(self, queries: Numbers, views: Numbers) -> npt.NDArray[np.float32]:
        """(N,): what ballots for queries under these views are worth, above 0, at most 1."""


class Block(NamedTuple):
    """The unit of work of a worker: name, indices in the material, number of queries, cost."""

    name: str
    places: Numbers
    num_queries: int
    cost: float


@dataclass(frozen=True, eq=False)
class Look:
    """How cell values are drawn: value v in `colors[v]` (V, 3) uint8, with `symbols[v]` on it if not empty.

    Without color, value v is `letters[v]`. Values from V on are left empty. Lines between boxes of `box` =
    (rows, columns) cells are thick. `names[v]`, if not empty, is for a legend.
    """

    colors: Bytes
    symbols: tuple[str, ...] = ()
    box: tuple[int, int] | None = None
    letters: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How a source is read: whether cells written as text are accepted, bad entries skipped, answers needed.

    `split` is that of a published folder; None: "test", or the only one.
    """

    lenient: bool = False
    skip_bad: bool = False
    need_answers: bool = False
    split: str | None = None


def trained_on(source: str, num: int, total: int, noun: str) -> str:
    """A warning about how much of what is scored was trained on."""
    nouns = noun if total == 1 else f"{noun}s"
    return f"warning: {source}: {num:,} of {total:,} scored {nouns} are in --data with their answers"


class Domain(Protocol[M]):
    """One kind of puzzle, with material of type M. Everything here is torch-free."""

    @property
    def name(self) -> str:
        """As in TrainConfig.domain."""

    @property
    def noun(self) -> str:
        """The plural noun for the material."""

    @property
    def attempts(self) -> int:
        """Answers written per query: two in a submission, one in a file of boards."""

    @property
    def learns(self) -> bool:
        """Whether puzzles that the weights do not know are learned from their demonstrations."""

    @property
    def default_out(self) -> str:
        """The default name of the file of answers."""

    @property
    def endings(self) -> tuple[str, ...]:
        """Endings of file names, for files whose content is not recognized."""

    @property
    def default_noise(self) -> float:
        """Default standard deviation of the noise in rollouts; 0: none was tried."""

    @property
    def default_election(self) -> str:
        """A name for `inference.election.election_of`."""

    @property
    def rules_decide(self) -> bool:
        """Whether only one answer to a puzzle keeps its rules."""

    @property
    def evaluated_views(self) -> int | None:
        """Views in the evaluations during training; None: as many as the recipe predicts with."""

    @property
    def training_file(self) -> str | None:
        """The file in --data-dir that the name of the domain stands for."""

    @property
    def refused(self) -> Mapping[str, str]:
        """Options of `predict` that do not apply, and why."""

    @property
    def idle(self) -> Set[str]:
        """Fields of a recipe that have no effect here."""

    # Files.
    def recognizes(self, source: str, *, guess: bool = False) -> bool:
        """Whether the content of a source is of this domain; with `guess`, more likely than of another."""

    def read(self, source: str, reading: Reading, notice: Notice) -> tuple[M, Faults]:
        """The material of a source, and faults for what cannot be read; DataError if nothing can."""

    def read_scored(
        self, source: str, solutions: Path | None, trained: M, preset: Preset, notice: Notice
    ) -> M:
        """Material with answers to score a run of `preset` on `trained`; DataError if it cannot."""

    def for_training(self, material: M, hidden: Sequence[Task], notice: Notice) -> M:
        """The part that may be trained on if `hidden` is asked for later; `notice` reports the rest."""

    def join(self, parts: Sequence[M]) -> M:
        """The material of several sources, for training."""

    def take(self, material: M, places: Numbers | slice) -> M:
        """The puzzles at some indices."""

    def part(self, material: M, faults: Faults, number: int, num_parts: int) -> tuple[M, Faults]:
        """Part `number`, counted from 1, the same on every machine."""

    def ids(self, material: M) -> list[str]:
        """The name of each puzzle on the command line."""

    def sides(self, material: M) -> list[int]:
        """The canvas side of each puzzle."""

    def side(self, material: M) -> int:
        """The side that weights are chosen for; 0 if weights take any."""

    def blocks(self, material: M) -> Sequence[Block]:
        """The units of work, in order."""

    def pack(self, material: M) -> dict[str, Any]:
        """The material without its answers, as plain values for another process."""

    def unpack(self, message: Mapping[str, Any]) -> M:
        """The inverse of `pack`, all answers unknown."""

    # Network.
    def check(self, model: ModelConfig, predict: PredictConfig | None = None) -> None:
        """ConfigError for a network, or settings of prediction, that do not suit this kind of puzzle."""

    def groups(self, length: int) -> Groups:
        """The groups in which this many cells exchange sums; ConfigError where there are none."""

    def fault(self, model: ModelConfig, material: M) -> str | None:
        """Why a network does not fit this material; None if it does."""

    def training(self, material: M, preset: Preset) -> tuple[TrainingData, PuzzleMap]:
        """The training data and puzzles of the material under a recipe."""

    def numbers(self, material: M, puzzles: PuzzleMap) -> Numbers:
        """(puzzles,): the number of each in `puzzles`; -1 for those that need test-time training."""

    def questions(
        self, material: M, puzzles: PuzzleMap, numbers: Sequence[int], config: PredictConfig, canvas: str
    ) -> Questions:
        """The questions about the material, whose puzzles have these numbers in `puzzles`."""

    # Judging.
    def practice(self, questions: Questions) -> Practice | None:
        """Practice for the questions of this domain; None if there is none."""

    def keeps_the_rules(self, material: M, queries: Numbers, cells: Bytes) -> Flags:
        """(N,): whether answers (N, C) keep the rules, checked WITHOUT searching for the answer."""

    def counts(self, material: M, answers: Sequence[Sequence[Bytes]]) -> dict[str, float]:
        """Scores as sums, the first of them the total; `answers` are the attempts per query."""

    def look(self, side: int) -> Look | None:
        """How cells are drawn; None: in the colors of ARC."""

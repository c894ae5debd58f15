"""What a kind of puzzle says of itself, so that training, engine, election and commands need not know it.

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
        """(height, width) of every group of slots."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Tasks or puzzles per canvas: slots are shared out in this proportion."""

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides which example i is."""

    def paint(self, group: int, first: int, tokens: Bytes, targets: Bytes, codes: Codes) -> None:
        """Write examples first, first + 1, ... of a group: tokens and targets (B, L), codes (B, 12)."""


class Hints(NamedTuple):
    """Dense labels of examples, and after how many moves from cell to cell each label can be known."""

    labels: Bytes  # (B, L): a class from 1; 0 where there is none to be known
    label_moves: Moves  # (B, L); NEVER where there is none, NOT_ASKED where nothing is asked
    target_moves: Moves  # (B, L): when the target can be known; NOT_ASKED where the question tells it


@runtime_checkable
class HintedData(Protocol):
    """Training data of a domain that has dense labels."""

    def hints(self, tokens: Bytes, targets: Bytes) -> Hints:
        """The dense labels of painted examples, tokens and targets (B, L)."""


class Restored(NamedTuple):
    """Answers turned back to the frame of their query."""

    cells: Bytes  # (N, C): row-major cells at the front
    shapes: Bytes  # (N, 2): height, width; 0, 0 where the tokens form no answer
    keys: npt.NDArray[np.uint64]  # (N, 2): content hash
    overflow: Flags  # (N,): the answer fills a canvas that is not the largest


class QueryData(Protocol):
    """Rows to answer, grouped by canvas: each is one query under one contender, a view and a chain."""

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        """(height, width) of every group."""

    def queries(self, group: int) -> Numbers:
        """The number of the query that each row of a group belongs to."""

    def contenders(self, group: int) -> Numbers:
        """The number of the contender that each row of a group is; 0 is the query as it stands."""

    def turns(self, group: int) -> tuple[Numbers, Numbers]:
        """The view and the chain of each row of a group; chain 0 goes without noise."""

    def paint(self, group: int, rows: Numbers, tokens: Bytes, codes: Codes) -> None:
        """Write the questions of some rows of a group into tokens (B, L) and codes (B, 12)."""

    def restore(self, group: int, rows: Numbers, answers: Bytes) -> Restored:
        """Undo the view of answers (N, L) to some rows of a group."""

    @property
    def breaks(self) -> Breaks | None:
        """Tells of tokens (n, L), some of them blanks, whether they break a rule; None: no rules."""

    def confidence(
        self, group: int, rows: Numbers, shapes: Bytes, log_probabilities: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32] | None:
        """(N,) from the log-probabilities (N, L) of the answers' tokens; None: the halting probability."""


class Questions(Protocol):
    """All that may be asked of some material: every query under each of its contenders, in rounds."""

    @property
    def contenders(self) -> int:
        """The most that any query has."""

    @property
    def owed(self) -> Numbers:
        """(n,): rows of every query."""

    @property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """(n,): of the content, so that noise does not depend on the place."""

    @property
    def solved(self) -> Flags:
        """(n,): questions in which nothing is left to be found."""

    def as_they_stand(self, chosen: Numbers) -> Restored:
        """The chosen questions as answers to themselves."""

    def round(self, first: int, last: int, chosen: Numbers) -> QueryData:
        """Contenders `first` up to `last` of the chosen queries."""

    def again(self, chosen: Numbers) -> QueryData | None:
        """All views of the chosen queries on the largest canvas; None where there is no larger one."""


class Block(NamedTuple):
    """What a worker is given as one piece: its name, its places in the material, its queries and its cost."""

    name: str
    places: Numbers
    num_queries: int
    cost: float


@dataclass(frozen=True, eq=False)
class Look:
    """How cell values are drawn: value v in `colors[v]` (V, 3) uint8, with `symbols[v]` on it if not empty.

    Without colors value v is `letters[v]`. Values beyond V are left empty. Lines between boxes of `box` =
    (rows, columns) cells are drawn thick.
    """

    colors: Bytes
    symbols: tuple[str, ...] = ()
    box: tuple[int, int] | None = None
    letters: str = ""


@dataclass(frozen=True)
class Reading:
    """How a source is read: cells written as text taken, bad entries left out, answers wanted.

    `split` is that of a published folder; None: "test", or what there is.
    """

    lenient: bool = False
    skip_bad: bool = False
    need_answers: bool = False
    split: str | None = None


def trained_on(source: str, num: int, total: int, noun: str) -> str:
    """How much of what is scored is trained on, in one line."""
    nouns = noun if total == 1 else f"{noun}s"
    return f"warning: {source}: {num:,} of {total:,} scored {nouns} are in --data with their answers"


class Domain(Protocol[M]):
    """One kind of puzzle, over material of type M. Everything here is torch-free."""

    @property
    def name(self) -> str:
        """As in TrainConfig.domain."""

    @property
    def noun(self) -> str:
        """What the material is called, in the plural."""

    @property
    def attempts(self) -> int:
        """Answers handed in for every query: two in a submission, one in a file of boards."""

    @property
    def learns(self) -> bool:
        """Whether a puzzle that the weights do not know is learned from its demonstrations."""

    @property
    def default_out(self) -> str:
        """The file of answers where none is named."""

    @property
    def endings(self) -> tuple[str, ...]:
        """Of the names of files whose content says nothing."""

    @property
    def default_noise(self) -> float:
        """Standard deviation of the noise in rollouts; 0: none was tried."""

    @property
    def default_election(self) -> str:
        """As in `inference.election.election_of`."""

    @property
    def rules_decide(self) -> bool:
        """Whether no two answers to a puzzle keep its rules."""

    @property
    def evaluated_views(self) -> int | None:
        """Views in the evaluations of a training run; None: as the recipe predicts."""

    @property
    def training_file(self) -> str | None:
        """The file of --data-dir that goes by the domain's name."""

    @property
    def refused(self) -> Mapping[str, str]:
        """Options of `predict` that make no sense here, and why."""

    @property
    def idle(self) -> Set[str]:
        """Fields of a recipe that have no effect here."""

    # Files.
    def recognises(self, source: str, *, guess: bool = False) -> bool:
        """Whether the content of a source looks like this, with `guess` rather than like anything else."""

    def read(self, source: str, reading: Reading, notice: Notice) -> tuple[M, Faults]:
        """The material of a source, and what of it cannot be read; DataError for one bad as a whole."""

    def read_scored(
        self, source: str, solutions: Path | None, trained: M, preset: Preset, notice: Notice
    ) -> M:
        """What scores a run of `preset` on `trained`: material with answers; DataError where it cannot."""

    def for_training(self, material: M, hidden: Sequence[Task], notice: Notice) -> M:
        """What of it may be trained on, `hidden` being asked for later; `notice` hears what may not."""

    def join(self, parts: Sequence[M]) -> M:
        """The material of several sources, to train on."""

    def take(self, material: M, places: Numbers | slice) -> M:
        """The puzzles at some places."""

    def part(self, material: M, faults: Faults, number: int, num_parts: int) -> tuple[M, Faults]:
        """Part `number`, counted from 1, the same on every machine."""

    def ids(self, material: M) -> list[str]:
        """What every puzzle is called on the command line."""

    def sides(self, material: M) -> list[int]:
        """The canvas side of every puzzle."""

    def side(self, material: M) -> int:
        """The side that weights are looked for by; 0 where weights take any."""

    def blocks(self, material: M) -> Sequence[Block]:
        """What is dealt out to workers, in order."""

    def pack(self, material: M) -> dict[str, Any]:
        """The material without its answers, as plain values for another process."""

    def unpack(self, message: Mapping[str, Any]) -> M:
        """The inverse of `pack`, all answers unknown."""

    def as_tasks(self, material: M) -> list[Task]:
        """The puzzles as tasks, for who draws them."""

    # Network.
    def check(self, model: ModelConfig, predict: PredictConfig | None = None) -> None:
        """ConfigError for a network or a way of answering that cannot be for this kind of puzzle."""

    def groups(self, length: int) -> Groups:
        """The groups in which this many cells exchange sums; ConfigError where there are none."""

    def fault(self, model: ModelConfig, material: M) -> str | None:
        """Why a network does not fit this material; None where it does."""

    def training(self, material: M, preset: Preset) -> tuple[TrainingData, PuzzleMap]:
        """The examples and puzzles that a recipe makes of it."""

    def numbers(self, material: M, puzzles: PuzzleMap) -> Numbers:
        """(puzzles,): the number of each in `puzzles`; -1 for what must be adapted to."""

    def questions(
        self, material: M, puzzles: PuzzleMap, numbers: Sequence[int], config: PredictConfig, canvas: str
    ) -> Questions:
        """What is asked, under the numbers that the puzzles have in `puzzles`."""

    # Judging.
    def keeps_the_rules(self, material: M, queries: Numbers, cells: Bytes) -> Flags:
        """(N,): what can be told of answers (N, C) WITHOUT solving the puzzle: no search for the answer."""

    def counts(self, material: M, answers: Sequence[Sequence[Bytes]]) -> dict[str, float]:
        """Scores as sums, the first of them of all that there is; `answers` are the attempts per query."""

    def look(self, side: int) -> Look | None:
        """How answers are drawn; None: in the colors of ARC."""

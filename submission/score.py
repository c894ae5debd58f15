"""The three scoring rules, with intervals, coverage and the hash of the truth."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scipy.special import ndtri

from submission.grid import Grid, GridError, check_grid, same_grid
from submission.kaggle_json import build_submission
from submission.lenient_reader import NUM_ATTEMPTS, Ranking, Remarks, read_answers
from submission.messages import count, quote
from submission.truth import TruthError
from submission.vote import Query

RULES = {"per_output": "Kaggle (per output)", "per_task": "per task (mean)", "strict": "strict (whole task)"}
_CANDIDATE_DEPTHS = (10, 100)
_Ranks = dict[str, tuple[int | None, ...]]


@dataclass(frozen=True)
class Rate:
    """`solved` of `total`; `solved` is fractional for means over tasks."""

    solved: float
    total: int

    @property
    def value(self) -> float:
        """The share solved, 0..1."""
        return self.solved / self.total

    @property
    def share(self) -> str:
        """As `17/400`, or `17.33/400` for a mean over tasks."""
        return f"{f'{self.solved:.2f}'.rstrip('0').rstrip('.')}/{self.total}"

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson score interval; conservative for a mean over tasks, whose spread is smaller."""
        z = float(ndtri(0.975))
        share, shrink = self.value, 1 + z * z / self.total
        center = (share + z * z / (2 * self.total)) / shrink
        spread = share * (1 - share) / self.total + z * z / (4 * self.total**2)
        margin = z / shrink * math.sqrt(max(spread, 0.0))
        return max(0.0, center - margin), min(1.0, center + margin)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:6.2f} % {self.share} [{100 * low:.1f}, {100 * high:.1f}]"


@dataclass(frozen=True)
class Score:
    """The rank (from 1) of the first right guess for every output of the truth, or None.

    `depths` are the k of pass@k: 1, 2, and more if more guesses were kept.
    """

    ranks: Mapping[str, tuple[int | None, ...]]
    depths: tuple[int, ...]
    truth_sha256: str
    remarks: Remarks

    @property
    def num_tasks(self) -> int:
        """Tasks in the truth."""
        return len(self.ranks)

    @property
    def num_outputs(self) -> int:
        """Outputs in the truth, the denominator of the headline."""
        return sum(len(ranks) for ranks in self.ranks.values())

    def rate(self, rule: str = "per_output", depth: int = NUM_ATTEMPTS) -> Rate:
        """pass@depth by one of RULES."""
        right = [[rank is not None and rank <= depth for rank in ranks] for ranks in self.ranks.values()]
        if rule == "per_output":
            return Rate(sum(sum(task) for task in right), self.num_outputs)
        if rule == "per_task":
            return Rate(math.fsum(sum(task) / len(task) for task in right), self.num_tasks)
        if rule == "strict":
            return Rate(sum(all(task) for task in right), self.num_tasks)
        raise ValueError(f"rule {quote(rule)}, expected one of {', '.join(RULES)}")

    def solved_outputs(self, depth: int = NUM_ATTEMPTS) -> list[Query]:
        """The outputs right within `depth` guesses, in the order of the truth."""
        return [
            Query(task_id, index)
            for task_id, ranks in self.ranks.items()
            for index, rank in enumerate(ranks)
            if rank is not None and rank <= depth
        ]

    def tasks(self, depth: int = NUM_ATTEMPTS) -> dict[str, list[str]]:
        """Ids by outcome: "solved" (every output), "partly" (some), "missed" (none)."""
        outcome: dict[str, list[str]] = {"solved": [], "partly": [], "missed": []}
        for task_id, ranks in self.ranks.items():
            right = sum(rank is not None and rank <= depth for rank in ranks)
            outcome["solved" if right == len(ranks) else "partly" if right else "missed"].append(task_id)
        return outcome

    def of_tasks(self, task_ids: Collection[str]) -> "Score":
        """The score of these tasks alone; those that the truth lacks are left out."""
        return replace(self, ranks={name: ranks for name, ranks in self.ranks.items() if name in task_ids})

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values with clean strings, ready for any JSON writer."""
        rules = {
            rule: {f"pass@{depth}": _rate_json(self.rate(rule, depth)) for depth in self.depths}
            for rule in RULES
        }
        return {
            "headline": {"rule": "per_output", "depth": NUM_ATTEMPTS, "value": self.rate().value},
            "rules": rules,
            "num_tasks": self.num_tasks,
            "num_outputs": self.num_outputs,
            "truth_sha256": self.truth_sha256,
            "tasks": self.tasks(),
            "remarks": self.remarks.to_json(),
        }

    def table(self) -> str:
        """The rules as a plain-text table, then the hash of the truth, then what was odd."""
        heads = "".join(f"{f'pass@{depth}':<32}" for depth in self.depths)
        lines = [f"{'rule':<21}{heads}".rstrip()]
        for rule, title in RULES.items():
            cells = "".join(f"{self.rate(rule, depth)!s:<32}" for depth in self.depths)
            lines.append(f"{title:<21}{cells}".rstrip())
        scored = f"{count(self.num_outputs, 'output')} of {count(self.num_tasks, 'task')}"
        lines.append(f"{scored}; brackets: 95 % Wilson intervals")
        lines.append(f"truth sha256 {self.truth_sha256}")
        return "\n".join([*lines, *self.remarks.lines()]) + "\n"


def score(
    submission: object,
    truth: Mapping[str, Sequence[Grid]],
    truth_sha256: str,
    candidates: Mapping[Query, Sequence[Grid]] | None = None,
) -> Score:
    """Score whatever a submission holds (see `load_answers`), against every output of the truth.

    With ranked `candidates`, pass@k counts an output whose truth is an attempt or among its first k
    candidates. TruthError for a truth without outputs.
    """
    right = _check_truth(truth)
    answers, remarks = read_answers(submission, {task_id: len(grids) for task_id, grids in right.items()})
    ranks: _Ranks = {}
    depth = NUM_ATTEMPTS
    for task_id, grids in right.items():
        found = []
        for index, (grid, guesses) in enumerate(zip(grids, answers[task_id], strict=True)):
            kept = list((candidates or {}).get(Query(task_id, index), ()))
            found.append(_first_right(grid, guesses, kept))
            depth = max(depth, len(guesses), len(kept))
        ranks[task_id] = tuple(found)
    depths = (1, NUM_ATTEMPTS, *(k for k in _CANDIDATE_DEPTHS if NUM_ATTEMPTS < k < depth))
    return Score(ranks, depths if depth in depths else (*depths, depth), truth_sha256, remarks)


def score_attempts(
    attempts: Mapping[Query, Sequence[Grid]], truth: Mapping[str, Sequence[Grid]], truth_sha256: str
) -> Score:
    """Score ranked grids per query by their first two; queries that are not in the truth are ignored."""
    owed = {task_id: len(grids) for task_id, grids in truth.items()}
    asked = {query: grids for query, grids in attempts.items() if query.index < owed.get(query.task_id, 0)}
    return score(build_submission(owed, asked), truth, truth_sha256)


def _check_truth(truth: Mapping[str, Sequence[Grid]]) -> dict[str, list[Grid]]:
    if not truth:
        raise TruthError("the truth holds no tasks, expected at least one")
    checked = {}
    for task_id, outputs in truth.items():
        if not outputs:
            raise TruthError(f"task {quote(task_id)} has no outputs in the truth, expected at least one")
        try:
            checked[task_id] = [check_grid(output) for output in outputs]
        except GridError as error:
            raise TruthError(f"task {quote(task_id)} in the truth: {error}") from error
    return checked


def _first_right(truth: Grid, guesses: Ranking, kept: Sequence[Grid]) -> int | None:
    ranks = [rank for rank, guess in enumerate(guesses, 1) if guess is not None and same_grid(guess, truth)]
    # A candidate that is not an attempt cannot count for pass@2, whatever its place in the list.
    ranks += [max(rank, NUM_ATTEMPTS + 1) for rank, grid in enumerate(kept, 1) if same_grid(grid, truth)]
    return min(ranks, default=None)


def _rate_json(rate: Rate) -> dict[str, Any]:
    return {"solved": rate.solved, "total": rate.total, "value": rate.value, "interval": list(rate.interval)}

"""Several solvers judged on known answers: each alone, merged by every rule, and whether merging wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from submission.candidates import Candidate
from submission.merge import learn_trust, merge_learned, merge_round_robin, merge_votes
from submission.messages import named
from submission.score import RULES as SCORING_RULES
from submission.score import Score, score_attempts
from submission.truth import Truth, TruthError

# Weights are judged on the half of the tasks that they were not learned from.
NUM_FOLDS = 2


@dataclass(frozen=True)
class Trial:
    """The scores of every source alone and of every rule on the same answers."""

    alone: Mapping[str, Score]
    merged: Mapping[str, Score]
    order: tuple[str, ...]  # the sources, strongest first
    trust: Mapping[str, float]
    honest: bool  # whether the learned weights were judged on tasks that they were not learned from
    overlap: str

    @property
    def rule(self) -> str:
        """The rule that solves most, the first of several."""
        return max(self.merged, key=lambda name: num_solved(self.merged[name]))

    @property
    def merging_wins(self) -> bool:
        """Whether that rule solves more than every source alone."""
        return num_solved(self.merged[self.rule]) > num_solved(self.alone[self.order[0]])

    @property
    def advice(self) -> str:
        """What to submit, with the figures, in one line."""
        strongest = named(self.order[0])
        figures = f"{strongest} alone solves {num_solved(self.alone[self.order[0]])}, " + ", ".join(
            f"{rule} {num_solved(score)}" for rule, score in self.merged.items()
        )
        if self.merging_wins:
            return f"recommended: merge by {self.rule} ({figures})"
        return f"recommended: do not merge, hand in {strongest} ({figures})"

    def table(self) -> str:
        """Every source and every rule by the three scoring rules at two attempts; then who solved what."""
        rows = [(named(name), score) for name, score in self.alone.items()]
        rows += [(f"merged: {rule}", score) for rule, score in self.merged.items()]
        wide = max(len(name) for name, _ in rows)
        lines = [f"{'pass@2':<{wide}}" + "".join(f"  {title:>20}" for title in SCORING_RULES.values())]
        for name, score in rows:
            rates = [score.rate(rule) for rule in SCORING_RULES]
            cells = (f"{100 * rate.value:.2f} % {rate.share}" for rate in rates)
            lines.append(f"{name:<{wide}}" + "".join(f"  {cell:>20}" for cell in cells))
        how = (
            "each half of the tasks is merged by weights learned on the other half"
            if self.honest
            else "in-sample, judged on the only known task"
        )
        weights = ", ".join(f"{named(name)} {value:.2f}" for name, value in self.trust.items())
        return "\n".join([*lines, self.overlap, f"learnt: {how}; weights from all known tasks: {weights}"])

    def facts(self) -> dict[str, Any]:
        """The figures as plain values."""
        return {
            "alone": {name: _score_facts(score) for name, score in self.alone.items()},
            "merged": {rule: _score_facts(score) for rule, score in self.merged.items()},
            "num_outputs": next(iter(self.merged.values())).num_outputs,
            "truth_sha256": next(iter(self.merged.values())).truth_sha256,
            "trust": dict(self.trust),
            "learnt_estimate": "other half" if self.honest else "in-sample",
            "overlap": self.overlap,
            "recommended": {"merge": True, "rule": self.rule}
            if self.merging_wins
            else {"merge": False, "source": self.order[0]},
        }


def num_solved(score: Score) -> int:
    """Outputs right within two attempts."""
    return len(score.solved_outputs())


def try_out(candidates: Sequence[Candidate], truth: Truth, digest: str) -> Trial:
    """Judge every source and every rule on these tasks; TruthError if no candidate is for one of them."""
    known = [candidate for candidate in candidates if candidate.query.task_id in truth]
    if not known:
        raise TruthError("no candidate is for a task whose answer is known, so the rules cannot be compared")
    names = sorted({candidate.source for candidate in known})
    rankings = {name: merge_votes([c for c in known if c.source == name]) for name in names}
    alone = {name: score_attempts(ranking, truth, digest) for name, ranking in rankings.items()}
    order = tuple(sorted(names, key=lambda name: -num_solved(alone[name])))
    trust = learn_trust(known, truth)
    honest = len(truth) >= NUM_FOLDS
    rules = {
        "votes": merge_votes(known),
        "round-robin": merge_round_robin(known, order),
        "learnt": merge_learned(known, truth, NUM_FOLDS) if honest else merge_votes(known, trust),
    }
    merged = {rule: score_attempts(ranking, truth, digest) for rule, ranking in rules.items()}
    strongest = max(rules, key=lambda rule: num_solved(merged[rule]))
    return Trial(alone, merged, order, trust, honest, _overlap(alone, merged[strongest]))


def _overlap(alone: Mapping[str, Score], merged: Score) -> str:
    """How many outputs each source alone solves and others do not, and what the best rule makes of it."""
    solved = {name: set(score.solved_outputs()) for name, score in alone.items()}
    if len(solved) == 2:
        (first, own), (second, other) = solved.items()
        found = set(merged.solved_outputs())
        return (
            f"outputs solved by {named(first)} alone {len(own - other)}, "
            f"{named(second)} alone {len(other - own)}, both {len(own & other)}; "
            f"the best rule gains {len(found - own - other)}, loses {len((own | other) - found)}"
        )
    shares = []
    for name, own in solved.items():
        others = set().union(*(found for other, found in solved.items() if other != name))
        shares.append(f"{named(name)} alone {len(own - others)}")
    return f"outputs solved by {', '.join(shares)}, all {len(set.intersection(*solved.values()))}"


def _score_facts(score: Score) -> dict[str, float]:
    return {rule: score.rate(rule).value for rule in SCORING_RULES} | {"solved": num_solved(score)}

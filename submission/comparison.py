"""Two solvers against their merge on the same truth, and whether merging is worth it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from submission.grid import Grid
from submission.score import RULES, Score, score_attempts
from submission.vote import Query


@dataclass(frozen=True)
class Comparison:
    """The scores of A, of B and of the merge; outputs solved by A alone, B alone, both, and what merging did.

    `gained`: the merge solves what neither did; `lost`: it misses what at least one of them solved.
    """

    a: Score
    b: Score
    merged: Score
    a_alone: tuple[Query, ...]
    b_alone: tuple[Query, ...]
    both: tuple[Query, ...]
    gained: tuple[Query, ...]
    lost: tuple[Query, ...]

    def table(self, names: tuple[str, str] = ("A", "B")) -> str:
        """The rules at two attempts for the three, then the overlaps, as plain text."""
        wide = max(8, *(len(name) for name in names))
        scores = {names[0]: self.a, names[1]: self.b, "merged": self.merged}
        lines = [f"{'pass@2':<{wide}}" + "".join(f"  {title:>20}" for title in RULES.values())]
        for name, result in scores.items():
            rates = [result.rate(rule) for rule in RULES]
            cells = (f"{100 * rate.value:.2f} % {rate.solved:g}/{rate.total}" for rate in rates)
            lines.append(f"{name:<{wide}}" + "".join(f"  {cell:>20}" for cell in cells))
        lines.append(
            f"outputs solved by {names[0]} alone {len(self.a_alone)}, {names[1]} alone {len(self.b_alone)}, "
            f"both {len(self.both)}; the merge gains {len(self.gained)}, loses {len(self.lost)}"
        )
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Recommendation:
    """What to hand in: "a", "b", or the name of a strategy; with the reason in one line."""

    choice: str
    reason: str


def compare(
    a: Mapping[Query, Sequence[Grid]],
    b: Mapping[Query, Sequence[Grid]],
    merged: Mapping[Query, Sequence[Grid]],
    truth: Mapping[str, Sequence[Grid]],
    truth_sha256: str = "",
) -> Comparison:
    """Score the first two grids per query of A, B and their merge, and compare which outputs they solve."""
    score_a, score_b, score_merged = (
        score_attempts(attempts, truth, truth_sha256) for attempts in (a, b, merged)
    )
    in_a, in_b, in_merged = (set(result.solved_outputs()) for result in (score_a, score_b, score_merged))
    return Comparison(
        score_a,
        score_b,
        score_merged,
        a_alone=tuple(sorted(in_a - in_b)),
        b_alone=tuple(sorted(in_b - in_a)),
        both=tuple(sorted(in_a & in_b)),
        gained=tuple(sorted(in_merged - in_a - in_b)),
        lost=tuple(sorted((in_a | in_b) - in_merged)),
    )


def recommend(comparisons: Mapping[str, Comparison]) -> Recommendation:
    """The strategy (by name) that solves most outputs if it beats both A and B; else the better of these.

    Of equal strategies the first is taken, so name the simplest first. ValueError without any.
    """
    if not comparisons:
        raise ValueError("no comparison to judge, expected at least one strategy")
    solved = {name: len(comparison.merged.solved_outputs()) for name, comparison in comparisons.items()}
    best = max(solved, key=solved.__getitem__)
    a, b = (len(result.solved_outputs()) for result in (comparisons[best].a, comparisons[best].b))
    total = comparisons[best].a.num_outputs
    figures = f"A {a}, B {b}, {best} {solved[best]} of {total} outputs"
    if solved[best] > max(a, b):
        return Recommendation(best, f"merge by {best}: {figures}")
    better = "a" if a >= b else "b"
    return Recommendation(better, f"do not merge, hand in {better.upper()}: {figures}")

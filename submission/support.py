"""The support of an attempt: its votes, weight and confidence among the candidates of a file."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from submission.candidates import Candidate
from submission.grid import Content, Grid, content_of
from submission.messages import count
from submission.vote import Query


@dataclass(frozen=True)
class Support:
    """The summed weight of a grid's candidates; votes, views, mean confidence if all of them have these."""

    weight: float
    votes: int | None = None
    confidence: float | None = None
    views: int | None = None

    def __str__(self) -> str:
        """As `17 votes of 64 views, confidence 0.912`, `1 vote` or `weight 0.37`."""
        if self.votes is None:
            text = f"weight {self.weight:.6g}"
        elif self.views is None:
            text = count(self.votes, "vote")
        else:
            text = f"{count(self.votes, 'vote')} of {count(self.views, 'view')}"
        return text if self.confidence is None else f"{text}, confidence {self.confidence:.3f}"


def support(
    candidates: Iterable[Candidate], attempts: Mapping[Query, Sequence[Grid | None]]
) -> dict[Query, list[Support | None]]:
    """The support of every attempt's grid, weight 0 if it is not a candidate; None for None."""
    by_query: dict[Query, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.query in attempts:
            by_query[candidate.query].append(candidate)
    return {query: _supports(by_query.get(query, []), grids) for query, grids in attempts.items()}


def _supports(candidates: Sequence[Candidate], grids: Sequence[Grid | None]) -> list[Support | None]:
    by_content: dict[Content, list[Candidate]] = defaultdict(list)
    views: dict[str, int | None] = {}
    for candidate in candidates:
        by_content[content_of(candidate.grid)].append(candidate)
        views[candidate.source] = candidate.views
    num_views = _total(list(views.values()))
    counted = all(candidate.votes is not None for candidate in candidates)
    return [
        None if grid is None else _support(by_content.get(content_of(grid), []), num_views, counted)
        for grid in grids
    ]


def _support(candidates: Sequence[Candidate], views: int | None, counted: bool) -> Support:
    votes = _total([candidate.votes for candidate in candidates]) if candidates else 0
    weights = [candidate.weight for candidate in candidates]
    known = [candidate.confidence for candidate in candidates if candidate.confidence is not None]
    confidence = None
    if candidates and len(known) == len(candidates):
        shares = [candidate.votes or 0 for candidate in candidates] if votes else weights
        # Scaled by the largest: weights may be so large that their sum overflows.
        parts = [share / max(shares) for share in shares]
        confidence = math.fsum(p * c for p, c in zip(parts, known, strict=True)) / math.fsum(parts)
    return Support(sum(weights), votes if counted else None, confidence, views)


def _total(numbers: Sequence[int | None]) -> int | None:
    """The sum; None if one of them is unknown or there are none."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known and len(known) == len(numbers) else None

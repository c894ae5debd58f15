"""Candidates of several solvers merged into one ranking per query: three rules, one of them learned."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from submission.candidates import Candidate
from submission.grid import Content, Grid, content_of, grid_of
from submission.truth import TruthError
from submission.vote import Query

Rankings = dict[Query, list[Grid]]
_Shares = dict[Content, float]
_ROUNDS = 100


@dataclass(frozen=True)
class Shares:
    """The part of its weight that a source gives a grid: `parts[query][source][grid]`, summing to 1.

    `confidence[query][grid]` is the mean over candidates that have one, else 0; it breaks ties.
    """

    sources: tuple[str, ...]
    parts: Mapping[Query, Mapping[str, Mapping[Content, float]]]
    confidence: Mapping[Query, Mapping[Content, float]]


def share_out(candidates: Iterable[Candidate]) -> Shares:
    """Weights normalized per source and query, those of equal grids of one source added up."""
    weights: dict[Query, dict[str, dict[Content, list[float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    known: dict[Query, dict[Content, list[float]]] = defaultdict(lambda: defaultdict(list))
    for candidate in candidates:
        content = content_of(candidate.grid)
        weights[candidate.query][candidate.source][content].append(candidate.weight)
        known[candidate.query][content] += [] if candidate.confidence is None else [candidate.confidence]
    parts = {
        query: {source: _normalized(grids) for source, grids in sorted(by_source.items())}
        for query, by_source in sorted(weights.items())
    }
    sources = sorted({source for by_source in parts.values() for source in by_source})
    confidence = {
        query: {content: math.fsum(values) / max(1, len(values)) for content, values in by_content.items()}
        for query, by_content in known.items()
    }
    return Shares(tuple(sources), parts, confidence)


def merge_votes(candidates: Iterable[Candidate], trust: Mapping[str, float] | None = None) -> Rankings:
    """Every query's grids by their summed shares, each source times its trust (1 if none is given)."""
    shares = share_out(candidates)
    trust = trust or {}
    rankings = {}
    for query, by_source in shares.parts.items():
        terms: dict[Content, list[float]] = defaultdict(list)
        for source, grids in by_source.items():
            for content, part in grids.items():
                terms[content].append(trust.get(source, 1.0) * part)
        scores = {content: math.fsum(parts) for content, parts in terms.items()}
        rankings[query] = [grid_of(content) for content in _sorted(scores, shares.confidence[query])]
    return rankings


def merge_round_robin(candidates: Iterable[Candidate], order: Sequence[str] | None = None) -> Rankings:
    """The best grid of each source in turn, then the second of each, without repetitions.

    `order` names the sources, strongest first; those it omits follow by name.
    """
    shares = share_out(candidates)
    named = dict.fromkeys([*(order or ()), *shares.sources])
    rankings = {}
    for query, by_source in shares.parts.items():
        sure = shares.confidence[query]
        lists = [_sorted(by_source[source], sure) for source in named if source in by_source]
        turns: dict[Content, None] = {}
        for turn in range(max(len(contents) for contents in lists)):
            turns |= dict.fromkeys(contents[turn] for contents in lists if turn < len(contents))
        rankings[query] = [grid_of(content) for content in turns]
    return rankings


def fill_up(first: Rankings, others: Rankings, num: int) -> Rankings:
    """`first`, filled up to `num` grids per query with those of `others` that it lacks."""
    filled = {query: list(grids) for query, grids in first.items()}
    for query, grids in others.items():
        own = filled.setdefault(query, [])
        known = {content_of(grid) for grid in own}
        for grid in grids:
            if len(own) < num and content_of(grid) not in known:
                known.add(content_of(grid))
                own.append(grid)
    return filled


def learn_trust(candidates: Iterable[Candidate], truth: Mapping[str, Sequence[Grid]]) -> dict[str, float]:
    """Trust per source, summing to 1, that makes the truth of a calibration set most likely.

    The shares form a mixture whose weights are fitted by expectation maximization, with one pseudo-query per
    source, so that no source falls to zero. Outputs that no source proposed carry no information.
    """
    shares = share_out(candidates)
    if not shares.sources:
        raise TruthError("no candidates to learn from, expected some for tasks of the truth")
    rows = []
    for query, by_source in shares.parts.items():
        outputs = truth.get(query.task_id, ())
        if query.index < len(outputs):
            right = content_of(outputs[query.index])
            rows.append([by_source.get(source, {}).get(right, 0.0) for source in shares.sources])
    trust = _mixture(np.array(rows, dtype=np.float64).reshape(-1, len(shares.sources)))
    return dict(zip(shares.sources, trust.tolist(), strict=True))


def merge_learned(
    candidates: Iterable[Candidate], truth: Mapping[str, Sequence[Grid]], folds: int = 5
) -> Rankings:
    """The merge of a calibration set itself, each fold of its tasks by the trust learned on the other folds.

    It judges `learn_trust` honestly: no query is merged by weights that saw its truth.
    """
    everything = list(candidates)
    fold_of = {task_id: place % folds for place, task_id in enumerate(sorted(truth))}
    rankings: Rankings = {}
    for fold in range(folds):
        inside = [c for c in everything if fold_of.get(c.query.task_id) == fold]
        outside = [c for c in everything if fold_of.get(c.query.task_id, fold) != fold]
        trust = learn_trust(outside, truth) if outside else None
        rankings |= merge_votes(inside, trust)
    return rankings


def _mixture(likelihoods: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    num_sources = likelihoods.shape[1]
    likelihoods = likelihoods[likelihoods.any(axis=1)]
    trust = np.full(num_sources, 1 / num_sources)
    for _ in range(_ROUNDS):
        blame = likelihoods * trust
        blame /= blame.sum(axis=1, keepdims=True)
        trust = (blame.sum(axis=0) + 1) / (len(likelihoods) + num_sources)
    return trust


def _normalized(grids: Mapping[Content, list[float]]) -> _Shares:
    # Weights may be any positive numbers; scaled by the largest, their sum cannot overflow.
    largest = max(weight for weights in grids.values() for weight in weights)
    scaled = {content: math.fsum(w / largest for w in weights) for content, weights in sorted(grids.items())}
    total = math.fsum(scaled.values())
    return {content: weight / total for content, weight in scaled.items()}


def _sorted(scores: Mapping[Content, float], confidence: Mapping[Content, float]) -> list[Content]:
    """Highest score first, then highest confidence, then fewest rows, fewest columns and smallest cells."""
    return sorted(scores, key=lambda content: (-scores[content], -confidence[content], content))

"""Merging candidate files: the rules compared on known answers, weights learnt, one complete submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arc_solver.files import write_atomic
from arc_solver.judging import owed_outputs, read_truth
from arc_solver.task import read_tasks_softly
from submission.candidates import Candidate, keep_owed, read_candidates
from submission.comparison import compare
from submission.kaggle_json import build_submission, dump_submission, expected_queries
from submission.merge import Rankings, learn_trust, merge_learnt, merge_round_robin, merge_votes
from submission.score import RULES as SCORING_RULES
from submission.score import Score, score_attempts
from submission.truth import Truth, TruthError

# Weights are judged on the half of the tasks that they were not learnt from.
NUM_FOLDS = 2


@dataclass(frozen=True)
class Trial:
    """What the known answers say of every file alone and of every rule."""

    alone: Mapping[str, Score]
    merged: Mapping[str, Score]
    order: tuple[str, ...]  # the files, strongest first
    trust: Mapping[str, float]
    honest: bool  # whether the learnt weights were judged on other tasks than they were learnt from
    overlap: str

    @property
    def rule(self) -> str:
        """The first of the rules that solve most."""
        return max(self.merged, key=lambda name: num_solved(self.merged[name]))

    @property
    def merging_wins(self) -> bool:
        """Whether that rule solves more than every file alone."""
        return num_solved(self.merged[self.rule]) > num_solved(self.alone[self.order[0]])

    @property
    def best(self) -> str:
        """What to hand in: the best rule where merging wins, else the strongest file."""
        return self.rule if self.merging_wins else self.order[0]


def merge_files(
    paths: Sequence[Path], tasks: str, out: Path, rule: str | None, solutions: str | None
) -> dict[str, Any]:
    """Merge candidate files into the complete submission `out`; facts, with a text for people under "text".

    Without `rule` what does best on `solutions` is written, without `solutions` the votes.
    """
    readable, faults = read_tasks_softly(tasks)
    owed = owed_outputs(readable, faults)
    queries = expected_queries(owed)
    names = _names(paths)
    mine: list[Candidate] = []
    num_foreign = 0
    for name, path in zip(names, paths, strict=True):
        kept, others = keep_owed(read_candidates(path, name), queries)
        mine += kept
        num_foreign += others
    trial = None if solutions is None else _try_out(mine, names, *_known(solutions, owed))
    alone = None if rule or not trial or trial.merging_wins else trial.order[0]
    choice = rule or (trial.best if trial else "votes")
    merged = (
        merge_votes([c for c in mine if c.source == alone])
        if alone
        else _rankings(mine, names, choice, trial)
    )
    write_atomic(out, dump_submission(build_submission(owed, merged)))
    answered = sum(1 for query in queries if merged.get(query))
    lines = [_table(trial), _advice(trial)] if trial else []
    lines += [f"{num_foreign} candidates are not for these tasks and were left out"] if num_foreign else []
    lines.append(f"{out}: {len(owed)} tasks, {answered} of {len(queries)} outputs answered, by {choice}")
    return {
        "submission": str(out),
        "tasks": len(owed),
        "outputs": len(queries),
        "answered": answered,
        "left_out": num_foreign,
        "files": dict(zip(names, map(str, paths), strict=True)),
        "choice": choice,
        **(_trial_facts(trial) if trial else {}),
        "text": "\n".join(lines),
    }


def num_solved(score: Score) -> int:
    """Outputs right within two attempts."""
    return len(score.solved_outputs())


def _names(paths: Sequence[Path]) -> list[str]:
    """One name per file: its own up to the first dot, numbered where two are called the same."""
    stems = [path.name.split(".")[0] or path.name for path in paths]
    if len(set(stems)) == len(stems):
        return stems
    return [f"{stem} ({place})" for place, stem in enumerate(stems, start=1)]


def _known(solutions: str, owed: Mapping[str, int]) -> tuple[Truth, str]:
    """The right answers of tasks that are owed, and the hash of their file."""
    truth, digest = read_truth(solutions)
    known = {task_id: truth[task_id] for task_id in owed if task_id in truth}
    if not known:
        raise TruthError(f"{solutions}: answers none of the tasks; give the solutions that belong to --tasks")
    return known, digest


def _try_out(mine: Sequence[Candidate], names: Sequence[str], truth: Truth, digest: str) -> Trial:
    known = [candidate for candidate in mine if candidate.query.task_id in truth]
    if not known:
        raise TruthError("no candidate is for a task whose answer is known, so the rules cannot be compared")
    rankings = {name: merge_votes([c for c in known if c.source == name]) for name in names}
    alone = {name: score_attempts(ranking, truth, digest) for name, ranking in rankings.items()}
    order = tuple(sorted(names, key=lambda name: -num_solved(alone[name])))
    trust = learn_trust(known, truth)
    honest = len(truth) >= NUM_FOLDS
    rules = {
        "votes": merge_votes(known),
        "round-robin": merge_round_robin(known, order),
        "learnt": merge_learnt(known, truth, NUM_FOLDS) if honest else merge_votes(known, trust),
    }
    merged = {rule: score_attempts(ranking, truth, digest) for rule, ranking in rules.items()}
    strongest = max(rules, key=lambda rule: num_solved(merged[rule]))
    return Trial(alone, merged, order, trust, honest, _overlap(rankings, rules[strongest], truth, alone))


def _overlap(
    rankings: Mapping[str, Rankings], merged: Rankings, truth: Truth, alone: Mapping[str, Score]
) -> str:
    """Who solved what alone, and what the best rule makes of it."""
    if len(rankings) == 2:
        a, b = rankings
        found = compare(rankings[a], rankings[b], merged, truth)
        return (
            f"outputs solved by {a} alone {len(found.a_alone)}, {b} alone {len(found.b_alone)}, "
            f"both {len(found.both)}; the best rule gains {len(found.gained)}, loses {len(found.lost)}"
        )
    solved = {name: set(score.solved_outputs()) for name, score in alone.items()}
    shares = []
    for name, own in solved.items():
        others = set().union(*(found for other, found in solved.items() if other != name))
        shares.append(f"{name} alone {len(own - others)}")
    return f"outputs solved by {', '.join(shares)}, all {len(set.intersection(*solved.values()))}"


def _rankings(mine: Sequence[Candidate], names: Sequence[str], choice: str, trial: Trial | None) -> Rankings:
    """The ranked grids that a rule gives every query."""
    if choice == "votes":
        return merge_votes(mine)
    if choice == "round-robin":
        return merge_round_robin(mine, trial.order if trial else names)
    return merge_votes(mine, trial.trust if trial else None)


def _table(trial: Trial) -> str:
    """Every file and every rule by the three scoring rules at two attempts."""
    rows = {**trial.alone, **{f"merged: {rule}": score for rule, score in trial.merged.items()}}
    wide = max(len(name) for name in rows)
    lines = [f"{'pass@2':<{wide}}" + "".join(f"  {title:>20}" for title in SCORING_RULES.values())]
    for name, score in rows.items():
        rates = [score.rate(rule) for rule in SCORING_RULES]
        cells = (f"{100 * rate.value:.2f} % {rate.solved:g}/{rate.total}" for rate in rates)
        lines.append(f"{name:<{wide}}" + "".join(f"  {cell:>20}" for cell in cells))
    how = (
        "each half of the tasks is merged by weights learnt on the other half"
        if trial.honest
        else "in-sample, judged on the only known task"
    )
    weights = ", ".join(f"{name} {value:.2f}" for name, value in trial.trust.items())
    return "\n".join([*lines, trial.overlap, f"learnt: {how}; weights from all known tasks: {weights}"])


def _advice(trial: Trial) -> str:
    strongest = trial.order[0]
    figures = f"{strongest} alone solves {num_solved(trial.alone[strongest])}, " + ", ".join(
        f"{rule} {num_solved(score)}" for rule, score in trial.merged.items()
    )
    if trial.merging_wins:
        return f"recommended: merge by {trial.best} ({figures})"
    return f"recommended: do not merge, hand in {strongest} ({figures})"


def _trial_facts(trial: Trial) -> dict[str, Any]:
    scores = {**trial.alone, **{f"merged: {rule}": score for rule, score in trial.merged.items()}}
    return {
        "scores": {
            name: {rule: score.rate(rule).value for rule in SCORING_RULES} | {"solved": num_solved(score)}
            for name, score in scores.items()
        },
        "num_outputs": next(iter(trial.merged.values())).num_outputs,
        "trust": dict(trial.trust),
        "learnt_estimate": "other half" if trial.honest else "in-sample",
        "overlap": trial.overlap,
        "recommended": trial.best,
    }

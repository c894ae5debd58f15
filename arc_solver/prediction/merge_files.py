"""Candidate files merged into one complete submission, by rules compared and weights learned on answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from arc_solver.corpus.named_tasks import read_named_softly
from arc_solver.prediction.manifest import now_text, source_facts, versions, write_manifest
from arc_solver.prediction.truth import owed_outputs, read_truth
from arc_solver.storage.files import sha256_file, sweep_beside, write_atomic
from arc_solver.tasks.reader import refuse_unreadable
from arc_solver.tasks.task import Task
from submission.candidates import Candidate, CandidateError, keep_owed, read_candidates
from submission.kaggle_json import build_submission, dump_submission, expected_queries
from submission.lenient_reader import NUM_ATTEMPTS
from submission.merge import Rankings, fill_up, merge_round_robin, merge_votes
from submission.messages import count, quote
from submission.trial import Trial, try_out
from submission.truth import TruthError


@dataclass(frozen=True)
class Merge:
    """What to merge: `files` of candidates for `tasks`, by `rule` or by the best one.

    `solutions` answers these tasks or, if `calibrate` names one more file of candidates for each of `files`,
    in their order, the tasks of those.
    """

    files: Sequence[Path]
    tasks: str
    out: Path
    rule: str | None = None
    solutions: str | None = None
    calibrate: Sequence[Path] = ()


def merge_files(merge: Merge) -> dict[str, Any]:
    """Write the merged, complete submission and its manifest; returns facts, with a text under "text".

    Without a rule the one that does best on the solutions is taken, without solutions the votes. If a source
    alone does best, the outputs that it leaves blank are filled from the others.
    """
    begun = now_text()
    sweep_beside(merge.out)
    readable, faults = read_named_softly(merge.tasks)
    refuse_unreadable(readable, faults)
    owed = owed_outputs(readable, faults)
    queries = expected_queries(owed)
    read, known, empty = _read(merge)
    mine, num_foreign = keep_owed(read, queries)
    if not mine:
        found = f"{count(len(read), 'candidate')}, none" if read else "no candidate"
        raise CandidateError(f"{', '.join(map(str, merge.files))}: {found} for a task of {merge.tasks}")
    trial = _trial(merge, mine, known, owed)
    if merge.calibrate and trial and not merge.rule:
        _check_tried(mine, known)
    alone = None if merge.rule or not trial or trial.merging_wins else trial.order[0]
    rule = merge.rule or (trial.rule if trial else "votes")
    filled = None
    if alone is None:
        merged = _rankings(mine, rule, trial)
    else:
        merged, filled = _alone(mine, alone)
    choice = rule if alone is None else f"{quote(alone)} alone"
    write_atomic(merge.out, dump_submission(build_submission(owed, merged)))
    answered = sum(1 for query in queries if merged.get(query))
    facts = {
        "submission": str(merge.out),
        "tasks": len(owed),
        "unreadable": [fault.text for fault in faults.values()],
        "empty": empty,
        "outputs": len(queries),
        "answered": answered,
        "left_out": num_foreign,
        "candidates": dict(sorted(Counter(candidate.source for candidate in mine).items())),
        "rule": rule if alone is None else None,
        "alone": alone,
        "filled": filled,
        "trial": trial.facts() if trial else None,
    }
    write_manifest(merge.out, _manifest(merge, readable, facts) | {"begun": begun, "ended": now_text()})
    lines = [trial.table(), trial.advice] if trial else []
    if num_foreign:
        lines.append(f"{count(num_foreign, 'candidate')} for other tasks left out")
    if alone and filled and filled["attempts"]:
        lines.append(f"left blank by {quote(alone)}, filled from the others: {_numbers(filled)}")
    done = f"{count(len(owed), 'task')}, {answered} of {count(len(queries), 'output')} answered, by {choice}"
    lines.append(f"{merge.out}: {done}")
    return facts | {"text": "\n".join(lines)}


def _read(merge: Merge) -> tuple[list[Candidate], list[Candidate], list[str]]:
    """The candidates to merge and to calibrate with, with the same source names in both; and empty files.

    If files share a source, like two runs of one program, the number of the file is added to its name.
    """
    own = [path.name.split(".")[0] or path.name for path in merge.files]
    mine = [read_candidates(path, name) for path, name in zip(merge.files, own, strict=True)]
    if len(merge.calibrate) not in (0, len(mine)):
        numbers = (
            f"{count(len(merge.calibrate), 'file')} to calibrate {count(len(mine), 'file')} of candidates"
        )
        raise CandidateError(f"{numbers}; give one for each, in their order")
    known = [read_candidates(path, name) for path, name in zip(merge.calibrate, own, strict=False)]
    holders: dict[str, set[int]] = defaultdict(set)
    for files in (mine, known):
        for place, candidates in enumerate(files, start=1):
            for candidate in candidates:
                holders[candidate.source].add(place)

    def named(files: Sequence[Sequence[Candidate]]) -> list[Candidate]:
        return [
            candidate
            if len(holders[candidate.source]) == 1
            else replace(candidate, source=f"{candidate.source} ({place})")
            for place, candidates in enumerate(files, start=1)
            for candidate in candidates
        ]

    paths = [*merge.files, *merge.calibrate]
    empty = [str(path) for path, held in zip(paths, [*mine, *known], strict=True) if not held]
    return named(mine), named(known), empty


def _trial(
    merge: Merge, mine: Sequence[Candidate], known: Sequence[Candidate], owed: Mapping[str, int]
) -> Trial | None:
    """The trial on the solutions of the candidates to calibrate with, or else of those to merge."""
    if merge.solutions is None:
        return None
    truth, digest = read_truth(merge.solutions)
    if merge.calibrate:
        outputs = expected_queries({task_id: len(grids) for task_id, grids in truth.items()})
        return try_out(keep_owed(known, outputs)[0], truth, digest)
    answered = {task_id: truth[task_id] for task_id in owed if task_id in truth}
    if not answered:
        raise TruthError(
            f"{merge.solutions}: answers none of the tasks; give the solutions that belong to --tasks, "
            "or candidates for tasks that it answers with --calibrate"
        )
    return try_out(mine, answered, digest)


def _check_tried(mine: Sequence[Candidate], known: Sequence[Candidate]) -> None:
    """CandidateError if a solver to merge was not tried, so that the trial says nothing about it."""
    strangers = sorted({each.source for each in mine} - {each.source for each in known})
    if strangers:
        text = f"the candidates to calibrate with have none of source {quote(strangers[0])}"
        raise CandidateError(f"{text}, so nothing can be recommended; name its file, or choose a --rule")


def _rankings(mine: Sequence[Candidate], rule: str, trial: Trial | None) -> Rankings:
    """The ranked grids that a rule gives every query."""
    if rule == "votes":
        return merge_votes(mine)
    if rule == "round-robin":
        return merge_round_robin(mine, trial.order if trial else None)
    trust = trial.trust if trial else {}
    strangers = sorted({candidate.source for candidate in mine} - trust.keys())
    if strangers:
        text = f"nothing to learn the weight of source {quote(strangers[0])} from"
        raise CandidateError(f"{text}; calibrate with candidates of every source, or take another --rule")
    return merge_votes(mine, trust)


def _alone(mine: Sequence[Candidate], source: str) -> tuple[Rankings, dict[str, int]]:
    """The grids of one source, its blanks filled by the votes of the others, and how many were filled."""
    own = merge_votes([candidate for candidate in mine if candidate.source == source])
    if not own:
        text = f"source {quote(source)} does best on the solutions but has no candidate for these tasks"
        raise CandidateError(f"{text}; do the files to calibrate with name the same sources?")
    others = merge_votes([candidate for candidate in mine if candidate.source != source])
    merged = fill_up(own, others, NUM_ATTEMPTS)
    added = {query: len(grids) - len(own.get(query, ())) for query, grids in merged.items()}
    return merged, {
        "attempts": sum(added.values()),
        "outputs": sum(1 for number in added.values() if number),
        "without_any": len(merged.keys() - own.keys()),
    }


def _numbers(filled: Mapping[str, int]) -> str:
    attempts, outputs = count(filled["attempts"], "attempt"), count(filled["outputs"], "output")
    return f"{attempts} of {outputs}, {filled['without_any']} of them without any of its own"


def _manifest(merge: Merge, tasks: Sequence[Task], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest; candidate files do not say what their solvers were trained on."""
    return {
        "submission": merge.out.name,
        "made_by": "merge",
        "inputs": source_facts(merge.tasks, tasks),
        "candidates": _hashes(merge.files),
        "calibrated_on": _hashes(merge.calibrate),
        "solutions": merge.solutions,
        "trained_on_demonstrations_of_these_tasks": None,
        "asked": {"rule": merge.rule},
        "versions": versions(),
        "merge": dict(facts),
    }


def _hashes(paths: Sequence[Path]) -> list[dict[str, str]]:
    """The name and hash of each file; a pipe has been read already and has no hash."""
    return [{"name": str(path), "sha256": sha256_file(path) if path.is_file() else ""} for path in paths]

"""Merging candidate files: the rules compared on known answers, weights learnt, one complete submission."""

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
from submission.truth import Truth, TruthError


@dataclass(frozen=True)
class Merge:
    """What is to be merged: `files` of candidates for `tasks`, by `rule` or by what proves best.

    `solutions` answers the tasks themselves or, where `calibrate` names one more file of candidates for each
    of `files`, in their order, the tasks of those.
    """

    files: Sequence[Path]
    tasks: str
    out: Path
    rule: str | None = None
    solutions: str | None = None
    calibrate: Sequence[Path] = ()


def merge_files(wish: Merge) -> dict[str, Any]:
    """Write the merged, complete submission and its manifest; facts, with a text for people under "text".

    Without a rule what does best on the solutions is written, without solutions the votes. What a source that
    is handed in alone leaves blank is filled from the others.
    """
    begun = now_text()
    sweep_beside(wish.out)
    readable, faults = read_named_softly(wish.tasks)
    refuse_unreadable(readable, faults)
    owed = owed_outputs(readable, faults)
    queries = expected_queries(owed)
    read, known, empty = _read(wish)
    mine, num_foreign = keep_owed(read, queries)
    if not mine:
        found = f"{count(len(read), 'candidate')}, none" if read else "no candidate"
        raise CandidateError(f"{', '.join(map(str, wish.files))}: {found} for a task of {wish.tasks}")
    trial = _trial(wish, mine, known, owed)
    if wish.calibrate and trial and not wish.rule:
        _check_tried(mine, known)
    alone = None if wish.rule or not trial or trial.merging_wins else trial.order[0]
    rule = wish.rule or (trial.rule if trial else "votes")
    filled = None
    if alone is None:
        merged = _rankings(mine, rule, trial)
    else:
        merged, filled = _alone(mine, alone)
    choice = rule if alone is None else f"{quote(alone)} alone"
    write_atomic(wish.out, dump_submission(build_submission(owed, merged)))
    answered = sum(1 for query in queries if merged.get(query))
    facts = {
        "submission": str(wish.out),
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
    write_manifest(wish.out, _manifest(wish, readable, facts) | {"begun": begun, "ended": now_text()})
    lines = [trial.table(), trial.advice] if trial else []
    if num_foreign:
        lines.append(f"{count(num_foreign, 'candidate')} for other tasks left out")
    if alone and filled and filled["attempts"]:
        lines.append(f"left blank by {quote(alone)}, filled from the others: {_numbers(filled)}")
    done = f"{count(len(owed), 'task')}, {answered} of {count(len(queries), 'output')} answered, by {choice}"
    lines.append(f"{wish.out}: {done}")
    return facts | {"text": "\n".join(lines)}


def _read(wish: Merge) -> tuple[list[Candidate], list[Candidate], list[str]]:
    """The candidates of all files and those to calibrate with, solvers named the same; and the empty files.

    Where files share a source, as two runs of one program do, it is told apart by the number of the file.
    """
    own = [path.name.split(".")[0] or path.name for path in wish.files]
    mine = [read_candidates(path, name) for path, name in zip(wish.files, own, strict=True)]
    if len(wish.calibrate) not in (0, len(mine)):
        numbers = (
            f"{count(len(wish.calibrate), 'file')} to calibrate {count(len(mine), 'file')} of candidates"
        )
        raise CandidateError(f"{numbers}; give one for each, in their order")
    known = [read_candidates(path, name) for path, name in zip(wish.calibrate, own, strict=False)]
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

    paths = [*wish.files, *wish.calibrate]
    empty = [str(path) for path, held in zip(paths, [*mine, *known], strict=True) if not held]
    return named(mine), named(known), empty


def _trial(
    wish: Merge, mine: Sequence[Candidate], known: Sequence[Candidate], owed: Mapping[str, int]
) -> Trial | None:
    """What the solutions say of the candidates to calibrate with, or else of those to merge."""
    if wish.solutions is None:
        return None
    truth, digest = read_truth(wish.solutions)
    if wish.calibrate:
        return try_out(keep_owed(known, _outputs_of(truth))[0], truth, digest)
    answered = {task_id: truth[task_id] for task_id in owed if task_id in truth}
    if not answered:
        raise TruthError(
            f"{wish.solutions}: answers none of the tasks; give the solutions that belong to --tasks, "
            "or candidates for tasks that it answers with --calibrate"
        )
    return try_out(mine, answered, digest)


def _check_tried(mine: Sequence[Candidate], known: Sequence[Candidate]) -> None:
    """CandidateError where a solver to merge was not among those tried: the trial says nothing of it."""
    strangers = sorted({each.source for each in mine} - {each.source for each in known})
    if strangers:
        text = f"the candidates to calibrate with have none of source {quote(strangers[0])}"
        raise CandidateError(f"{text}, so nothing can be recommended; name its file, or choose a --rule")


def _outputs_of(truth: Truth) -> list[Any]:
    return expected_queries({task_id: len(outputs) for task_id, outputs in truth.items()})


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
    """The grids of one source, its blanks filled by the votes of the others, and how many these are."""
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


def _manifest(wish: Merge, tasks: Sequence[Task], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the submission was made from; candidate files do not tell what their solvers were trained on."""
    return {
        "submission": wish.out.name,
        "made_by": "merge",
        "inputs": source_facts(wish.tasks, tasks),
        "candidates": _hashes(wish.files),
        "calibrated_on": _hashes(wish.calibrate),
        "solutions": wish.solutions,
        "trained_on_demonstrations_of_these_tasks": None,
        "asked": {"rule": wish.rule},
        "versions": versions(),
        "merge": dict(facts),
    }


def _hashes(paths: Sequence[Path]) -> list[dict[str, str]]:
    """Each file's name and hash; what a shell hands over in a pipe has been read and has none."""
    return [{"name": str(path), "sha256": sha256_file(path) if path.is_file() else ""} for path in paths]

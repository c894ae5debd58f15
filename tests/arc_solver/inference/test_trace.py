"""What is watched is what is answered: the same contenders, the same views, the same votes."""

import dataclasses

import numpy as np
import pytest

from arc_solver.checkpoints.shipped import shipped_weights
from arc_solver.checkpoints.weights import load
from arc_solver.config import ModelConfig, PredictConfig
from arc_solver.domains.arc.examples import ArcQueries
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.protocols import QueryData
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.inference.engine import Thought, answer_rows
from arc_solver.inference.trace import Subject, watch_board, watch_views
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task
from tests.arc_solver.tiny import MODEL, PREDICT, answer_boards, guesses, lively, tasks


def subject_of(task: Task, kind: str = "rows", config: ModelConfig = MODEL) -> Subject:
    puzzles = PuzzleMap.build([task], kind, 4, seed=0)
    config = dataclasses.replace(config, embedding=kind)
    model = lively(Model(config, num_rows=puzzles.num_rows, seed=1)).requires_grad_(False)
    return Subject(model, task, puzzles, 0, "fitted")


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_a_watcher_sees_every_row_at_every_age_and_what_it_left_with(batch_size: int) -> None:
    (task,) = tasks(5, sides=(5,))
    subject = subject_of(task)
    data = ArcQueries([task], [0], subject.puzzles, 4)
    seen: dict[int, list[tuple[int, bytes]]] = {}

    def watch(watched: QueryData, thought: Thought) -> None:
        assert watched is data
        assert len(thought.halt_logits) == len(thought.rows)
        for row, age, tokens in zip(
            thought.rows.tolist(), thought.ages.tolist(), thought.tokens, strict=True
        ):
            seen.setdefault(row, []).append((age, tokens.tobytes()))

    config = PredictConfig(ages=3, halt_logit=0.0, batch_size=batch_size)
    left = list(answer_rows(subject.model, data, config, watch=watch))
    for batch in left:
        for place, row in enumerate(batch.rows.tolist()):
            ages = [age for age, _ in seen[row]]
            assert ages == list(range(1, int(batch.ages[place]) + 1))
            assert seen[row][-1][1] == batch.tokens[place].tobytes()
    assert len(seen) == sum(len(batch.rows) for batch in left) == 4


@pytest.mark.parametrize("kind", ["rows", "composed", "none"])
@pytest.mark.parametrize("index", [0, 1])
def test_views_are_those_of_a_prediction_and_turn_back_to_the_same_votes(kind: str, index: int) -> None:
    (task,) = tasks(7, sides=(5,), num_tests=2)
    subject = subject_of(task, kind)
    traces = watch_views(subject, index, PREDICT)
    assert [trace.number for trace in traces] == [0, 1, 2, 3]
    votes = []
    for found in guesses(subject.model, subject.puzzles, [task], [0], PREDICT):
        for place in np.flatnonzero(found.queries == index):
            height, width = found.answers.shapes[place].tolist()
            cells = found.answers.cells[place, : height * width]
            votes.append((height, width, cells.tobytes(), float(found.confidence[place])))
    mine = []
    for trace in traces:
        assert (trace.view.apply(task.test[index].input) == trace.question).all()
        assert len(trace.answers) == len(trace.halt_logits) == PREDICT.ages
        if trace.restored is None:
            mine.append((0, 0, b"", trace.confidence))
            continue
        last = trace.answers[-1]
        shown = trace.view.apply(trace.restored)
        assert (last[: shown.shape[0], : shown.shape[1]] == shown).all()
        assert (last[shown.shape[0] :] == 255).all()
        mine.append((*trace.restored.shape, trace.restored.tobytes(), trace.confidence))
    assert sorted(mine) == sorted(votes)


def test_what_is_answered_does_not_depend_on_the_truth() -> None:
    (task,) = tasks(3, sides=(4,))
    (pair,) = task.test
    other = dataclasses.replace(task, test=(dataclasses.replace(pair, output=pair.input),))
    bare = dataclasses.replace(task, test=(dataclasses.replace(pair, output=None),))
    answers = [watch_views(subject_of(each), 0, PREDICT) for each in (task, other, bare)]
    for traces in zip(*answers, strict=True):
        assert len({trace.answers.tobytes() for trace in traces}) == 1


def test_the_contenders_of_a_board_are_those_of_a_prediction() -> None:
    path = shipped_weights("sudoku")
    assert path is not None
    loaded = load(path, 4)
    boards = generate_sudoku(4, 4, np.random.default_rng(2))
    config = dataclasses.replace(loaded.preset.predict, views=3, ages=4)
    for number in range(len(boards)):
        board: BoardSet = boards.take(slice(number, number + 1))
        traces, elected = watch_board(loaded.model, SUDOKU, board, config)
        assert elected is not None
        answered = answer_boards(loaded.model.eval(), board, config)
        assert (elected.ravel() == answered.cells[0]).all()
        assert int(answered.ages[0]) == sum(len(trace.answers) for trace in traces)
        assert any((trace.answers[-1] == elected).all() for trace in traces)
        for trace in traces:
            assert trace.answers.shape[1:] == (4, 4)
            given = board.questions[0].reshape(4, 4)
            assert trace.answers.max() <= 4
            assert ((trace.answers[-1] == given) | (given == 0)).all()

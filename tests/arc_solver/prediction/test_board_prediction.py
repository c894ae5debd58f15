"""Boards under the supervisor: every question at once, answers as they come, the same for any workers."""

import csv
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from arc_solver.checkpoints.file_format import CheckpointError
from arc_solver.checkpoints.weights import load, save
from arc_solver.config import ModelConfig, PredictConfig
from arc_solver.domains.boards.board_file import board_csv, cells_from_texts, texts_from_cells
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.inference.boards import answer_boards
from arc_solver.inference.trace import follow_board
from arc_solver.model.trm import Model
from arc_solver.prediction.board_prediction import BoardPrediction
from arc_solver.prediction.board_sheet import BLOCK, BoardStanding
from arc_solver.prediction.board_work import work_boards
from arc_solver.prediction.deadlines import Times
from arc_solver.prediction.manifest import manifest_path
from arc_solver.prediction.messages import Message
from arc_solver.prediction.request import Wish
from arc_solver.prediction.supervisor import WorkerRefusal
from arc_solver.storage.text import DataError
from arc_solver.tasks.puzzles import PuzzleMap
from tests.arc_solver.terminal import Terminal
from tests.arc_solver.tiny import MODEL, TRAIN, lively, preset

SUDOKU = dataclasses.replace(MODEL, vocabulary=6, num_layers=1, cycles=1, latent_steps=1)
PUPPET = Path(__file__).parents[2] / "faults" / "boardpuppet.py"


def sudokus(num: int, seed: int = 0) -> BoardSet:
    return generate_sudoku(num, 4, np.random.default_rng(seed))


def write_boards(path: Path, boards: BoardSet) -> None:
    path.write_bytes(b"".join(board_csv(boards, "test")))


def checkpoint(path: Path, config: ModelConfig = SUDOKU, domain: str = "sudoku") -> Path:
    """Weights of a network that has learnt nothing, but answers every board differently."""
    model = lively(Model(config, num_rows=1, seed=2))
    recipe = preset(config, dataclasses.replace(TRAIN, domain=domain), PredictConfig(views=1, ages=2))
    tensors = {f"average.{name}": t for name, t in model.state_dict().items()}
    save(path, tensors, recipe, PuzzleMap("rows"), {"kind": "weights"})
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_workers_parts_and_batches_change_no_answer(arc_solve: Terminal, tmp_path: Path) -> None:
    boards = sudokus(2 * BLOCK + 20)
    write_boards(tmp_path / "s.csv", boards)
    weights = checkpoint(tmp_path / "w.safetensors")

    def answers(name: str, *more: str) -> tuple[list[dict[str, str]], dict[str, Any]]:
        out = tmp_path / name
        done = arc_solve(
            "predict", "--tasks", tmp_path / "s.csv", "--checkpoint", weights, "--rollouts", "3", "--sigma",
            "0.5", "--threads", "1", "--device", "cpu", "--out", out, "--quiet", "--json", *more,
        )  # fmt: skip
        assert (done.code, done.err) == (0, "")
        return rows(out), done.json()

    whole, facts = answers("one.csv")
    assert (facts["boards"], facts["unanswered"], facts["failures"]) == (len(boards), 0, [])
    assert set(facts) >= {"exact", "valid", "mean_ages", "seconds", "out_of_time"}
    assert facts["mean_ages"] == 6.0
    assert [row["question"] for row in whole] == texts_from_cells("sudoku", boards.questions)
    assert len({row["answer"] for row in whole}) > len(boards) // 2
    half = answers("two.csv", "--shard", "2/2", "--workers", "2", "--set", "predict.batch_size=5")[0]
    assert half == whole[BLOCK + 10 :]
    manifest = json.loads(manifest_path(tmp_path / "two.csv").read_bytes())
    assert manifest["state"] == "done"
    assert len(manifest["workers"]) == 2
    assert manifest["workers"][0]["predict"]["rollouts"] == 3


class Recorder:
    """A channel that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send(self, message: Message) -> None:
        self.sent.append(orjson.loads(orjson.dumps(message)))


def worked(
    folder: Path, boards: BoardSet, weights: Path, **changes: object
) -> tuple[Recorder, BoardStanding]:
    """What a worker says when all boards are given to it, and where they stand then."""
    run = BoardPrediction(
        Wish("boards.csv", folder / "a.csv", weights, device="cpu", quiet=True),
        boards,
        Times(0.0),
        lambda _: None,
    )
    channel, blocks = Recorder(), run.standing.blocks()
    deadline = changes.pop("deadline", None)
    request = run._request(weights, blocks, None, True) | changes
    work_boards(request, channel, deadline)  # type: ignore[arg-type]
    for message in channel.sent:
        if message["kind"] == "boards":
            assert run.standing.take(blocks, message)
    return channel, run.standing


def test_mazes_are_answered_too(tmp_path: Path) -> None:
    boards = generate_mazes(BLOCK + 2, 5, np.random.default_rng(1), min_moves=3)
    weights = checkpoint(tmp_path / "w.safetensors", domain="maze")
    channel, standing = worked(tmp_path, boards, weights, views=3)
    assert standing.answered.all()
    assert (standing.ages >= 2 * 2).all()
    assert {m["kind"] for m in channel.sent} == {"facts", "boards"}
    channel, standing = worked(tmp_path, boards, weights, deadline=time.monotonic() + 1e6)
    assert [m["items"] for m in channel.sent if m["kind"] == "finished"] == [["0", "1"]]
    assert standing.answered.all()


def test_a_time_that_is_over_leaves_boards_without_answers(tmp_path: Path) -> None:
    weights = checkpoint(tmp_path / "w.safetensors")
    assert not worked(tmp_path, sudokus(3), weights, deadline=time.monotonic())[1].answered.any()


@pytest.mark.parametrize(
    ("config", "domain", "text"),
    [
        (SUDOKU, "maze", "w.safetensors: weights for maze, but these are sudoku boards"),
        (
            dataclasses.replace(SUDOKU, mixer="mlp", length=81),
            "sudoku",
            "weights for boards of 81 cells, sudoku of side 4 has 16",
        ),
        (MODEL, "sudoku", "knows 12 tokens, sudoku of side 4 has 6"),
    ],
)
def test_weights_for_other_boards_are_refused(
    tmp_path: Path, config: ModelConfig, domain: str, text: str
) -> None:
    weights = checkpoint(tmp_path / "w.safetensors", config, domain)
    with pytest.raises(CheckpointError, match=text):
        worked(tmp_path, sudokus(1), weights)


def test_boards_can_be_watched(arc_solve: Terminal, tmp_path: Path) -> None:
    write_boards(tmp_path / "s.csv", sudokus(3))
    write_boards(tmp_path / "m.csv", generate_mazes(2, 6, np.random.default_rng(1), min_moves=3))
    for kind, out, head in (("sudoku", "t.gif", b"GIF8"), ("maze", "t.png", b"\x89PNG")):
        weights = checkpoint(tmp_path / f"{kind}.safetensors", domain=kind)
        asked = ["watch", "--checkpoint", weights, "--tasks", tmp_path / f"{kind[0]}.csv", "--ages", "3"]
        done = arc_solve(*asked, "--id", "2", "--out", tmp_path / out)
        assert (done.code, done.out.strip(), done.err) == (0, str(tmp_path / out), "")
        assert (tmp_path / out).read_bytes().startswith(head)
        assert arc_solve(*asked, "--id", "4").code == 2
        assert arc_solve(*asked, "--id", "x").code == 2
    other = arc_solve(
        "watch",
        "--checkpoint",
        weights,
        "--tasks",
        tmp_path / "s.csv",
        "--id",
        "1",
        "--out",
        tmp_path / "n.gif",
    )
    assert "weights for maze" in other.error_line()


def test_a_followed_board_is_the_answer_of_the_engine(tmp_path: Path) -> None:
    board = sudokus(4).take(slice(2, 3))
    model = load(checkpoint(tmp_path / "w.safetensors")).model
    cells, logits = follow_board(model, board, 3)
    assert cells.shape == (3, 4, 4)
    for age in (1, 2, 3):
        answer = answer_boards(model, board, PredictConfig(views=1, ages=age))
        assert np.array_equal(answer.cells[0], cells[age - 1].ravel())
        # An answer with a cell that is no digit has no confidence.
        sure = float(1 / (1 + np.exp(-logits[age - 1]))) if answer.cells.all() else 0.0
        assert float(answer.confidence[0]) == pytest.approx(sure, abs=1e-6)


def test_options_of_tasks_are_not_for_boards(arc_solve: Terminal, tmp_path: Path) -> None:
    write_boards(tmp_path / "s.csv", sudokus(1))
    wrong = arc_solve("predict", "--tasks", tmp_path / "s.csv", "--only", "x")
    assert (wrong.code, "holds boards" in wrong.err) == (2, True)


def puppeteered(folder: Path, boards: BoardSet, kind: str, seconds: float | None = None) -> BoardPrediction:
    """A prediction whose workers answer each board with its question, and then misbehave."""
    weights = checkpoint(folder / "w.safetensors")
    wish = Wish("boards.csv", folder / "a.csv", weights, workers=1, device="cpu", quiet=True)
    command = (sys.executable, "-P", str(PUPPET), kind, str(folder))
    return BoardPrediction(wish, boards, Times.of(time.monotonic(), seconds), lambda _: None, worker=command)


def test_what_a_dying_worker_answered_stays(tmp_path: Path) -> None:
    boards = sudokus(2 * BLOCK + 3)
    facts = puppeteered(tmp_path, boards, "kill").run()
    found = rows(tmp_path / "a.csv")
    assert [row["question"] for row in found] == texts_from_cells("sudoku", boards.questions)
    # Each of two starts answers one block and dies.
    assert [bool(row["answer"]) for row in found] == [True] * 2 * BLOCK + [False] * 3
    assert (facts["unanswered"], len(facts["failures"])) == (3, 1)


def test_a_worker_that_hangs_is_late_for_no_file(tmp_path: Path) -> None:
    run = puppeteered(tmp_path, sudokus(BLOCK + 1), "silent", 3.0)
    facts = run.run()
    assert run.times.left() > 0
    assert facts["out_of_time"]
    assert len(rows(tmp_path / "a.csv")) == BLOCK + 1


def test_nonsense_is_refused(tmp_path: Path) -> None:
    standing = BoardStanding(tmp_path / "a.csv", sudokus(2))
    good = "1" * 16
    for answer in (
        [2, good, 1], [-1, good, 1], [0, good[1:], 1], [0, good[1:] + "5", 1], [0, good[1:] + "é", 1],
        [0, good], [True, good, 1], [0, good, -1], [0, good, 1.5], [0, None, 1], "x", None, {"a": 1},
    ):  # fmt: skip
        assert not standing.take(["0"], {"kind": "boards", "answers": [answer]}), answer
    assert not standing.take(["1"], {"kind": "boards", "answers": [[0, good, 1]]})
    assert not standing.take(["0"], {"kind": "boards", "answers": good})
    assert not standing.take(["0"], {"kind": "standing", "answers": []})
    assert not standing.answered.any()
    assert standing.take(["0"], {"kind": "boards", "answers": [[1, good, 7]]})
    standing.file.close()
    assert [row["answer"] for row in rows(tmp_path / "a.csv")] == ["", good]


def test_a_refusal_of_a_worker_comes_through(tmp_path: Path) -> None:
    with pytest.raises(WorkerRefusal, match="toaster"):
        puppeteered(tmp_path, sudokus(2), "refusal").run()
    assert len(rows(tmp_path / "a.csv")) == 2


@pytest.mark.parametrize("kind", ["sudoku", "maze"])
def test_boards_travel_as_text(kind: str) -> None:
    cells = np.random.default_rng(3).integers(0, 5, (7, 16)).astype(np.uint8)
    texts = texts_from_cells(kind, cells)
    assert np.array_equal(cells_from_texts(kind, 4, texts), cells)
    with pytest.raises(DataError, match="expected 16 characters"):
        cells_from_texts(kind, 4, [texts[0][1:]])

"""Boards under the supervisor: every question at once, answers as they come, the same for any workers."""

import csv
import dataclasses
import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from arc_solver.checkpoints.file_format import CheckpointError
from arc_solver.checkpoints.weights import save
from arc_solver.config import ModelConfig, PredictConfig
from arc_solver.domains.boards.board_file import board_domain
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.domain import BLOCK
from arc_solver.domains.domains import find_domain
from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.sudoku.domain import SUDOKU as DOMAIN
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.inference.options import SolveOptions
from arc_solver.model.trm import Model
from arc_solver.prediction.board_sheet import BoardSheet
from arc_solver.prediction.deadlines import Times
from arc_solver.prediction.manifest import manifest_path
from arc_solver.prediction.messages import Message
from arc_solver.prediction.prediction import Prediction
from arc_solver.prediction.request import PredictRequest
from arc_solver.prediction.supervisor import WorkerRefusal
from arc_solver.prediction.worker import work
from arc_solver.storage.text import DataError
from arc_solver.tasks.puzzles import PuzzleMap
from tests.arc_solver.terminal import Terminal
from tests.arc_solver.tiny import MODEL, TRAIN, lively, preset
from tests.boards import board_csv, texts_from_cells

SUDOKU = dataclasses.replace(MODEL, vocabulary=6, num_layers=1, cycles=1, latent_steps=1)
PUPPET = Path(__file__).parents[2] / "faults" / "boardpuppet.py"


def sudokus(num: int, seed: int = 0) -> BoardSet:
    return generate_sudoku(num, 4, np.random.default_rng(seed))


def write_boards(path: Path, boards: BoardSet) -> None:
    path.write_bytes(board_csv(boards, "test"))


def checkpoint(path: Path, config: ModelConfig = SUDOKU, domain: str = "sudoku") -> Path:
    """Weights of a network that has learned nothing, but answers every board differently."""
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
    assert manifest["workers"][0]["recipe"]["predict"]["rollouts"] == 3


class Recorder:
    """A channel that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send(self, message: Message) -> None:
        self.sent.append(orjson.loads(orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY)))


def run_of(boards: BoardSet, request: PredictRequest, times: Times, *worker: str) -> Prediction:
    changed = {"worker": worker} if worker else {}
    return Prediction(request, find_domain(boards.kind), boards, {}, times, lambda _: None, **changed)


def worked(
    folder: Path, boards: BoardSet, weights: Path, deadline: float | None = None, **options: Any
) -> tuple[Recorder, BoardSheet]:
    """What a worker says when all boards are given to it, and where they stand then."""
    solve = SolveOptions(device="cpu", quiet=True, **options)
    run = run_of(boards, PredictRequest("boards.csv", folder / "a.csv", weights, solve=solve), Times(0.0))
    channel, blocks = Recorder(), [block.name for block in run.domain.blocks(boards)]
    work(orjson.loads(orjson.dumps(run._message(blocks, None, True))), channel, deadline)  # type: ignore[arg-type]
    for message in channel.sent:
        if message["kind"] == "answers":
            assert run.sheet.take(blocks, message)
    assert isinstance(run.sheet, BoardSheet)
    return channel, run.sheet


def test_mazes_are_answered_too(tmp_path: Path) -> None:
    boards = generate_mazes(BLOCK + 2, 5, np.random.default_rng(1), min_moves=3)
    weights = checkpoint(tmp_path / "w.safetensors", domain="maze")
    channel, standing = worked(tmp_path, boards, weights, views=3)
    assert standing.answered.all()
    assert (standing.ages >= 2 * 2).all()
    assert {m["kind"] for m in channel.sent} == {"facts", "answers", "finished"}
    channel, standing = worked(tmp_path, boards, weights, deadline=time.monotonic() + 1e6)
    assert sorted(i for m in channel.sent if m["kind"] == "finished" for i in m["items"]) == ["0", "1"]
    assert standing.answered.all()


def test_a_time_that_is_over_leaves_boards_without_answers(tmp_path: Path) -> None:
    weights = checkpoint(tmp_path / "w.safetensors")
    assert not worked(tmp_path, sudokus(3), weights, deadline=time.monotonic())[1].answered.any()


@pytest.mark.parametrize(
    ("config", "domain", "text"),
    [
        (SUDOKU, "maze", "w.safetensors: weights for maze, but these are sudoku boards"),
        (
            dataclasses.replace(SUDOKU, mixers=("position_mlp",), length=81),
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


def test_boards_are_chosen_by_their_number_and_leave_their_candidates(
    arc_solve: Terminal, tmp_path: Path
) -> None:
    boards = sudokus(5)
    write_boards(tmp_path / "s.csv", boards)
    weights = checkpoint(tmp_path / "w.safetensors")
    asked = ["predict", "--tasks", tmp_path / "s.csv", "--checkpoint", weights, "--device", "cpu", "--quiet"]
    done = arc_solve(
        *asked, "--only", "2", "--only", "4", "--rollouts", "4", "--sigma", "0.5", "--ages", "1", "--json",
        "--out", tmp_path / "a.csv", "--candidates", tmp_path / "c.jsonl",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    found = rows(tmp_path / "a.csv")
    chosen = texts_from_cells("sudoku", boards.questions[[1, 3]])
    assert [row["question"] for row in found] == chosen
    kept = [json.loads(line) for line in (tmp_path / "c.jsonl").read_text().splitlines()]
    for number, row in enumerate(found, 1):
        own = [line for line in kept if line["task"] == str(number)]
        texts = ["".join(str(cell) for cells in line["grid"] for cell in cells) for line in own]
        # Some chains may leave a cell without a digit: that is no candidate.
        assert sum(line["votes"] for line in own) <= 4
        assert len(set(texts)) == len(texts)
        assert not own or texts[0] == row["answer"]
    wrong = arc_solve(*asked, "--only", "x")
    assert (wrong.code, "'x': no such" in " ".join(wrong.err.split())) == (2, True)


def test_boards_come_through_standard_input_and_under_any_name(
    arc_solve: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_boards(tmp_path / "s.json", sudokus(3))
    asked = ["--checkpoint", checkpoint(tmp_path / "w.safetensors"), "--device", "cpu", "--quiet"]
    monkeypatch.chdir(tmp_path)
    named = arc_solve("predict", "--tasks", "s.json", *asked, "--out", "named.csv")
    assert (named.code, named.err) == (0, "")
    stdin = io.TextIOWrapper(io.BytesIO((tmp_path / "s.json").read_bytes()))
    monkeypatch.setattr("sys.stdin", stdin)
    piped = arc_solve("predict", "--tasks", "-", *asked)
    assert (piped.code, piped.err) == (0, "")
    assert rows(tmp_path / "answers.csv") == rows(tmp_path / "named.csv")


def puppeteered(folder: Path, boards: BoardSet, kind: str, seconds: float | None = None) -> Prediction:
    """A prediction whose workers answer each board with its question, and then misbehave."""
    weights = checkpoint(folder / "w.safetensors")
    solve = SolveOptions(device="cpu", quiet=True)
    request = PredictRequest("boards.csv", folder / "a.csv", weights, workers=1, solve=solve)
    command = (sys.executable, "-P", str(PUPPET), kind, str(folder))
    return run_of(boards, request, Times.of(time.monotonic(), seconds), *command)


def test_what_a_dying_worker_answered_stays(tmp_path: Path) -> None:
    boards = sudokus(2 * BLOCK + 3)
    facts = puppeteered(tmp_path, boards, "kill").run()
    found = rows(tmp_path / "a.csv")
    assert [row["question"] for row in found] == texts_from_cells("sudoku", boards.questions)
    # Each start answers one block and dies; the next goes on with what is left.
    assert all(row["answer"] for row in found)
    assert facts["unanswered"] == 0


def test_a_worker_that_hangs_is_late_for_no_file(tmp_path: Path) -> None:
    run = puppeteered(tmp_path, sudokus(BLOCK + 1), "silent", 3.0)
    facts = run.run()
    assert run.times.left() > 0
    assert facts["out_of_time"]
    assert len(rows(tmp_path / "a.csv")) == BLOCK + 1


def test_nonsense_is_refused(tmp_path: Path) -> None:
    sheet = BoardSheet(tmp_path / "a.csv", DOMAIN, sudokus(2))
    good = [[1, 2, 3, 4]] * 4

    def entry(index: object = 0, board: object = good, **more: object) -> dict[str, object]:
        candidates = [[board, 1, 1.0, 0.5]]
        return {
            "task": "0",
            "index": index,
            "ballots": 1,
            "ages": 1,
            "candidates": candidates,
        } | more

    for answer in (
        entry(2), entry(-1), entry(0, good[1:]), entry(0, [[1, 2, 3, 5]] * 4), entry(0, "é"), entry(True),
        entry(ages=-1), entry(ages=1.5), entry(0, None), entry(0, [[1.0] * 4] * 4), entry(0, [[-1] * 4] * 4),
        entry(0, [[10**30] * 4] * 4), entry(candidates=[[good]]), entry(task="1"), entry(task="x"), "x", None,
        {"a": 1},
    ):  # fmt: skip
        assert not sheet.take(["0"], {"kind": "answers", "answers": [answer]}), answer
    assert not sheet.take(["1"], {"kind": "answers", "answers": [entry()]})
    assert not sheet.take(["0"], {"kind": "answers", "answers": good})
    assert not sheet.take(["0"], {"kind": "boards", "answers": []})
    assert not sheet.answered.any()
    assert not sheet.has_answers()
    assert sheet.take(["0"], {"kind": "answers", "answers": [entry(1, ages=7)]})
    assert sheet.has_answers()
    sheet.file.close()
    assert [row["answer"] for row in rows(tmp_path / "a.csv")] == ["", "1234" * 4]
    worse = entry(1, [[2, 1, 4, 3]] * 4, ballots=0, candidates=[[[[2, 1, 4, 3]] * 4, 0, 1.0, 0.5]])
    assert sheet.take(["0"], {"kind": "answers", "answers": [worse]})
    assert (sheet.cells[1].tolist(), sheet.ages[1]) == ([1, 2, 3, 4] * 4, 7), "fewer ballots change nothing"
    # Nothing that was said counts: the board stays without an answer, and that is no failure.
    assert sheet.take(["0"], {"kind": "answers", "answers": [entry(0, candidates=[])]})
    assert (sheet.facts()["unanswered"], sheet.facts()["abstained"]) == (0, 1)


def test_a_refusal_of_a_worker_comes_through(tmp_path: Path) -> None:
    with pytest.raises(WorkerRefusal, match="toaster"):
        puppeteered(tmp_path, sudokus(2), "refusal").run()
    assert len(rows(tmp_path / "a.csv")) == 2


@pytest.mark.parametrize("kind", ["sudoku", "maze"])
def test_boards_travel_as_text(kind: str) -> None:
    cells = np.random.default_rng(3).integers(0, 5, (7, 16)).astype(np.uint8)
    texts = texts_from_cells(kind, cells)
    assert np.array_equal(board_domain(kind).kind.cells(4, texts), cells)
    with pytest.raises(DataError, match="expected 16 characters"):
        board_domain(kind).kind.cells(4, [texts[0][1:]])

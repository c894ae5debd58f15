"""The parts of a supervised prediction, each by itself."""

import json
import random
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from arc_solver.config import ConfigError
from arc_solver.domains.arc.domain import ARC
from arc_solver.hardware import accelerators
from arc_solver.inference.options import SolveOptions
from arc_solver.inference.time_budget import Pace, view_rounds
from arc_solver.prediction.deadlines import Times, process_start
from arc_solver.prediction.manifest import manifest_path, source_facts, write_manifest
from arc_solver.prediction.messages import HEADER, MAGIC, MessageReader, framed
from arc_solver.prediction.request import PredictRequest
from arc_solver.prediction.submission_sheet import SubmissionSheet
from arc_solver.tasks.sharding import cost, cut, parse_shard, part_of
from arc_solver.tasks.task import Pair, Task, TaskFault
from submission.candidates import read_candidates
from submission.lenient_reader import load_answers


def task(name: str, side: int, num_tests: int = 1, answer: int | None = None) -> Task:
    grid = np.zeros((side, side), np.uint8)
    output = None if answer is None else np.full((1, 1), answer, np.uint8)
    return Task(name, (Pair(grid, grid + 1),), tuple(Pair(grid, output) for _ in range(num_tests)))


def test_messages_are_found_in_any_garbage_and_any_pieces() -> None:
    rng = random.Random(7)
    for trial in range(300):
        sent = [{"kind": "x", "number": n, "pad": "a" * rng.randrange(50)} for n in range(rng.randrange(6))]
        stream, garbage = b"", 0
        for message in sent:
            noise = rng.choice(
                [b"", rng.randbytes(rng.randrange(40)), MAGIC[:5], MAGIC, framed(message)[:-3]]
            )
            if rng.random() < 0.3:
                noise = HEADER.pack(MAGIC, 5, zlib.crc32(b"wrong")) + b"right"
            stream += noise + framed(message)
            garbage += len(noise)
        reader, found = MessageReader(limit=2000), []
        while stream:
            size = rng.randrange(1, 60)
            found += reader.feed(stream[:size])
            stream = stream[size:]
        assert found == sent, f"trial {trial}"
        assert reader.garbage == garbage, f"trial {trial}"


def test_a_frame_over_the_limit_is_not_waited_for() -> None:
    reader = MessageReader(limit=10)
    assert reader.feed(HEADER.pack(MAGIC, 11, 0) + framed({"a": 1})) == [{"a": 1}]
    assert reader.garbage == HEADER.size


@pytest.mark.parametrize("body", [b"[1]", b"{", b"\xff", b"null"])
def test_only_objects_are_messages(body: bytes) -> None:
    reader = MessageReader()
    assert reader.feed(HEADER.pack(MAGIC, len(body), zlib.crc32(body)) + body) == []
    assert reader.garbage > 0


def test_parts_are_fair_whole_and_reproducible() -> None:
    rng = random.Random(3)
    for _ in range(100):
        costs = [rng.random() for _ in range(rng.randrange(40))]
        num = rng.randrange(1, 7)
        parts = cut(costs, num)
        assert sorted(i for part in parts for i in part) == list(range(len(costs)))
        assert all(part == sorted(part) for part in parts)
        sums = [sum(costs[i] for i in part) for part in parts]
        assert max(sums) - min(sums) <= max(costs, default=0) + 1e-6


def test_shards_of_a_file_hold_every_task_and_fault_once() -> None:
    tasks = [task(f"t{i}", 1 + i) for i in range(7)]
    faults = [TaskFault(f"f{i}", "bad", 1) for i in range(5)]
    found, bad = [], []
    for number in (1, 2, 3):
        part, own = part_of(tasks, faults, number, 3)
        found += [each.id for each in part]
        bad += list(own)
    assert sorted(found) == [each.id for each in tasks]
    assert sorted(bad) == [fault.id for fault in faults]
    assert part_of(tasks, faults, 1, 1) == (tasks, {fault.id: fault for fault in faults})
    assert cost(tasks[6]) > cost(tasks[0])


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "-1/2", "1 / 2", "١/٢"])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected i/n"):
        parse_shard(text)


def test_shard_is_read() -> None:
    assert parse_shard("2/3") == (2, 3)


def test_tasks_travel_without_answers() -> None:
    tasks = [task("a", 3, 2, answer=5), task("b", 30)]
    got = ARC.unpack(json.loads(framed(ARC.pack(tuple(tasks)))[HEADER.size :]))
    assert [each.train for each in got] == [each.train for each in tasks]
    assert all(pair.output is None for each in got for pair in each.test)
    assert [len(each.test) for each in got] == [2, 1]


def test_a_request_travels_whole() -> None:
    solve = SolveOptions(
        settings=("a=1", "b=2"), views=3, sigma=0.5, adapt=False, keep=Path("k\udcff"), device="cpu", seed=7
    )
    request = PredictRequest("in é.json", Path("out.json"), Path("w"), None, 2, None, solve)
    assert PredictRequest.from_message(json.loads(framed(request.to_message())[HEADER.size :])) == request


def standing_message(
    ballots: int, *grids: list[list[int]], index: int = 0, name: str = "a"
) -> dict[str, object]:
    candidates = [[grid, 1, 1.0, 0.5] for grid in grids]
    entry = {"task": name, "index": index, "ballots": ballots, "candidates": candidates}
    return {"kind": "answers", "answers": [entry]}


def test_standing_keeps_what_rests_on_most_ballots(tmp_path: Path) -> None:
    standing = SubmissionSheet(tmp_path / "s.json", [task("a", 1), task("b", 1)])
    assert standing.take(["a"], standing_message(5, [[1]], [[2]], [[3]]))
    assert standing.take(["a"], standing_message(4, [[9]]))
    assert not standing.take(["a"], standing_message(9, [[9]], name="b")), "a task of another worker"
    assert not standing.take(["a"], standing_message(9, [[9]], index=1))
    assert not standing.take(["a"], standing_message(9, [[10]]))
    standing.file.close()
    written = load_answers(tmp_path / "s.json")
    assert list(written["a"][0].values()) == [[[1]], [[2]]]
    assert list(written["b"][0].values()) == [[[0]], [[0]]]
    assert [query.task_id for query in standing.unanswered()] == ["b"]
    standing.write_candidates(tmp_path / "c.jsonl")
    kept = read_candidates(tmp_path / "c.jsonl")
    assert [(each.grid.tolist(), each.votes, each.confidence, each.views) for each in kept] == [
        ([[color]], 1, 0.5, 5) for color in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("votes", "weight", "confidence"),
    [(2, 1.0, 0.5), (1, 0, 0.5), (1, -1.0, 0.5), (1, float("inf"), 0.5), (1, 1.0, 1.5), (1, 1.0, -0.1)],
)
def test_what_no_candidate_file_may_hold_is_nonsense(
    tmp_path: Path, votes: int, weight: float, confidence: float
) -> None:
    standing = SubmissionSheet(tmp_path / "s.json", [task("a", 1)])
    message = standing_message(1, [[1]])
    message["answers"][0]["candidates"] = [[[[1]], votes, weight, confidence]]
    assert not standing.take(["a"], message)
    assert standing.answers == {}


def test_standing_says_that_it_cannot_write_and_tries_again(tmp_path: Path) -> None:
    said: list[str] = []
    folder = tmp_path / "folder"
    standing = SubmissionSheet(folder / "s.json", [task("a", 1)], say=said.append)
    standing.file.write()
    (folder / "s.json").unlink()
    (folder / "s.json").mkdir()
    standing.take(["a"], standing_message(1, [[1]]))
    standing.file.refresh()
    assert len(said) == 1
    assert "not a regular file" in said[0]
    (folder / "s.json").rmdir()
    standing.file.close()
    assert (folder / "s.json").is_file()


@pytest.mark.parametrize("seconds", [1.0, 5.0, 60.0, 3600.0, 43200.0])
def test_times_come_in_order(seconds: float) -> None:
    times = Times.of(100.0, seconds)
    assert times.stop_at is not None
    assert times.kill_at is not None
    assert times.end == 100.0 + seconds
    assert 100.0 + 0.6 * seconds <= times.stop_at < times.kill_at < times.end
    assert times.end - times.stop_at <= 50.0


def test_a_run_without_a_limit_has_no_end() -> None:
    assert Times.of(1.0, None) == Times(1.0)
    assert Times(1.0).left() == float("inf")


def test_this_process_began_before_now() -> None:
    assert 0.0 < time.monotonic() - process_start() < 3600.0


def test_rounds_cover_the_views_once_and_begin_with_the_identity() -> None:
    for num in (1, 2, 5, 32, 1000):
        rounds = view_rounds(num)
        assert rounds[0] == (0, 1)
        assert [view for start, end in rounds for view in range(start, end)] == list(range(num))


def test_ages_are_cut_only_when_first_views_would_not_fit() -> None:
    now = [0.0]
    said: list[str] = []
    for deadline, expected in ((1000.0, 16), (90.0, 9), (20.0, 2)):
        now[0] = 0.0
        pace = Pace(16, deadline, said.append, lambda: now[0])
        pace.begin_round(10 * 100)
        limits = []
        for _ in range(2):
            now[0] += 1.0  # a second for a row and forward; ten rows are owed
            limits.append(pace.age_limit(1, 100))
        assert limits[0] == 16
        assert limits[1] == expected, deadline
    assert len(said) == 2


def test_ages_come_back_when_the_pace_turns_out_better() -> None:
    now = [0.0]
    pace = Pace(16, 100.0, clock=lambda: now[0])
    pace.begin_round(1000)
    for seconds, expected in ((1.0, 16), (2.0, 5), (0.1, 9)):
        now[0] += seconds
        assert pace.age_limit(1, 100) == expected


def test_the_first_forward_on_a_canvas_does_not_count() -> None:
    now = [0.0]
    pace = Pace(4, 100.0, clock=lambda: now[0])
    pace.begin_round(1000)
    for tokens, seconds in ((100, 50.0), (100, 0.1), (900, 40.0)):
        now[0] += seconds
        assert pace.age_limit(1, tokens) == 4


def test_workers_share_gpus_and_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a, 3")
    assert accelerators.visible_gpus() == ["GPU-a", "3"]
    found = accelerators.worker_environments("auto", 3, 2)
    assert [each["CUDA_VISIBLE_DEVICES"] for each in found] == ["GPU-a", "3", "GPU-a"]
    assert {each["OMP_NUM_THREADS"] for each in found} == {"2"}
    assert accelerators.worker_environments("cuda:1", None, None) == [{}]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert accelerators.worker_environments("auto", None, None) == [{}]
    monkeypatch.setattr(accelerators, "usable_cores", lambda: 8)
    assert [each["OMP_NUM_THREADS"] for each in accelerators.worker_environments("cpu", 4, None)] == ["2"] * 4


def test_manifest_names_its_inputs(tmp_path: Path) -> None:
    assert manifest_path(tmp_path / "x.json") == tmp_path / "x.manifest.json"
    (tmp_path / "a.json").write_text("{}")
    tasks = [task("a", 2, answer=1)]
    facts = source_facts(str(tmp_path / "a.json"), tasks)
    assert len(facts["sha256"]) == 64
    assert list(source_facts(str(tmp_path), tasks)["files"]) == ["a.json"]
    assert "sha256" not in source_facts("-", tasks)
    # Answers that a file carries play no part.
    assert facts["tasks_sha256"] == source_facts("-", [task("a", 2, answer=2)])["tasks_sha256"]
    assert facts["tasks_sha256"] != source_facts("-", [task("b", 2)])["tasks_sha256"]
    write_manifest(tmp_path / "x.json", facts)
    assert json.loads((tmp_path / "x.manifest.json").read_bytes()) == facts

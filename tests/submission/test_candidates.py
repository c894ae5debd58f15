"""Candidate files: the schema, round trips, and one line for every breach."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from submission import candidates as module
from submission.candidates import Candidate, CandidateError, from_tallies, keep_owed, read_candidates
from submission.candidates import write_candidates as write
from submission.vote import BallotBox, Query

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
CANDIDATES = st.builds(
    Candidate,
    st.builds(Query, NAMES, st.integers(0, 5)),
    st.integers(0, 999).map(
        lambda s: np.random.default_rng(s).integers(0, 10, (s % 7 + 1, s % 3 + 1), np.uint8)
    ),
    st.floats(min_value=1e-300, max_value=1e300),
    NAMES,
    votes=st.none() | st.integers(0, 9),
    confidence=st.none() | st.floats(0, 1),
    views=st.none() | st.integers(9, 1000),
)


def plain(candidate):
    return candidate.query, candidate.grid.tolist(), candidate.weight, candidate.source


def told(candidate):
    return candidate.votes, candidate.confidence, candidate.views


@settings(max_examples=40)
@given(st.lists(CANDIDATES, max_size=5))
def test_what_is_written_reads_back_the_same(tmp_path_factory, candidates):
    path = tmp_path_factory.mktemp("candidates") / "a.jsonl"
    path.write_bytes(b"".join(write(candidates)))
    found = read_candidates(path)
    assert [(plain(each), told(each)) for each in found] == [(plain(each), told(each)) for each in candidates]
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert len(read_candidates(path)) == len(candidates)


def test_weight_and_source_have_defaults(tmp_path):
    path = tmp_path / "mine.v2.jsonl"
    path.write_text('\n{"task": "a", "index": 0, "grid": [[1]], "note": "other keys are welcome"}\n\n')
    assert [plain(candidate) for candidate in read_candidates(path)] == [(Query("a", 0), [[1]], 1.0, "mine")]
    assert told(read_candidates(path)[0]) == (None, None, None)
    assert read_candidates(path, source="B")[0].source == "B"
    path.write_bytes(line(source="theirs"))
    assert read_candidates(path, source="B")[0].source == "theirs"


def line(**changes):
    value = {"task": "a", "index": 0, "grid": [[1]], "weight": 2, "source": "s"} | changes
    return json.dumps({key: part for key, part in value.items() if part is not ...}).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "not JSON at line 1"),
        (b"\xff", "not UTF-8"),
        (b"[1]", 'a list, expected {"task": ..., "index": ..., "grid": ...}'),
        (b'{"task": "a", "task": "b", "index": 0, "grid": [[1]]}', 'key "task" comes more than once'),
        (line(task=...), 'no "task", expected'),
        (line(index=...), 'no "index", expected'),
        (line(grid=...), 'no "grid", expected'),
        (line(task=3), '"task" is 3, expected a string'),
        (line(task=""), '"task": "" is empty'),
        (line(source="\x1b"), '"source": "\\u001b" holds control characters'),
        (line(source=None), '"source" is null, expected a string'),
        (line(index=-1), '"index" is -1, expected an integer from 0 to 10000'),
        (line(index=99999), '"index" is 99999, expected an integer from 0 to 10000'),
        (line(index=True), '"index" is true'),
        (line(index=1.0), '"index" is 1.0'),
        (line(index=10**30), '"index" is 1'),
        (line(index=10**99), f'"index" is 1{"0" * 59}... (100 characters), expected'),
        (line(grid=[[1], [2, 3]]), "row 1: length 2, expected 1"),
        (line(weight=0), '"weight" is 0.0, expected a finite number above 0'),
        (line(weight=-1.5), '"weight" is -1.5, expected a finite'),
        (line(weight=float("nan")), '"weight" is nan, expected a finite'),
        (line(weight=float("inf")), '"weight" is inf, expected a finite'),
        (line(weight=10**400), '"weight" is inf, expected a finite'),
        (line(weight=-(10**400)), '"weight" is -inf, expected a finite'),
        (line(weight=None), '"weight" is null, expected a number'),
        (line(weight=True), '"weight" is true, expected a number'),
        (line(votes=-1), '"votes" is -1, expected an integer from 0 to 9007199254740992'),
        (line(votes=None), '"votes" is null, expected an integer'),
        (line(views=2.0), '"views" is 2.0, expected an integer'),
        (line(views=10**30), '"views" is 1'),
        (line(votes=3, views=2), '"votes" is 3 of 2 "views", expected at most one vote a view'),
        (line(confidence=1.01), '"confidence" is 1.01, expected a number from 0 to 1'),
        (line(confidence=float("nan")), '"confidence" is NaN, expected a number'),
        (line(confidence="1"), '"confidence" is "1", expected a number'),
        (line(confidence=True), '"confidence" is true, expected a number'),
        (line(note="x" * (64 << 10)), "over 65536 bytes, expected one candidate a line"),
    ],
)
def test_breaches_name_file_and_line(tmp_path, data, message):
    path = tmp_path / "a.jsonl"
    path.write_bytes(line() + b"\n" + data + b"\n" + line() + b"\n")
    with pytest.raises(CandidateError) as caught:
        read_candidates(path)
    assert str(caught.value).startswith(f"{path} line 2: ")
    assert message in str(caught.value)
    assert str(caught.value).isprintable()
    assert caught.value.exit_code == 3


def test_long_integers_keep_their_size(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(line(weight=3 * 10**40))
    assert read_candidates(path)[0].weight == 3e40


def test_files_are_capped(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    path.write_bytes((line() + b"\n") * 5)
    monkeypatch.setattr(module, "MAX_CANDIDATES", 3)
    with pytest.raises(CandidateError, match="line 5: the file holds over 3 candidates"):
        read_candidates(path)
    monkeypatch.setattr(module, "MAX_FILE_BYTES", len(line()) + 1)
    with pytest.raises(CandidateError, match="line 2: the file holds over"):
        read_candidates(path)


def test_blank_lines_are_capped_too(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl.gz"
    monkeypatch.setattr(module, "MAX_LINES", 1000)
    path.write_bytes(gzip.compress(b"\n" * 998 + line() + b"\n\n"))
    assert len(read_candidates(path)) == 1
    path.write_bytes(gzip.compress(line() + b"\n" * 1_000_000))
    with pytest.raises(CandidateError, match="line 1001: over 1000 lines, blank ones included"):
        read_candidates(path)


def test_unreadable_files_are_one_line(tmp_path):
    with pytest.raises(CandidateError, match="cannot be read"):
        read_candidates(tmp_path / "none.jsonl")
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(line())[:-4])
    with pytest.raises(CandidateError, match="damaged gzip data"):
        read_candidates(path)


def test_tallies_become_candidates():
    query = Query("a", 0)
    box = BallotBox([query])
    for grid, confidence in (([[1]], 0.5), ([[1]], 1.0), ([[2]], 0.25), ([[3]], float("nan"))):
        box.cast(query, grid, confidence)
    found = from_tallies(query, box.tallies(query), "mine", box.ballots(query))
    assert [plain(candidate) for candidate in found] == [
        (query, [[1]], 2.0, "mine"),
        (query, [[2]], 1.0, "mine"),
    ]
    assert [told(candidate) for candidate in found] == [(2, 0.75, 4), (1, 0.25, 4)]


def test_only_what_is_owed_is_kept():
    grid = np.ones((1, 1), np.uint8)
    candidates = [Candidate(Query(name, 0), grid, 1.0, "s") for name in "abc"]
    kept, dropped = keep_owed(candidates, [Query("b", 0)])
    assert [candidate.query.task_id for candidate in kept] == ["b"]
    assert dropped == 2

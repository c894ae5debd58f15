"""The program behind `make reliability`: every row is tried by tests that exist; nothing is glossed over."""

from pathlib import Path

import pytest

from tests import reliability
from tests.promises import JOBS, ROWS, Job, Row
from tests.reliability import BEGIN, DOCUMENT, END, Result, shortfalls, table, written


def results(**tallies: tuple[int, str, int, int]) -> dict[str, Result]:
    return {
        name: Result({(row, what): (tried, held)}, 0, 60.0, "")
        for name, (row, what, tried, held) in tallies.items()
    }


def test_every_row_has_tests_and_every_test_is_there(repository: Path) -> None:
    assert sorted(ROWS) == list(range(1, 24))
    assert {row for job in JOBS for row in job.rows} == set(ROWS)
    assert len({job.name for job in JOBS}) == len(JOBS)
    for job in JOBS:
        for test in job.tests:
            file, _, function = test.partition("::")
            text = (repository / file).read_text(encoding="utf-8")
            assert not function or f"def {function}(" in text, test
            read = [name for name in job.counts if f'"{name}"' in text or f"ARC_SOLVER_{name}_COUNT" in text]
            # One folder shares its count.
            assert set(job.counts) - set(read) <= {"FAULT"}, test


def test_the_table_tells_what_was_tried_and_held() -> None:
    text = table(results(test_kills=(1, "kills", 200, 199), test_one_folder=(16, "pairs", 50, 50)))
    assert "| 1 | SIGKILL at any instant of training |" in text
    assert "| 200 kills | 199 |" in text
    assert "| 50 pairs | 50 |" in text
    assert text.count("not measured") == len(ROWS) - 2


def test_what_falls_short_is_said() -> None:
    good = results(test_not_finite=(7, "injections", 180, 180))
    assert shortfalls(good, {7}) == []
    assert shortfalls(results(test_not_finite=(7, "injections", 180, 179)), {7}) == [
        "row 7: 179 of 180 injections"
    ]
    assert shortfalls(results(test_not_finite=(7, "injections", 179, 179)), {7}) == [
        "row 7: 179 injections, fewer than 180"
    ]
    assert shortfalls({}, {7}) == ["row 7: 0 injections, fewer than 180"]
    failed = {"test_not_finite": Result(good["test_not_finite"].tallies, 1, 1.0, "")}
    assert "test_not_finite failed" in shortfalls(failed, {7})[0]


def test_many_tries_of_one_thing_do_not_stand_for_another() -> None:
    headers = {"test_header_fuzz": (5, "damaged headers", 10_000, 10_000)}
    few = results(test_damaged_checkpoints=(5, "damaged files", 12, 12), **headers)
    assert shortfalls(few, {5}) == ["row 5: 12 damaged files, fewer than 2000"]
    assert shortfalls(results(**headers), {5}) == ["row 5: 0 damaged files, fewer than 2000"]
    enough = results(test_damaged_checkpoints=(5, "damaged files", 2000, 2000), **headers)
    assert shortfalls(enough, {5}) == []


def test_every_least_is_of_what_the_page_tells() -> None:
    told: dict[int, dict[str, int]] = {}
    number = 0
    for line in DOCUMENT.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].splitlines():
        if not line.startswith("|") or line.startswith(("| #", "|--")):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        number = int(cells[0]) if cells[0] else number
        tried, _, what = cells[-2].partition(" ")
        told.setdefault(number, {})[what] = int(tried.replace(",", ""))
    assert told.keys() == ROWS.keys()
    for number in told:
        assert ROWS[number].least, number
        for what, least in ROWS[number].least.items():
            assert told[number][what] >= least, (number, what)


def test_a_job_is_run_counted_and_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_sample.py").write_text(
        "from tests.tally import count, record, trial\n"
        "def test_sample():\n"
        "    record(1, 'kills', count('SAMPLE', 1), count('SAMPLE', 1))\n"
        "    for _ in range(3):\n"
        "        with trial(1, 'more'):\n"
        "            pass\n"
    )
    monkeypatch.setattr(reliability, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(
        reliability, "JOBS", (Job((1,), (str(tmp_path / "test_sample.py"),), {"SAMPLE": "200"}),)
    )
    monkeypatch.setattr(reliability, "ROWS", {1: Row("a fault", "a promise", {"kills": 200, "more": 3})})
    monkeypatch.setattr(reliability, "sources", lambda: "the same")
    assert reliability.main(["--rows", "1"]) == 0
    first = capsys.readouterr()
    assert "| 200 kills | 200 |" in first.out
    assert "| 3 more | 3 |" in first.out
    assert "test_sample: exit 0" in first.err
    assert reliability.main(["--rows", "1"]) == 0
    assert capsys.readouterr().err == ""
    assert reliability.main(["--rows", "99"]) == 2
    asked: list[str] = []
    found = reliability.result(reliability.JOBS[0])
    monkeypatch.setattr(reliability, "run", lambda job, now: (asked.append(now), found)[1])
    for now in ("others", ""):
        monkeypatch.setattr(reliability, "sources", lambda now=now: now)
        assert reliability.main(["--rows", "1"]) == 0
    assert reliability.main(["--rows", "1", "--again"]) == 0
    assert asked == ["others", "", ""]


def test_the_page_takes_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = DOCUMENT.read_text(encoding="utf-8")
    assert (page.count(BEGIN), page.count(END)) == (1, 1)
    (tmp_path / "page.md").write_text(page, encoding="utf-8")
    monkeypatch.setattr(reliability, "DOCUMENT", tmp_path / "page.md")
    for _ in range(2):
        written(results(test_kills=(1, "kills", 200, 200)))
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert text.count("| 200 kills | 200 |") == 1
    assert text.split(END)[1] == page.split(END)[1]

"""Every finite figure of a run is on the page, at its place, and nothing else is."""

import html
import math
import re
from pathlib import Path

import numpy as np
import orjson
import pytest

from arc_solver.report import training_page
from arc_solver.report.line_chart import HEIGHT, LEFT, RIGHT, WIDTH, Series, duration, line_chart, number
from arc_solver.report.training_page import build_curves, parse_metrics, read_metrics
from arc_solver.storage.files import append_line
from arc_solver.storage.text import DataError


def records(num: int) -> list[dict[str, object]]:
    return [
        {"step": 10 * n, "seconds": 3.0 * n, "loss": 2.0 / n, "exact": n / num} for n in range(1, num + 1)
    ]


def headings(page: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", page)


def points(svg: str) -> list[list[tuple[float, float]]]:
    lines = re.findall(r'<path class="line" [^>]* d="M([^"]*)h.01"', svg)
    return [[tuple(map(float, point.split())) for point in line.split("L")] for line in lines]


def test_line_passes_through_its_points() -> None:
    x, y = np.array([0.0, 5.0, 10.0]), np.array([3.0, 1.0, 2.0])
    ((first, middle, last),) = points(line_chart([Series("loss", x, y)], "step"))
    assert first[0] == LEFT
    assert last[0] == WIDTH - RIGHT
    assert middle[0] == pytest.approx((first[0] + last[0]) / 2)
    assert first[1] < last[1] < middle[1] < HEIGHT
    assert last[1] - first[1] == pytest.approx((middle[1] - first[1]) / 2, abs=0.11)


def test_wide_range_is_logarithmic() -> None:
    x, y = np.array([0.0, 1.0, 2.0]), np.array([100.0, 10.0, 1.0])
    svg = line_chart([Series("loss", x, y)], "step")
    (line,) = points(svg)
    assert line[1][1] == pytest.approx((line[0][1] + line[2][1]) / 2, abs=0.11)
    assert "logarithmic" in svg
    (line,) = points(line_chart([Series("loss", x, y - 1)], "step"))
    assert line[1][1] != pytest.approx((line[0][1] + line[2][1]) / 2, abs=20)


@pytest.mark.parametrize("value", [0.0, -2.0, 1e-12, 5.0, 1e9])
@pytest.mark.parametrize("num", [1, 3])
def test_flat_line_and_single_point_have_a_place(num: int, value: float) -> None:
    svg = line_chart([Series("loss", np.arange(float(num)), np.full(num, value))], "step")
    (line,) = points(svg)
    assert len(line) == num
    assert all(0 < y < HEIGHT and LEFT <= x <= WIDTH - RIGHT for x, y in line)
    assert "nan" not in svg


def test_peak_survives_the_thinning_of_a_long_run() -> None:
    y = np.ones(50_000)
    y[31_234] = 9.0
    svg = line_chart([Series("loss", np.arange(50_000.0), y)], "step")
    (raw,) = re.findall(r'<path class="line raw" [^>]* d="M([^"]*)h.01"', svg)
    heights = [float(point.split()[1]) for point in raw.split("L")]
    assert len(heights) <= 600
    assert min(heights) < heights[0] - 150
    assert len(svg) < 60_000


def test_page_has_a_chart_per_figure_with_the_main_ones_first() -> None:
    metrics = records(30)
    metrics[3] |= {
        "grad_norm": 1.5,
        "note": "hello",
        "flag": True,
        "zeta": math.nan,
        "eta": math.inf,
        "n": None,
    }
    metrics[5] |= {"valid/exact": 0.25}
    page = build_curves(metrics, "run")
    assert headings(page) == ["loss", "exact", "grad_norm"]
    assert "valid/exact: last 0.25, from 0.25 to 0.25" in page
    assert "loss: last 0.06667, from 0.06667 to 2<" in page
    assert "30 records up to step 300, 90s of training" in page
    assert page.count("<svg") == 2 * 3
    assert "hello" not in page
    assert "nan" not in re.sub("[a-z]*nan[a-z]+", "", page)
    assert build_curves(metrics, "run") == page


@pytest.mark.parametrize(
    "order", [[(1, 5), (2, 900), (3, 901), (2, 4), (3, 3)], [(1, 5), (2, 900), (2, 4), (3, 3)]]
)
def test_steps_taken_back_by_a_resumed_run_are_left_out(order: list[tuple[int, int]]) -> None:
    page = build_curves([{"step": step, "loss": loss} for step, loss in order])
    assert "loss: last 3, from 3 to 5<" in page
    assert "3 records up to step 3" in page


def test_training_and_evaluation_may_report_at_one_step() -> None:
    metrics = [{"step": 1, "loss": 5}, {"step": 1, "valid_exact": 0.5}, {"step": 2, "loss": 4}]
    assert headings(build_curves(metrics)) == ["loss", "valid_exact"]
    taken_back = [*metrics, {"step": 1, "loss": 7}]
    assert headings(build_curves(taken_back)) == ["loss"]


@pytest.mark.parametrize("metrics", [[], [{"loss": 1.0}], [{"step": "x", "loss": 1}], [{"step": 3}]])
def test_run_without_figures_has_a_page(metrics: list[dict[str, object]]) -> None:
    page = build_curves(metrics)
    assert "No figures yet." in page
    assert "<svg" not in page


def test_hostile_names_are_inert() -> None:
    page = build_curves([{"step": 1, '"><script>a/<img src=x>\x1b': 1.0}], "</title><script>")
    assert "<script" not in page
    assert "<img" not in page
    assert "\x1b" not in page
    assert "default-src 'none'" in page


def test_metrics_are_read_line_by_line() -> None:
    data = b"".join(orjson.dumps(record) + b"\n" for record in records(4))
    assert parse_metrics(data) == (records(4), [])
    assert parse_metrics(data + b'{"step": 9') == (records(4), [])
    assert parse_metrics(b"") == ([], [])


def test_lines_cut_short_are_passed_over_with_one_remark(tmp_path: Path) -> None:
    log = tmp_path / "metrics.jsonl"
    for record in records(4):
        append_line(log, orjson.dumps(record))
        if record["step"] in (10, 30):  # as a crash leaves it; the run that goes on ends the line first
            log.write_bytes(log.read_bytes() + b'{"step": 9, "lo')
    found, remarks = read_metrics(log)
    assert found == records(4)
    assert remarks == [f"{log}: skipped, no JSON object: 2 lines, the first is line 2"]
    assert html.escape(remarks[0]) in build_curves(found, "run", remarks)
    for line in (b"{]", b"[1]", b"\xff", b"5", b"[" * 100_000, b"null", b""):
        found, remarks = parse_metrics(line + b"\n" + log.read_bytes()[:-1], "m")
        assert found == records(4)[:3], line
        assert remarks == ["m: skipped, no JSON object: 3 lines, the first is line 1"]


def test_numbers_that_are_none_are_left_out_of_a_line() -> None:
    text = '{"step": 1, "loss": NaN, "grad": -Infinity, "exact": 0.5}\n{"step": 2, "loss": 3, "big": 1e999, '
    text += f'"long": {"9" * 9999}, "lo\\ud800": 1}}\n'
    found, remarks = parse_metrics(text.encode())
    page = build_curves(found)
    assert remarks == []
    assert headings(page) == ["loss", "exact", "lo\\ud800"]
    assert "2 records up to step 2" in page
    assert page.encode()


def test_a_file_beyond_reason_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "metrics.jsonl"
    log.write_bytes(b"{}\n" * 5)
    monkeypatch.setattr(training_page, "MAX_BYTES", 15)
    assert read_metrics(log) == ([{}] * 5, [])
    monkeypatch.setattr(training_page, "MAX_BYTES", 14)
    with pytest.raises(DataError, match="over 14 bytes, which no run writes"):
        read_metrics(log)
    with pytest.raises(DataError, match="cannot be read"):
        read_metrics(tmp_path)


def test_numbers_and_durations_are_short() -> None:
    assert [number(v) for v in (0.02512345, 2437, 75_000, 1.2e6, -3e9)] == [
        "0.02512",
        "2437",
        "75k",
        "1.2M",
        "-3G",
    ]
    assert [duration(s) for s in (0.5, 90, 150, 3600, 39600)] == ["0.5s", "90s", "2.5m", "1h", "11h"]

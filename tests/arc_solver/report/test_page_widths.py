"""On a phone nothing of a page lies beyond its edge: measured in a browser, where there is one."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from arc_solver.report.submission_page import build_report
from arc_solver.report.training_page import build_curves
from arc_solver.tasks.task import Pair, Task

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = (390, 360, 320)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--allow-file-access-from-files", "--virtual-time-budget=5000", "--dump-dom"),
)
# A window is never narrower than some 500 pixels; a frame is. What scrolls within itself is not cut.
PROBE = """<!DOCTYPE html><meta charset="utf-8"><body><script>
const found = {};
const scrolls = box => ["auto", "scroll"].includes(getComputedStyle(box).overflowX);
async function measure(width) {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width:${width}px;height:900px;border:0`;
  const loaded = new Promise(done => frame.onload = done);
  frame.src = "PAGE";
  document.body.append(frame);
  await loaded;
  const page = frame.contentDocument;
  let num = 0;
  const cut = [];
  for (const box of page.querySelectorAll("article, article *, .tile, .chart, .wall a, fieldset label")) {
    if (!box.getClientRects().length) continue;
    num += 1;
    let edge = page.documentElement.clientWidth, outer = box.parentElement;
    while (outer && !scrolls(outer)) outer = outer.parentElement;
    if (outer && outer !== page.documentElement) {
      const reach = outer.getBoundingClientRect().left + outer.scrollWidth - outer.scrollLeft;
      edge = Math.max(edge, reach);
    }
    if (box.getBoundingClientRect().right > edge + 1) cut.push(box.outerHTML.slice(0, 80));
  }
  found[width] = {num, cut, scroll: page.documentElement.scrollWidth};
}
(async () => {
  for (const width of [390, 360, 320]) await measure(width);
  document.body.textContent = "found " + JSON.stringify(found) + " end";
})();
</script>"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium")


def measured(page: str, folder: Path) -> dict[str, dict[str, object]]:
    (folder / "page.html").write_text(page)
    (folder / "probe.html").write_text(PROBE.replace("PAGE", "page.html"))
    command = [
        str(BROWSER),
        *FLAGS,
        f"--user-data-dir={folder / 'profile'}",
        (folder / "probe.html").as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    match = re.search(r"found (.*) end", done.stdout)
    assert match, done.stdout[-500:] + done.stderr[-500:]
    return json.loads(html.unescape(match[1]))


def colored(height: int, width: int) -> np.ndarray:
    return (np.arange(height * width) % 10).astype(np.uint8).reshape(height, width)


def report() -> str:
    tasks, answers = [], {}
    for height, width in ((30, 30), (1, 30), (30, 1), (1, 1), (17, 23)):
        grid = colored(height, width)
        pair = Pair(grid, grid[::-1].copy())
        task_id = f"{height}x{width} " + "long-name" * 8
        tasks.append(Task(task_id, (pair, pair), (pair,)))
        answers[task_id] = [{"attempt_1": grid.tolist(), "attempt_2": "no grid" * 30}]
    return build_report(tasks, answers, score_table="x" * 200, remarks=["y" * 200])


@pytest.mark.parametrize("digits", [False, True])
def test_no_grid_is_cut_on_a_phone(digits: bool, tmp_path: Path) -> None:
    page = report()
    chosen = page.replace('id="digits"', 'id="digits" checked')
    assert chosen != page
    for width, found in measured(chosen if digits else page, tmp_path).items():
        assert found["num"] > 100
        assert found["cut"] == []
        assert found["scroll"] <= int(width)


def test_no_chart_is_cut_on_a_phone(tmp_path: Path) -> None:
    records = [{"step": step, "seconds": step, "loss": 1 / step, "a" * 90: step} for step in range(1, 50)]
    for width, found in measured(build_curves(records, "run" * 40), tmp_path).items():
        assert found["num"] > 4
        assert found["cut"] == []
        assert found["scroll"] <= int(width)

"""The rehearsal: the notebook as Kaggle runs it, in both layouts, without a network and without a GPU."""

import shutil
import subprocess
from pathlib import Path

import pytest

from arc_solver.storage.text import quoted
from submission.document import id_fault
from submission.validation import validate
from tests.kaggle_bundle.image import Image
from tests.kaggle_bundle.stage import (
    HOSTILE_IDS,
    POISON,
    Stage,
    fingerprint,
    make_tasks,
    owed_by,
    renamed,
    set_stage,
)

HEALTHY = renamed(make_tasks(3, 8, "f0"), HOSTILE_IDS)
HIDDEN = HEALTHY | POISON
UNNAMEABLE = {name for name in POISON if id_fault(name)}


@pytest.fixture(scope="module")
def rerun(image: Image, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Stage, str]:
    """The bundle's notebook, executed by nbclient on hidden tasks with poison among them."""
    stage = set_stage(tmp_path_factory.mktemp("rerun"), "nested", image, bundle, HIDDEN, hidden=True)
    before = fingerprint(stage.inputs)
    for folder in image.kernels():
        shutil.rmtree(folder)
    text = stage.execute(bundle / "submit.ipynb")
    assert fingerprint(stage.inputs) == before, "the inputs were changed"
    return stage, text


def test_the_notebook_answers_hidden_tasks(rerun: tuple[Stage, str]) -> None:
    stage, text = rerun
    assert list(stage.read()) == list(HIDDEN)
    assert {defect.task_id for defect in validate(stage.submission, owed_by(HIDDEN))} == UNNAMEABLE
    assert stage.answered() == HEALTHY.keys()
    assert "scored rerun" in text
    assert "no GPU" in text
    assert "FAILED" not in text


def test_its_kernels_were_compiled_on_the_way_and_that_was_said(rerun: tuple[Stage, str]) -> None:
    stage, text = rerun
    assert stage.image.kernels()
    assert text.count("compiling kernels") == 1


def test_the_solver_that_answered_is_the_installed_one(rerun: tuple[Stage, str]) -> None:
    stage, _ = rerun
    query = [str(stage.image.python), "-c", "import arc_solver; print(arc_solver.__file__)"]
    place = subprocess.run(query, cwd=stage.working, capture_output=True, text=True, check=True).stdout
    assert Path(place).is_relative_to(stage.image.python.parent.parent)


def test_the_fallback_came_first_and_the_report_last(rerun: tuple[Stage, str]) -> None:
    lines = rerun[1].splitlines()
    fallback = next(i for i, line in enumerate(lines) if "complete fallback" in line)
    commands = [i for i, line in enumerate(lines) if "] $ " in line]
    assert fallback < commands[0]
    assert "validate" in lines[commands[-1]]
    assert "outputs answered" in lines[-1]


def test_poison_is_named_in_one_line_each(rerun: tuple[Stage, str]) -> None:
    for name in POISON:
        assert sum(quoted(name) in line and "warning" in line for line in rerun[1].splitlines()) == 1


def test_ids_change_no_line_and_no_path(rerun: tuple[Stage, str]) -> None:
    stage, text = rerun
    assert len(UNNAMEABLE) == 2
    assert all(line.isprintable() for line in text.split("\n"))
    assert {path.name for path in stage.working.parent.iterdir()} == {"input", "working"}
    own = ("bin", ".ipython", "kernel-ipc")  # the stage's and the kernel's
    written = {path.name for path in stage.working.iterdir() if not path.name.startswith(own)}
    assert written == {"submission.json", "submission.manifest.json"}


def test_nothing_asked_for_the_network(rerun: tuple[Stage, str]) -> None:
    calls = rerun[0].image.calls
    assert not calls.exists(), calls.read_text()


def test_other_layout_same_seed_same_bytes_without_the_poison(
    rerun: tuple[Stage, str], image: Image, bundle: Path, script: Path, tmp_path: Path
) -> None:
    stage = set_stage(tmp_path, "flat", image, bundle, HEALTHY, hidden=True)
    stage.run(script)
    theirs = rerun[0].read()
    assert stage.read() == {name: theirs[name] for name in HEALTHY}


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_the_placeholder_is_rehearsed_and_scored(
    layout: str, image: Image, bundle: Path, tmp_path: Path
) -> None:
    tasks = make_tasks(4, 4, "0d")
    stage = set_stage(tmp_path, layout, image, bundle, tasks, hidden=False)
    text = stage.execute(bundle / "submit.ipynb")
    assert not validate(stage.submission, owed_by(tasks))
    assert "placeholder: a rehearsal" in text
    assert "pass@2" in text, "the score of the rehearsal is missing"
    assert stage.answered() == tasks.keys()


@pytest.mark.slow
def test_the_same_run_twice_gives_the_same_bytes(
    image: Image, bundle: Path, script: Path, rerun: tuple[Stage, str], tmp_path: Path
) -> None:
    stage = set_stage(tmp_path, "flat", image, bundle, HIDDEN, hidden=True)
    stage.run(script)
    assert stage.submission.read_bytes() == rerun[0].submission.read_bytes()

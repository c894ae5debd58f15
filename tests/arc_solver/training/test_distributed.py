"""Two processes are one run: equal to a single one, ended by the loss of one, resumed by any number."""

import dataclasses
import json
import shutil
import signal
from pathlib import Path

import pytest
import torch
from torch import Tensor

from arc_solver.config import ConfigError
from arc_solver.training.batches import Batches
from tests.arc_solver.tiny import CPU, TRAIN, preset, run
from tests.arc_solver.training.ranks import figures, last, start
from tests.crash.forkserver import Forkserver, train_command
from tests.faults.scene import write_tasks

STEPS = 8


def train(folder: Path, name: str) -> list[str]:
    if not (folder / "tasks.json").exists():
        write_tasks(folder / "tasks.json", num=4)
    # Gradients that are clipped have one length whatever their scale was.
    return train_command(folder / "tasks.json", folder / name, steps=STEPS, save_every=3, cycles=2, clip=0.0)


def assert_close(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """Equal to rounding, which sums in another order differ by.

    The moments of the optimizer are held to their own size: Adam moves weights alike at any scale of the
    gradients, so that weights do not tell a sum from a mean.
    """
    assert found.keys() == wanted.keys()
    moments = [name for name in wanted if name.endswith((".mean", ".square"))]
    assert moments
    for name in moments:
        assert (found[name] - wanted[name]).norm() <= 0.01 * wanted[name].norm(), name
    for name, t in wanted.items():
        torch.testing.assert_close(
            found[name], t, atol=2e-3, rtol=2e-2, msg=lambda text, n=name: f"{n}: {text}"
        )


def test_two_processes_train_as_one_and_go_on_after_a_kill(forkserver: Forkserver, tmp_path: Path) -> None:
    one, two = train(tmp_path, "one"), train(tmp_path, "two")
    assert [code for code, _ in start(forkserver, tmp_path, one)] == [0]
    told = start(forkserver, tmp_path, two, 2)
    assert [code for code, _ in told] == [0, 0], told
    assert_close(last(tmp_path / "two"), last(tmp_path / "one"))
    assert figures(tmp_path / "two", "loss")[-1] == pytest.approx(
        figures(tmp_path / "one", "loss")[-1], abs=2e-3
    )
    assert "final.safetensors" in told[0][1]
    assert told[1][1] == ""  # rank 0 alone speaks

    killed = train(tmp_path, "killed")
    (code, text), (dead, _) = start(forkserver, tmp_path, killed, 2, kill=(1, 5))
    assert (code, dead) == (1, -signal.SIGKILL)
    assert [line for line in text.splitlines() if line.startswith("error: ")] == text.splitlines()[-1:]
    assert "error: another process of this run is gone" in text
    again = start(forkserver, tmp_path, killed, 2)
    assert [code for code, _ in again] == [0, 0], again
    assert "at step 3" in again[0][1]
    found, wanted = last(tmp_path / "killed"), last(tmp_path / "two")
    assert [name for name, t in wanted.items() if not torch.equal(found[name], t)] == []


def test_processes_that_see_other_folders_are_refused(forkserver: Forkserver, tmp_path: Path) -> None:
    """Each in a working folder of its own: one finds a checkpoint, the other none or only an older one."""
    places = [tmp_path / "here", tmp_path / "there"]
    for place in places:
        place.mkdir()
    relative = train(tmp_path, "run")
    relative[relative.index("--out") + 1] = "run"
    assert start(forkserver, tmp_path, relative, places=places)[0][0] == 0
    told = start(forkserver, tmp_path, relative, 2, places=places)
    assert_refused(told, f"one finds no checkpoint there, another step {STEPS}")
    assert not (places[1] / "run").exists()

    shutil.copytree(places[0] / "run", places[1] / "run")
    newest = max((places[1] / "run").glob("checkpoint-*"))
    newest.write_bytes(newest.read_bytes()[:-1])
    told = start(forkserver, tmp_path, relative, 2, places=places)
    assert_refused(told, f"one finds step 6 there, another step {STEPS}")


def assert_refused(told: list[tuple[int, str]], reason: str) -> None:
    """Every process ends with one line of this reason."""
    assert [code for code, _ in told] == [1, 1], told
    for _, text in told:
        (line,) = [line for line in text.splitlines() if line.startswith("error: ")]
        assert line.startswith("error: the processes do not see the same folder run: ")
        assert reason in line


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2), (1, 3)])
def test_another_number_of_processes_goes_on(
    before: int, after: int, forkserver: Forkserver, tmp_path: Path
) -> None:
    whole, changed = train(tmp_path, "whole"), train(tmp_path, "changed")
    assert start(forkserver, tmp_path, whole)[0][0] == 0
    start(forkserver, tmp_path, changed, before, kill=(0, 5))
    told = start(forkserver, tmp_path, changed, after)
    assert {code for code, _ in told} == {0}, told
    assert "at step 3" in told[0][1]
    assert_close(last(tmp_path / "changed"), last(tmp_path / "whole"))


@pytest.mark.slow
def test_a_signal_to_any_process_stops_all(forkserver: Forkserver, tmp_path: Path) -> None:
    """All finish the step and leave with 143; the run goes on as if nothing had been."""
    whole, stopped = train(tmp_path, "whole"), train(tmp_path, "stopped")
    start(forkserver, tmp_path, whole, 2)
    told = start(forkserver, tmp_path, stopped, 2, kill=(1, 4), number=signal.SIGTERM)
    assert [code for code, _ in told] == [143, 143], told
    assert "terminated at step 4; saved" in told[0][1]
    assert told[1][1] == ""
    told = start(forkserver, tmp_path, stopped, 2)
    assert "at step 4" in told[0][1]
    found, wanted = last(tmp_path / "stopped"), last(tmp_path / "whole")
    assert [name for name, t in wanted.items() if not torch.equal(found[name], t)] == []


def test_a_dry_run_measures_all_processes_together(forkserver: Forkserver, tmp_path: Path) -> None:
    whole = [*train(tmp_path, "run"), "--dry-run", "--json"]
    (code, text), (other, silence) = start(forkserver, tmp_path, whole, 2)
    assert (code, other, silence) == (0, 0, "")
    assert json.loads(text)["steps"] == STEPS
    told = start(forkserver, tmp_path, [*whole, "--set", "batch_size=1"], 2)
    assert [code for code, _ in told] == [2, 2]
    assert "batch_size=1: fewer rows than the 2 processes" in told[0][1]
    assert told[1][1] == ""
    assert not (tmp_path / "run").exists()


def test_every_process_needs_a_row() -> None:
    found = run(preset())
    config = dataclasses.replace(TRAIN, batch_size=2)
    Batches(found.data, config, CPU, rank=1, world=2)
    with pytest.raises(ConfigError, match="batch_size=2: fewer rows than the 3 processes"):
        Batches(found.data, config, CPU, rank=1, world=3)

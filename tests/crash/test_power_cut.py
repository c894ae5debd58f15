"""The power goes during a save: old or new is whole on the disk, and what was saved stays saved."""

from collections.abc import Callable
from pathlib import Path

import pytest

from arc_solver.checkpoints import weights
from arc_solver.checkpoints.file_format import CheckpointError, read_verified
from arc_solver.storage import files
from tests.crash import careless
from tests.crash.disk_model import Disk, Folder, watched
from tests.crash.saving import NEW, OLD, before, save, trained
from tests.tally import record

Writer = Callable[..., None]


def newest_whole(folder: Folder, work: Path) -> int:
    """The step that a restart would find: of the newest checkpoint that verifies, or 0."""
    for name in sorted((name for name in folder if name.startswith("checkpoint-")), reverse=True):
        path = work / name
        path.write_bytes(folder[name])
        try:
            return int(read_verified(path)[0].metadata["step"])
        except CheckpointError:
            continue
    return 0


def found_after_cuts(tmp_path: Path, writer: Writer) -> tuple[set[int], set[int], int]:
    """Steps that a restart finds after a cut during the save, and after one behind it; how many cuts."""
    root, work = tmp_path / "run", tmp_path / "work"
    root.mkdir()
    work.mkdir()
    before(root)
    run, disk = trained(NEW), Disk(root)
    disk.hold({path.name: path.read_bytes() for path in root.iterdir()})
    states: list[list[Folder]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "write_atomic", writer)
        watched(disk, patch, lambda: states.append(list(disk.after_a_cut())))
        save(run, root)
    found = [[newest_whole(folder, work) for folder in state] for state in states]
    return {step for steps in found for step in steps}, set(found[-1]), sum(map(len, found))


def test_a_cut_leaves_old_or_new(tmp_path: Path) -> None:
    during, after, num_cuts = found_after_cuts(tmp_path, files.write_atomic)
    held = during == {OLD, NEW} and after == {NEW}
    record(2, "states after a power cut, in a model of the disk", num_cuts, num_cuts if held else 0)
    assert (during, after) == ({OLD, NEW}, {NEW})
    assert num_cuts > 30


@pytest.mark.parametrize("writer", [careless.write_in_place, careless.write_without_sync])
def test_a_careless_writer_is_found_out(tmp_path: Path, writer: Writer) -> None:
    _, after, _ = found_after_cuts(tmp_path, writer)
    # The new file may be gone or empty although its save has ended, and the oldest one was removed.
    found_out = after != {NEW}
    record(2, "careless writers found out by the model (mutation check)", 1, found_out)
    assert found_out

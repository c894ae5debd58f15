"""An ARC-AGI solver that one person can run. Importing this package imports nothing heavy.

Each public name is fetched from its module at the first use (PEP 562); `_HOMES` is the list.
"""

import sys
from importlib import import_module
from types import ModuleType

_HOMES = {
    "Pair": "arc_solver.task",
    "Task": "arc_solver.task",
    "read_tasks": "arc_solver.task",
    "train": "arc_solver.training.run",
    "load": "arc_solver.weights",
    "solve": "arc_solver.solve",
    "write_submission": "arc_solver.solve",
    "score": "submission.score",
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


class _Package(ModuleType):
    """Keeps a submodule from hiding the function of the same name.

    Importing `arc_solver.solve` would otherwise bind the module over the public function `solve`.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name in _HOMES and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

"""One bundle with a tiny model and one image for all rehearsals."""

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from arc_solver.checkpoints.weights import save
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from tests.arc_solver import tiny
from tests.kaggle_bundle.image import Image, make_image
from tests.kaggle_bundle.stage import BUNDLE, COMPETITION, OWNER


def load(path: Path) -> ModuleType:
    """A script of kaggle/, which is no package, as a module; nothing of it is run but its definitions."""
    spec = importlib.util.spec_from_file_location(f"kaggle_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def script(repository: Path) -> Path:
    return repository / "kaggle" / "submit.py"


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a tiny model that knows none of the rehearsals' tasks."""
    puzzles = PuzzleMap.build(tiny.tasks(0), "rows", 4, seed=0)
    model = tiny.lively(Model(tiny.MODEL, num_rows=puzzles.num_rows, seed=5))
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    tensors = {f"average.{name}": tensor for name, tensor in model.state_dict().items()}
    save(path, tensors, tiny.preset(), puzzles, {"kind": "weights"})
    return path


@pytest.fixture(scope="session")
def bundle(repository: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder to upload, as build_bundle.py makes it."""
    out = tmp_path_factory.mktemp("bundle") / "upload"
    command = [sys.executable, str(repository / "kaggle" / "build_bundle.py"), "--out", str(out)]
    command += ["--weights", str(weights), "--owner", OWNER, "--slug", BUNDLE, "--competition", COMPETITION]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def requirements(repository: Path) -> list[str]:
    text = (repository / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]["dependencies"]


@pytest.fixture(scope="session")
def image(requirements: list[str], tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image in which the notebooks install the solver; its kernels are compiled once."""
    return make_image(tmp_path_factory.mktemp("image"), requirements)


@pytest.fixture(scope="session")
def bare_image(requirements: list[str], tmp_path_factory: pytest.TempPathFactory) -> Image:
    """An image in which nothing installs the solver."""
    return make_image(tmp_path_factory.mktemp("bare"), requirements)

"""The wheel that goes to Kaggle: pure Python, three packages, and at home on the competition image."""

import subprocess
import sys
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

PACKAGES = {"arc_solver", "augment", "submission"}
IMAGE_PYTHON = "3.12"
# What the Kaggle image holds. Its tqdm and safetensors are not published with a number; releases
# two years older than the image stand for them.
IMAGE = {
    "numba": "0.60.0",
    "numpy": "2.0.0",
    "orjson": "3.11.0",
    "safetensors": "0.4.5",
    "scipy": "1.16.0",
    "torch": "2.10.0",
    "tqdm": "4.66.0",
    "typer": "0.24.0",
}


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), "."]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> PathDistribution:
    name, version, *_ = wheel.name.split("-")
    return PathDistribution(zipfile.Path(wheel, f"{name}-{version}.dist-info/"))


def test_it_is_pure_python(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")


def test_it_holds_exactly_three_packages(wheel: Path, sources: dict[str, Path], repository: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    assert len(tops) == len(PACKAGES) + 1
    assert not [name for name in names if name.endswith((".pyc", ".nbi", ".nbc", ".so"))]
    modules = {path.relative_to(repository).as_posix() for path in sources.values()}
    assert {name for name in names if name.endswith(".py")} == modules


def test_it_installs_on_the_kaggle_image(metadata: PathDistribution) -> None:
    assert IMAGE_PYTHON in SpecifierSet(metadata.metadata["Requires-Python"])
    needed = [Requirement(text) for text in metadata.requires or []]
    runtime = {need.name: need.specifier for need in needed if need.marker is None}
    assert runtime.keys() == IMAGE.keys(), "a runtime dependency that the image may not have"
    assert not {name: str(bound) for name, bound in runtime.items() if IMAGE[name] not in bound}


def test_no_torch_is_admitted_whose_careful_unpickler_has_a_hole(metadata: PathDistribution) -> None:
    """GHSA-63cw-57p8-fm3p: up to 2.9.1 a checkpoint can write where it should not, weights only or not."""
    (torch,) = (need for need in map(Requirement, metadata.requires or []) if need.name == "torch")
    assert not list(torch.specifier.filter(["2.9.0", "2.9.1"]))


def test_the_tested_versions_satisfy_it(metadata: PathDistribution, repository: Path) -> None:
    text = (repository / "constraints.txt").read_text(encoding="utf-8")
    pins = dict(line.split("==") for line in text.splitlines() if not line.startswith("#"))
    tested = {name.lower(): version for name, version in pins.items()}
    for need in map(Requirement, metadata.requires or []):
        assert need.name in tested, f"constraints.txt does not pin {need.name}"
        assert tested[need.name] in need.specifier, f"{need} against the pinned {tested[need.name]}"


def test_it_offers_the_command(metadata: PathDistribution) -> None:
    assert [(entry.name, entry.value) for entry in metadata.entry_points] == [
        ("arc-solve", "arc_solver.cli:main")
    ]

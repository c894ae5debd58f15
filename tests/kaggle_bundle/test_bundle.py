"""The folder to upload: complete, verified, and with its settings in notebook and metadata."""

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.kaggle_bundle.conftest import load
from tests.kaggle_bundle.stage import BUNDLE, COMPETITION, OWNER


@pytest.fixture(scope="module")
def build(repository: Path):
    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(repository / "kaggle" / "build_bundle.py"), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return call


def test_it_holds_what_both_uploads_need(bundle: Path, weights: Path) -> None:
    names = {path.name for path in bundle.iterdir()}
    (wheel,) = (name for name in names if name.endswith(".whl"))
    expected = {"bundle.json", "dataset-metadata.json", "kernel-metadata.json", "submit.ipynb", weights.name}
    assert names == expected | {wheel}
    with zipfile.ZipFile(bundle / wheel) as archive:
        assert archive.testzip() is None
    assert (bundle / weights.name).read_bytes() == weights.read_bytes()
    files = json.loads((bundle / "bundle.json").read_text())["files"]
    assert files.keys() == names - {"bundle.json"}
    for name, facts in files.items():
        content = (bundle / name).read_bytes()
        assert facts == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_its_metadata_name_each_other(bundle: Path) -> None:
    dataset = json.loads((bundle / "dataset-metadata.json").read_text())
    kernel = json.loads((bundle / "kernel-metadata.json").read_text())
    assert dataset["id"] == f"{OWNER}/{BUNDLE}"
    assert kernel["dataset_sources"] == [dataset["id"]]
    assert kernel["competition_sources"] == [COMPETITION]
    assert kernel["id"].split("/")[1] == kernel["title"], "Kaggle derives the id from the title"
    assert kernel["enable_internet"] is False
    assert (bundle / kernel["code_file"]).exists()


def test_its_settings_are_in_the_notebook(bundle: Path, weights: Path, tmp_path: Path) -> None:
    cells = json.loads((bundle / "submit.ipynb").read_text())["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    (tmp_path / "notebook.py").write_text(source)
    defaults = load(tmp_path / "notebook.py").DEFAULTS
    assert defaults["COMPETITION"] == COMPETITION
    assert defaults["BUNDLE"] == BUNDLE
    assert defaults["WEIGHTS"] == weights.name
    assert defaults["HOURS"] == "12"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--slug", "No Such Slug"], "--slug"),
        (["--hours", "0"], "--hours"),
        (["--owner", ""], "--owner"),
    ],
)
def test_what_kaggle_would_refuse_is_refused(
    build, tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    done = build("--out", tmp_path / "out", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_damaged_weights_are_refused_and_leave_nothing(build, weights: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged.write_bytes(content)
    done = build("--out", tmp_path / "out", "--weights", damaged)
    assert done.returncode == 1
    assert "damaged.safetensors" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged.safetensors"]


def test_a_folder_of_something_else_is_left_alone(build, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = build("--out", tmp_path)
    assert done.returncode == 1
    assert "holds other files" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]

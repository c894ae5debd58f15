"""The folder to upload: complete, verified, and with its settings in notebook and metadata."""

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from arc_solver.checkpoints.weights import save
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from tests.arc_solver import tiny
from tests.kaggle_bundle.conftest import load
from tests.kaggle_bundle.stage import BUNDLE, COMPETITION, OWNER


@pytest.fixture(scope="module")
def build(repository: Path):
    def call(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(repository / "kaggle" / "build_bundle.py"), *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)

    return call


@pytest.fixture
def builder(repository: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, at work in an empty folder; its wheel is that of the bundle that was built."""
    monkeypatch.syspath_prepend(str(repository / "kaggle"))
    module = load(repository / "kaggle" / "build_bundle.py")
    wheel = next(bundle.glob("*.whl"))
    monkeypatch.setattr(module, "build_wheel", lambda folder: shutil.copy(wheel, folder))
    monkeypatch.chdir(tmp_path)
    return module


def refusal(builder: ModuleType, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line with which the script ends."""
    assert builder.main([*map(str, arguments)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("error: ")
    return line


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


def test_a_relative_place_is_below_the_working_folder(build, repository: Path, tmp_path: Path) -> None:
    done = build("--out", "some/where", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"some"}
    assert {path.name for path in (tmp_path / "some").iterdir()} == {"where"}
    assert len(list((tmp_path / "some" / "where").glob("*.whl"))) == 1
    assert not (repository / "some").exists()


@pytest.mark.parametrize("roots", ["", ":", " ", " : "])
def test_no_roots_at_all_are_refused(
    builder: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], roots: str
) -> None:
    line = refusal(builder, capsys, "--out", "new", "--roots", roots)
    assert line == f"error: --roots {roots!r}: names no folder; expected one or more with ':' between"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("out", "complaint"),
    [
        ("afile", "afile: not a folder; name a new folder or an earlier bundle"),
        ("afile/below", "afile: File exists; the bundle was not built"),
        ("/proc/nope/x", "/proc/nope: No such file or directory; the bundle was not built"),
    ],
)
def test_a_place_that_cannot_be_is_refused(
    builder: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str, complaint: str
) -> None:
    (tmp_path / "afile").write_text("mine")
    assert refusal(builder, capsys, "--out", out).endswith(complaint)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_a_failure_on_the_way_leaves_the_earlier_bundle(
    builder: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert builder.main(["--out", "bundle"]) == 0
    capsys.readouterr()
    before = {path.name: path.read_bytes() for path in (tmp_path / "bundle").iterdir()}
    usual = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.name == "bundle" and path.parent.name.startswith(".bundle-"):
            raise OSError(28, "No space left on device", str(path))
        return usual(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    assert "No space left on device; the bundle was not built" in refusal(
        builder, capsys, "--out", "bundle", "--hours", "9"
    )
    assert {path.name: path.read_bytes() for path in (tmp_path / "bundle").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_what_was_added_stays_when_a_bundle_is_built_again(
    builder: ModuleType, weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "bundle"
    assert builder.main(["--out", "bundle", "--weights", str(weights)]) == 0
    (out / "notes.txt").write_text("mine")
    (out / "extra" / "deep").mkdir(parents=True)
    (out / "extra" / "deep" / "data.bin").write_bytes(b"too")
    (out / "link").symlink_to("notes.txt")
    for _ in range(2):
        assert builder.main(["--out", "bundle", "--hours", "9"]) == 0
        assert (out / "notes.txt").read_text() == "mine"
        assert (out / "extra" / "deep" / "data.bin").read_bytes() == b"too"
        assert (out / "link").readlink() == Path("notes.txt")
        assert not (out / weights.name).exists(), "weights of the earlier bundle are not of this one"
        manifest = json.loads((out / "bundle.json").read_text())
        assert manifest["settings"]["HOURS"] == "9"
        assert not {"notes.txt", "extra", "link"} & manifest["files"].keys()
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize(
    ("asked", "names", "settings"),
    [
        ((), {"arc.safetensors"}, ("arc.safetensors", "own")),
        (("--weights", "none"), set(), ("none", "")),
    ],
)
def test_the_weights_that_ship_are_taken_unless_others_or_none_are_named(
    builder: ModuleType, tmp_path: Path, asked: tuple[str, ...], names: set[str], settings: tuple[str, str]
) -> None:
    assert builder.main(["--out", "bundle", *asked]) == 0
    assert {path.name for path in (tmp_path / "bundle").glob("*.safetensors")} == names
    found = json.loads((tmp_path / "bundle" / "bundle.json").read_text())["settings"]
    assert (found["WEIGHTS"], found["PRESET"]) == settings


def test_what_was_added_is_never_written_over(
    builder: ModuleType, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert builder.main(["--out", "bundle"]) == 0
    capsys.readouterr()
    mine = tmp_path / "bundle" / weights.name
    mine.write_text("mine")
    line = refusal(builder, capsys, "--out", "bundle", "--weights", weights)
    assert f"holds {weights.name}, which is not of the earlier bundle" in line
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"files": 3}', '{"files": [[]]}', "\xff"])
def test_a_folder_with_another_manifest_is_left_alone(
    builder: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "bundle.json").write_text(text, encoding="latin-1")
    assert "bundle.json" in refusal(builder, capsys, "--out", "there")
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["bundle.json"]


def test_weights_of_another_domain_are_refused(
    builder: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tiny.preset(train=dataclasses.replace(tiny.TRAIN, domain="sudoku"))
    state = Model(tiny.MODEL, num_rows=1).state_dict()
    tensors = {f"average.{name}": tensor for name, tensor in state.items()}
    save(tmp_path / "ck.safetensors", tensors, recipe, PuzzleMap("rows"), {"kind": "weights"})
    line = refusal(builder, capsys, "--out", "new", "--weights", "ck.safetensors")
    assert "ck.safetensors: weights for sudoku" in line
    assert [path.name for path in tmp_path.iterdir()] == ["ck.safetensors"]

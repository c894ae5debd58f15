"""The committed notebook is its source, cell by cell."""

import ast
import json
import sys
from pathlib import Path

import nbformat
import pytest

from tests.kaggle_bundle.conftest import load

STANDARD_LIBRARY = set(sys.stdlib_module_names)


@pytest.fixture(scope="module")
def builder(repository: Path):
    return load(repository / "kaggle" / "build_notebook.py")


def test_the_committed_notebook_is_the_built_one(builder, script: Path) -> None:
    built = builder.notebook_of(script.read_text(encoding="utf-8"))
    assert script.with_suffix(".ipynb").read_bytes() == built, "run: python kaggle/build_notebook.py"


def test_the_builder_writes_and_checks(
    builder, script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "submit.ipynb"
    assert builder.main(["--check", "--out", str(out)]) == 1
    assert not out.exists()
    assert builder.main(["--out", str(out)]) == 0
    assert out.read_bytes() == script.with_suffix(".ipynb").read_bytes()
    assert builder.main(["--check", "--out", str(out)]) == 0
    capsys.readouterr()
    out.write_bytes(out.read_bytes()[:-2])
    source = tmp_path / "source.py"
    source.write_bytes(b"x = 1\n# %%\n")
    for arguments in (["--check", "--out", out], ["--source", source], ["--source", tmp_path]):
        assert builder.main(list(map(str, arguments))) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("error: ")
        assert printed.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.py", "submit.ipynb"]


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["--chekc"], 2), (["more"], 2)])
def test_the_builder_refuses_what_it_does_not_know(builder, arguments: list[str], code: int) -> None:
    with pytest.raises(SystemExit) as ended:
        builder.main(arguments)
    assert ended.value.code == code


def test_its_cells_parse_and_import_the_standard_library_only(builder, script: Path) -> None:
    notebook = nbformat.reads(builder.notebook_of(script.read_text(encoding="utf-8")).decode(), as_version=4)
    nbformat.validate(notebook)
    imported = set()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    imported.add(node.module.split(".")[0])
    assert imported
    assert not imported - STANDARD_LIBRARY


def test_code_of_the_cells_is_the_code_of_the_source(builder, script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    code = "\n".join(body for kind, body in builder.cells_of(text) if kind == "code")
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(text))


def test_markdown_and_code_are_told_apart(builder) -> None:
    source = "# %% [markdown]\n# # Title\n#\n# text\n\n# %%\n\nx = 1\n\n\n# %%\n# a comment\ny = 2\n"
    cells = json.loads(builder.notebook_of(source))["cells"]
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in cells] == [
        ("markdown", "# Title\n\ntext"),
        ("code", "x = 1"),
        ("code", "# a comment\ny = 2"),
    ]


def test_code_before_the_first_cell_is_refused(builder) -> None:
    with pytest.raises(builder.NotebookError, match="before the first cell"):
        builder.notebook_of("x = 1\n# %%\n")


def test_settings_replace_the_defaults(builder, script: Path) -> None:
    text = builder.with_settings(script.read_text(encoding="utf-8"), {"HOURS": "9", "BUNDLE": 'a"b'})
    scope: dict[str, object] = {"__name__": "not main"}
    exec(compile(text, "submit.py", "exec"), scope)
    assert scope["DEFAULTS"]["HOURS"] == "9"
    assert scope["DEFAULTS"]["BUNDLE"] == 'a"b'
    assert scope["DEFAULTS"]["SEED"] == "0"
    with pytest.raises(builder.NotebookError, match="NOTHING"):
        builder.with_settings(text, {"NOTHING": "1"})

"""Build the folder that goes to Kaggle: the wheel, weights, the notebook and the metadata of both uploads."""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from build_notebook import SOURCE, NotebookError, notebook_of, with_settings

from arc_solver.checkpoints.file_format import CheckpointError, check_domain, read_verified
from arc_solver.checkpoints.shipped import all_shipped, find_weights

MANIFEST = "bundle.json"
NOBODY = "your-name"
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,48})[a-z0-9]")


class BundleError(ValueError):
    """The bundle cannot be built; the text is one line."""


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What the command line says; `out` is made absolute."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=REPOSITORY / "dist" / "kaggle", help="folder to write")
    parser.add_argument(
        "--weights",
        action="append",
        default=argparse.SUPPRESS,
        help="checkpoint; the first is used (default: those that ship, with their recipe; none: no weights)",
    )
    parser.add_argument(
        "--owner", default=os.environ.get("KAGGLE_USERNAME", NOBODY), help="your name at Kaggle"
    )
    parser.add_argument(
        "--slug", default="arc-solver", help="name of the dataset; the notebook is SLUG-submit"
    )
    parser.add_argument("--competition", default="arc-prize-2026", help="name of the competition")
    parser.add_argument("--accelerator", default="NvidiaL4", help="machine; empty for none")
    parser.add_argument(
        "--roots", default="/kaggle/input", help="where inputs are mounted, ':' between several"
    )
    parser.add_argument("--hours", type=float, default=12, help="what the competition allows")
    options = parser.parse_args(arguments, argparse.Namespace(weights=[]))
    # The wheel is built in another working folder; a folder behind a link is replaced, not the link.
    options.out = Path(os.path.realpath(options.out))
    return options


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this repository into the folder."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), "."]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise BundleError(f"the wheel was not built: {' '.join(last)}; try: {' '.join(command[1:])}")
    wheels = list(folder.glob("arc_solver-*.whl"))
    if not wheels:
        raise BundleError(f"no arc_solver-*.whl was built; try: {' '.join(command[1:])}")
    return wheels[0]


def add_weights(paths: list[Path], folder: Path) -> None:
    """Copy checkpoints for ARC that `arc-solve info` can read and whose hashes agree, or BundleError."""
    for path in paths:
        if (folder / path.name).exists():
            raise BundleError(f"{path}: two weights named {path.name}; rename one")
        if path.suffix != ".safetensors":
            raise BundleError(f"{path}: weights are named *.safetensors; arc-solve convert imports others")
        command = [sys.executable, "-m", "arc_solver.cli", "info", str(path.resolve()), "--json"]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise BundleError(f"{path}: arc-solve info refuses it: {reason[0].removeprefix('error: ')}")
        try:
            header, _ = read_verified(path)
            check_domain(header.metadata, "arc", "ARC tasks", path.name)
        except CheckpointError as error:
            raise BundleError(f"{path}: {str(error).removeprefix(f'{path.name}: ')}") from error
        shutil.copyfile(path, folder / path.name)


def metadata(options: argparse.Namespace) -> dict[str, dict[str, object]]:
    """The metadata files of the Kaggle client by name."""
    notebook_slug = f"{options.slug}-submit"
    return {
        "dataset-metadata.json": {
            "title": options.slug,
            "id": f"{options.owner}/{options.slug}",
            "licenses": [{"name": "apache-2.0"}],
        },
        "kernel-metadata.json": {
            "id": f"{options.owner}/{notebook_slug}",
            "title": notebook_slug,
            "code_file": SOURCE.with_suffix(".ipynb").name,
            "language": "python",
            "kernel_type": "notebook",
            "is_private": True,
            "enable_gpu": bool(options.accelerator),
            "enable_internet": False,
            "machine_shape": options.accelerator,
            "dataset_sources": [f"{options.owner}/{options.slug}"],
            "competition_sources": [options.competition],
            "kernel_sources": [],
            "model_sources": [],
        },
    }


def fill(folder: Path, options: argparse.Namespace) -> None:
    """Write all files of the bundle into an empty folder."""
    build_wheel(folder)
    add_weights(options.weights, folder)
    settings = {
        "COMPETITION": options.competition,
        "BUNDLE": options.slug,
        "ROOTS": options.roots,
        "HOURS": f"{options.hours:g}",
        "WEIGHTS": options.weights[0].name if options.weights else "none",
        "PRESET": "own" if set(options.weights[:1]) & set(all_shipped()) else "",
    }
    source = with_settings(SOURCE.read_text(encoding="utf-8"), settings)
    (folder / SOURCE.with_suffix(".ipynb").name).write_bytes(notebook_of(source))
    for name, content in metadata(options).items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    files = {path.name: _facts(path) for path in sorted(folder.iterdir())}
    manifest = {"settings": settings, "files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _facts(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def check(options: argparse.Namespace) -> None:
    """Find the weights; BundleError for what is not there, what Kaggle would refuse, or a folder in use."""
    try:
        options.weights = [find_weights(name) for name in options.weights or ["arc"] if name != "none"]
    except CheckpointError as error:
        raise BundleError(f"--weights {error}") from None
    for name in ("slug", "competition", "owner"):
        if not SLUG.fullmatch(getattr(options, name)):
            text = "3 to 50 of a-z, 0-9 and - (as in its address)"
            raise BundleError(f"--{name} {getattr(options, name)!r}: expected {text}")
    if len(options.slug) < 6:
        raise BundleError(f"--slug {options.slug!r}: it is the title too, which needs 6 characters")
    if not 0 < options.hours <= 24:
        raise BundleError(f"--hours {options.hours:g}: expected more than 0 and at most 24")
    if not options.roots.replace(os.pathsep, "").strip():
        text = f"names no folder; expected one or more with {os.pathsep!r} between"
        raise BundleError(f"--roots {options.roots!r}: {text}")
    if options.out.exists():
        added(options.out)


def added(out: Path) -> list[Path]:
    """What is in the folder but not of an earlier bundle; BundleError where it holds something else."""
    advice = "name a new folder or an earlier bundle"
    if not out.is_dir():
        raise BundleError(f"--out {out}: not a folder; {advice}")
    inside = sorted(out.iterdir())
    if not inside:
        return []
    if not (out / MANIFEST).is_file():
        raise BundleError(f"--out {out}: holds other files; {advice}")
    try:
        own = {MANIFEST, *json.loads((out / MANIFEST).read_bytes())["files"]}
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"--out {out}: its {MANIFEST} is not of a bundle; {advice}") from error
    return [path for path in inside if path.name not in own]


def keep_added(out: Path, fresh: Path) -> None:
    """Copy what was added to an earlier bundle into the fresh one; BundleError where both hold a name."""
    for path in added(out):
        target = fresh / path.name
        if target.exists():
            text = "which is not of the earlier bundle but would be of this one; move it away or rename it"
            raise BundleError(f"--out {out}: holds {path.name}, {text}")
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, target, symlinks=True)
        else:
            shutil.copy2(path, target, follow_symlinks=False)


def build(options: argparse.Namespace) -> None:
    """Build the bundle beside its place and put it there whole, with what was added to an earlier one."""
    check(options)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.out.parent, prefix=".bundle-") as folder:
        fresh, earlier = Path(folder, "bundle"), Path(folder, "earlier")
        fresh.mkdir()
        fill(fresh, options)
        if options.out.exists():
            keep_added(options.out, fresh)
            options.out.rename(earlier)
        try:
            fresh.rename(options.out)
        except OSError:
            if earlier.exists():
                earlier.rename(options.out)
            raise


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, and list what is in the folder."""
    options = options_of(arguments)
    try:
        build(options)
    except (BundleError, NotebookError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        reason = f"{error.filename or options.out}: {error.strerror or error}"
        print(f"error: {reason}; the bundle was not built", file=sys.stderr)
        return 1
    for path in sorted(options.out.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path.name}")
    print(options.out)
    if not options.weights:
        print("no weights: the notebook learns every task from scratch", file=sys.stderr)
    if options.owner == NOBODY:
        print("no owner: give --owner or set KAGGLE_USERNAME before you upload", file=sys.stderr)
    else:
        create = f"kaggle datasets create -p {options.out} -r zip"
        print(f"next: {create} (docs/kaggle.md has all five)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

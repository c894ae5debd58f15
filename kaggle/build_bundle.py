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
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from build_notebook import SOURCE, notebook_of, with_settings

from arc_solver.checkpoint import CheckpointError, read_verified

MANIFEST = "bundle.json"
NOBODY = "your-name"
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,48})[a-z0-9]")


class BundleError(ValueError):
    """The bundle cannot be built; the text is one line."""


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=REPOSITORY / "dist" / "kaggle", help="folder to write")
    parser.add_argument(
        "--weights",
        type=Path,
        action="append",
        default=argparse.SUPPRESS,
        help="checkpoint; the first is used (default: none, every task is learnt from nothing)",
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
    return parser.parse_args(namespace=argparse.Namespace(weights=[]))


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this repository into the folder."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), "."]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise BundleError(f"the wheel was not built: {' '.join(last)}; try: {' '.join(command[1:])}")
    return next(folder.glob("arc_solver-*.whl"))


def add_weights(paths: list[Path], folder: Path) -> None:
    """Copy checkpoints that `arc-solve info` can read and whose hashes agree; BundleError for another."""
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
            read_verified(path)
        except CheckpointError as error:
            raise BundleError(f"{path}: {error}") from error
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
        "WEIGHTS": options.weights[0].name if options.weights else "",
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
    """BundleError for what Kaggle would refuse, or for a folder that holds something else."""
    for name in ("slug", "competition", "owner"):
        if not SLUG.fullmatch(getattr(options, name)):
            text = "3 to 50 of a-z, 0-9 and - (as in its address)"
            raise BundleError(f"--{name} {getattr(options, name)!r}: expected {text}")
    if len(options.slug) < 6:
        raise BundleError(f"--slug {options.slug!r}: it is the title too, which needs 6 characters")
    if not 0 < options.hours <= 24:
        raise BundleError(f"--hours {options.hours:g}: expected more than 0 and at most 24")
    if options.out.exists() and not (options.out / MANIFEST).exists() and any(options.out.iterdir()):
        raise BundleError(f"--out {options.out}: holds other files; name a new folder or an earlier bundle")


def build(options: argparse.Namespace) -> None:
    """Build the bundle beside its place and put it there as a whole."""
    check(options)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.out.parent, prefix=".bundle-") as folder:
        fresh = Path(folder, "bundle")
        fresh.mkdir()
        fill(fresh, options)
        if options.out.exists():
            shutil.rmtree(options.out)
        fresh.rename(options.out)


def main() -> int:
    """Build, and list what is in the folder."""
    options = arguments()
    try:
        build(options)
    except BundleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path in sorted(options.out.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path.name}")
    print(options.out)
    if not options.weights:
        print("no weights: the notebook learns every task from nothing (--weights FILE)", file=sys.stderr)
    if options.owner == NOBODY:
        print("no owner: give --owner or set KAGGLE_USERNAME before you upload", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

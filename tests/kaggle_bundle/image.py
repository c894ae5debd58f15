"""An environment like the Kaggle image: the solver's dependencies and a notebook kernel, and nothing else."""

import json
import re
import subprocess
import sys
import venv
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

# What the image holds besides the solver's own dependencies, as far as the notebook needs it.
IMAGE_EXTRAS = ("pip", "ipykernel")
# Python's own calls to the network fail and leave a line; local sockets stay open, the kernel needs them.
CLOSED_NETWORK = """
import sys

def close(event, arguments):
    if event not in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        return
    host = arguments[1] if event == "socket.connect" else arguments[0]
    host = host[0] if isinstance(host, tuple) else host
    if event == "socket.connect" and not isinstance(arguments[1], tuple):
        return
    if host in ("127.0.0.1", "::1", "localhost", "", None):
        return
    with open({log!r}, "a") as file:
        print(event, arguments[1:] if event == "socket.connect" else arguments, file=file)
    raise OSError("the network is closed")

sys.addaudithook(close)
"""


@dataclass(frozen=True)
class Image:
    """Its interpreter, the folder with its kernel "image", and the file that gets a line per network call."""

    python: Path
    jupyter: Path
    calls: Path

    def kernels(self) -> list[Path]:
        """The folders of machine code that the installed solver has compiled."""
        return list(self.python.parent.parent.rglob("kernels-*"))


def closure(names: Iterable[str]) -> dict[str, Distribution]:
    """The installed distributions that these need, by normalized name, themselves included."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        found[name] = distribution(name)
        needs = map(Requirement, found[name].requires or [])
        waiting += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return found


def link_packages(distributions: Iterable[Distribution], folder: Path) -> None:
    """Link the top level of every distribution into a folder."""
    folder.mkdir()
    for dist in distributions:
        for top in {file.parts[0] for file in dist.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            link = folder / top
            if not link.exists():
                link.symlink_to(Path(str(dist.locate_file(top))))


def make_image(folder: Path, requirements: Iterable[str]) -> Image:
    """A virtual environment that sees the installed copies of the requirements through one folder of links.

    So nothing is downloaded or copied, and neither this project nor any tool of its development is in it.
    """
    venv.create(folder / "python", with_pip=False, symlinks=True)
    python = folder / "python" / "bin" / "python"
    names = [Requirement(text).name for text in requirements]
    link_packages(closure([*names, *IMAGE_EXTRAS]).values(), folder / "packages")
    query = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip())
    (site / "image.pth").write_text(f"{folder / 'packages'}\n")
    calls = folder / "network_calls.txt"
    (site / "sitecustomize.py").write_text(CLOSED_NETWORK.format(log=str(calls)))
    kernel = folder / "jupyter" / "kernels" / "image" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "image", "language": "python"}))
    return Image(python, folder / "jupyter", calls)


def without_network() -> list[str]:
    """The command that starts another in an empty network namespace; empty where that is not allowed."""
    command = ["unshare", "--map-root-user", "--net"]
    try:
        allowed = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return []
    return command if allowed and sys.platform == "linux" else []

"""Execute a notebook as Kaggle does: `execute.py NOTEBOOK FOLDER SECONDS` prints its output."""

import sys
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


def main(notebook: Path, folder: Path, seconds: int) -> int:
    """Run every cell in the kernel named "image"; sockets are files, so that no network is needed."""
    cells = nbformat.read(notebook, as_version=4)
    nbformat.validate(cells)
    manager = AsyncKernelManager(kernel_name="image", transport="ipc", ip=str(folder / "kernel-ipc"))
    client = NotebookClient(cells, km=manager, timeout=seconds, resources={"metadata": {"path": str(folder)}})
    failed = 0
    try:
        client.execute()
    except CellExecutionError as error:
        print(error, file=sys.stderr)
        failed = 1
    for cell in cells.cells:
        for output in cell.get("outputs", []):
            print(output.get("text", ""), end="")
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))

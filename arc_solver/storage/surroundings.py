"""What programs take for granted and containers may lack: a home, a user's name, files one may read back."""

from __future__ import annotations

import getpass
import os
import stat
from pathlib import Path


def settle() -> None:
    """Give this process, and those that it starts, what libraries expect of their surroundings.

    A user without an entry in the password file is named by number, for whoever names a folder after the
    user; a home that cannot be told, or a cache that cannot be written, is a private folder among the
    temporary files; and no umask keeps us from what we wrote. To be called once, before libraries are loaded.
    """
    mask = os.umask(0o077)
    os.umask(mask & ~stat.S_IRWXU)
    try:
        getpass.getuser()
    except (KeyError, OSError):  # the second from Python 3.13 on
        os.environ["LOGNAME"] = f"uid-{os.getuid()}"
    try:
        home = Path.home()
    except RuntimeError:
        home = private_folder() or Path("/")
        os.environ["HOME"] = str(home)
    if not _may_write(Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")):
        folder = private_folder()
        if folder is not None:
            os.environ["XDG_CACHE_HOME"] = str(folder)


def private_folder() -> Path | None:
    """A folder of this user alone among the temporary files, the same at every start; None where none can be.

    What lies there may be machine code, so a folder that another user could have made or may write is none.
    """
    import tempfile  # slow for what every start does, and wanted by few

    try:
        folder = Path(tempfile.gettempdir()) / f"arc-solver-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if is_ours and _may_write(folder) else None


def _may_write(folder: Path) -> bool:
    """Whether the folder, or the first above it that is there, takes new files."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)

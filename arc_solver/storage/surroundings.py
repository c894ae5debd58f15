"""What libraries take for granted and containers may lack: a home, a user name, a usable umask."""

from __future__ import annotations

import getpass
import os
import stat
from pathlib import Path


def settle() -> None:
    """Give this process, and those it starts, what libraries expect of their environment.

    A user without an entry in the password file gets a name from the user id; a missing home, or a cache
    folder that cannot be written, is replaced by a private temporary folder; and the umask lets us read what
    we write. To be called once, before libraries are loaded.
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
    """A temporary folder of this user alone, the same at every start; None if there can be none.

    It may hold machine code, so a folder that another user could have made, or may write to, is not used.
    """
    import tempfile  # slow to import, and rarely needed

    try:
        folder = Path(tempfile.gettempdir()) / f"arc-solver-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if is_ours and _may_write(folder) else None


def _may_write(folder: Path) -> bool:
    """Whether new files can be made in the folder, or in its nearest existing parent."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)

"""Where compiled code is kept: in a folder that nobody but this user can write to, each library under its own hash."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from minima.store.hidden import not_ours
from minima.store.messages import BadInput

OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""what a folder's mode must not allow"""


def private_folder() -> Path:
    """$XDG_CACHE_HOME/minima, or ~/.cache/minima, made if need be; where that is another user's, minima-UID beside it.

    The user's own links on the way are followed. A folder of this user's that others may enter is closed to them.

    Raises:
        BadInput: neither is this user's.
        OSError: it cannot be made.
        RuntimeError: nobody knows where home is.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for folder in (home / "minima", home / f"minima-{os.geteuid()}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.stat()
        if facts.st_uid == os.geteuid():
            if facts.st_mode & OTHERS:
                folder.chmod(0o700)
            return folder
    raise BadInput(f"{folder} belongs to user {facts.st_uid}. Type: export XDG_CACHE_HOME=FOLDER, one of your own")


def kept(folder: Path, stem: str) -> Path | None:
    """The library STEM-SHA256.so, if there is one whose bytes have that hash and that is this user's own file."""
    for path in sorted(folder.glob(f"{stem}-*.so")):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        with os.fdopen(descriptor, "rb") as file:
            own = not_ours(os.fstat(descriptor)) is None
            if own and path.stem == f"{stem}-{hashlib.file_digest(file, 'sha256').hexdigest()}":
                return path
    return None

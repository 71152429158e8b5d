"""Files whose reading ends: a pipe may never bring anything, and a device never stop."""

import errno
import os
import stat
from pathlib import Path


def is_endless(path: str | Path) -> bool:
    """Whether what is there, if anything, is neither a file nor a folder."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def require_regular(path: str | Path) -> None:
    """See that a reading of the file ends.

    Raises:
        OSError: It is a pipe or a device.
    """
    if is_endless(path):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))


def regular_bytes(path: Path) -> bytes:
    """What is in the file.

    Raises:
        OSError: It cannot be read, or is no file.
    """
    require_regular(path)
    return path.read_bytes()

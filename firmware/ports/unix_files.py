"""Files on a computer, for the stand-ins of a board: what MicroPython and CPython do differently."""

import os
import sys

MICROPYTHON = sys.implementation.name == "micropython"


def exists(path: str) -> bool:
    """Whether there is such a file or folder."""
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def replace(path: str, data: bytes) -> None:
    """Temp, flush, rename: the old content or the new."""
    temporary = path + ".new"
    with open(temporary, "wb") as file:
        file.write(data)
        sync(file)
    os.rename(temporary, path)


def sync(file) -> None:
    """To the disk. MicroPython's flush is an fsync; CPython needs to be told."""
    file.flush()
    if not MICROPYTHON:
        os.fsync(file.fileno())


def make_folder(path: str) -> None:
    """Make it unless it is there. Raises OSError."""
    try:
        os.mkdir(path)
    except OSError:
        os.listdir(path)  # it is there already, or this raises

"""Files and folders on flash, as an update handles them: made, cleared, and counted in blocks."""

import os

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

BLOCK_BYTES = 4096  # of the file system
FOLDER_BIT = 0x4000  # of a file's mode


def exists(path: str) -> bool:
    """Whether there is such a file or folder."""
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def remove(path: str) -> None:
    """None there is no error. Raises OSError when it can't be removed."""
    if exists(path):
        os.remove(path)


def make_folder(path: str) -> None:
    """Make it unless it is there. Raises OSError."""
    if not exists(path):
        os.mkdir(path)


def make_folders(root: str, path: str) -> None:
    """Those that the file `path` below `root` lies in. Raises OSError."""
    make_folder(root)
    parts = path.split("/")
    for count in range(1, len(parts)):
        make_folder(root + "/" + "/".join(parts[:count]))


def clear(root: str, below: str, kept: "set[str]") -> "Generator[bool, None, None]":
    """Remove all files but those of `kept`, one by one, and the folders that are empty then. Raises OSError."""
    for path, is_folder in entries(root, below):
        yield True
        if is_folder:
            yield from clear(root, path + "/", kept)
            if not os.listdir(root + "/" + path):
                os.rmdir(root + "/" + path)
        elif path not in kept:
            os.remove(root + "/" + path)


def size_in(root: str, below: str, kept: "set[str]") -> int:
    """Bytes that `clear` would free, about."""
    size = 0
    for path, is_folder in entries(root, below):
        if is_folder:
            size += size_in(root, path + "/", kept)
        elif path not in kept:
            size += blocks(os.stat(root + "/" + path)[6])
    return size


def blocks(size: int) -> int:
    """Bytes of flash that a file of that size takes."""
    return (size + BLOCK_BYTES - 1) // BLOCK_BYTES * BLOCK_BYTES


def entries(root: str, below: str) -> "list[tuple[str, bool]]":
    """Paths in a folder below `root`, and whether each is a folder; none where there is no such folder."""
    try:
        names = os.listdir((root + "/" + below).rstrip("/"))
    except OSError:
        return []
    return [(below + name, bool(os.stat(root + "/" + below + name)[0] & FOLDER_BIT)) for name in names]


def free_bytes(path: str) -> int:
    """Of the file system, -1 where it does not tell."""
    try:
        stat = os.statvfs(path or "/")
    except (OSError, AttributeError):
        return -1
    return stat[0] * stat[3]

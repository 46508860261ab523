"""DTR and RTS of an open tty. On an ESP32 board RTS alone is reset, DTR alone download mode, both or none "run"."""

from __future__ import annotations

import errno
import fcntl
import struct
import termios

LINES = termios.TIOCM_DTR | termios.TIOCM_RTS
RESET = termios.TIOCM_RTS
BOOT = termios.TIOCM_DTR
NO_LINES = (errno.ENOTTY, errno.EINVAL)  # what a pseudo-terminal answers


def get_lines(fd: int) -> int | None:
    """The modem bits as they are, None where there are no such lines. Raises OSError."""
    try:
        answer = fcntl.ioctl(fd, termios.TIOCMGET, struct.pack("I", 0))
    except OSError as error:
        if error.errno in NO_LINES:
            return None
        raise
    return int(struct.unpack("I", answer)[0])


def set_lines(fd: int, bits: int) -> None:
    """Set all of them in one step: one after the other would pass through reset. Raises OSError."""
    fcntl.ioctl(fd, termios.TIOCMSET, struct.pack("I", bits))


def deassert(fd: int) -> None:
    """Drop DTR and RTS, where there are any. Raises OSError."""
    before = get_lines(fd)
    if before is not None:
        set_lines(fd, before & ~LINES)

"""Talking to systemd: ready, status, watchdog. Does nothing where systemd did not start us."""

from __future__ import annotations

import os
import socket


def notify(message: str) -> None:
    """Send e.g. `READY=1` to the service manager, if there is one (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect(address)
        channel.sendall(message.encode())


def watchdog_s() -> float | None:
    """How often the service manager wants a sign of life, in seconds; None when it does not."""
    wanted = os.environ.get("WATCHDOG_USEC", "")
    for_us = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(wanted) / 1_000_000 if wanted.isdecimal() and for_us else None

"""What the service manager hears, over a real socket of its kind; and silence where there is none."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.notify import notify, watchdog_s


@pytest.fixture(params=["path", "abstract"])
def manager(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """A service manager's socket, named in the environment."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@outpost-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        channel.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield channel


def test_each_message_is_a_datagram(manager: socket.socket) -> None:
    for message in ("READY=1", "STATUS=3 devices, 1 offline", "WATCHDOG=1"):
        notify(message)
        assert manager.recv(4096) == message.encode()


def test_without_a_manager_nothing_is_said() -> None:
    notify("READY=1")


@pytest.mark.parametrize(
    ("usec", "pid", "wanted"),
    [
        ("30000000", None, 30.0),
        ("30000000", "self", 30.0),
        ("30000000", "1", None),
        ("", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_how_often_a_sign_of_life_is_wanted(
    monkeypatch: pytest.MonkeyPatch, usec: str | None, pid: str | None, wanted: float | None
) -> None:
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", str(os.getpid()) if pid == "self" else pid)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert watchdog_s() == wanted

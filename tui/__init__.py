"""The technician's terminal: a client of the hub's /v1 API and live socket, nothing else."""

from __future__ import annotations


def run(target: str, key: str | None = None, readonly: bool = False) -> int:
    """Open the terminal on the hub at `target` (`unix:PATH` or `http(s)://HOST:PORT`); returns the exit code.

    Textual is loaded here, not on import, so that the other verbs of `outpost` start quickly.
    """
    from tui.start import start

    return start(target, key, readonly)


__all__ = ["run"]

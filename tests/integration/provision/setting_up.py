"""A hub whose serial ports and radio run, and what a technician asks of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from edge.settings import Discovery, Serial, Settings
from tests.integration.running_hub import QUIET, RunningHub, started, until
from tests.patience import AT_ONCE_S

PASSWORD = "correct horse"
WRONG = "battery staple"
JOIN_PATIENCE_S = 60.0 + AT_ONCE_S


def settings(*ports: Path, udp_port: int = 0) -> Settings:
    """A hub that owns these ports, and answers those who look for it at `udp_port`, if there is one."""
    found = Discovery(enabled=bool(udp_port), udp_port=udp_port or 12346, mdns=False)
    serial = Serial(ports=tuple(str(port) for port in ports), scan=False)
    return msgspec.structs.replace(QUIET, serial=serial, discovery=found)


@contextlib.asynccontextmanager
async def site(folder: Path, *ports: Path, udp_port: int = 0, radio: bool = False) -> AsyncIterator[RunningHub]:
    """The hub, with its ports owned, and with `radio` listening."""
    async with started(folder, settings(*ports, udp_port=udp_port)) as hub:
        tasks = [asyncio.create_task(hub.hub.ports.run())]
        tasks += [asyncio.create_task(hub.hub.bluetooth.radio.run())] if radio else []
        try:
            await until(_all_known(hub, ports))
            yield hub
        finally:
            await hub.hub.provision.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def begin(hub: RunningHub, **asked: Any) -> dict[str, Any]:
    """Ask for a board to be set up, as a technician; the job."""
    answer = await hub.ask("POST", "/v1/provision", asked, key="technician")
    assert answer.status == 201, answer.body
    return dict(answer.body)


async def ended(hub: RunningHub, job: dict[str, Any], *, seconds: float = JOIN_PATIENCE_S) -> dict[str, Any]:
    """The job once it is over."""
    path = f"/v1/provision/{job['id']}"

    async def is_over() -> bool:
        return bool((await hub.get(path)).body["state"] != "running")

    await until(is_over, seconds=seconds)
    return dict((await hub.get(path)).body)


async def said(hub: RunningHub, job: dict[str, Any], words: str) -> None:
    """Wait until a step of the job has these words."""

    async def is_said() -> bool:
        steps = (await hub.get(f"/v1/provision/{job['id']}")).body["steps"]
        return any(words in step["text"] for step in steps)

    await until(is_said, seconds=JOIN_PATIENCE_S)


async def port_of(hub: RunningHub, path: Path) -> dict[str, Any]:
    """A port as the hub shows it."""
    ports = (await hub.get("/v1/ports")).body["items"]
    return next(dict(port) for port in ports if port["path"] == str(path))


def secrets_in(folder: Path, *secrets: str) -> list[str]:
    """Which of these stand anywhere in what the hub keeps on disk."""
    held = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return [secret for secret in secrets if secret.encode() in held]


def _all_known(hub: RunningHub, ports: tuple[Path, ...]) -> Any:
    async def known() -> bool:
        return {view.path for view in hub.hub.ports.views()} >= {str(port) for port in ports}

    return known

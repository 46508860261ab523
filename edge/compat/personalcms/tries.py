"""How often an older board has fetched a release and still runs another: kept with the device, over restarts.

A board that writes an image and starts its old one again would fetch it for ever. After three times it is
stuck: each further try takes a person who asks for it.
"""

from __future__ import annotations

from edge.compat.personalcms.variants import PROFILE
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.updates.artifacts.artifacts import Artifacts
from edge.updates.artifacts.model import Artifact
from edge.updates.offers.offers import Offers

STUCK = 3
FACT = "fetched"  # `<begin of the artifact's id> <how often>`
PREFIX_CHARS = 16


class Tries:
    """Counts downloads."""

    def __init__(self, registry: Registry, artifacts: Artifacts, offers: Offers) -> None:
        self._registry, self._artifacts, self._offers = registry, artifacts, offers

    def of(self, device: Device, artifact: Artifact) -> int:
        """How often a device began to fetch this without ever running it."""
        return _read(self._registry.known(device.id))[1] if self._is_of(device, artifact) else 0

    async def count(self, device: Device, artifact: Artifact) -> None:
        """It begins to fetch it once more. Raises StorageError."""
        await self._keep(device, f"{artifact.id[:PREFIX_CHARS]} {self.of(device, artifact) + 1}")

    async def forget(self, device: Device, artifact: Artifact) -> None:
        """It runs it. Raises StorageError."""
        if self._is_of(device, artifact):
            await self._keep(device, "")

    def problems(self) -> list[str]:
        """Boards that are stuck."""
        told = []
        for device in self._registry.all():
            begin, times = _read(device)
            artifact = self._artifacts.find(begin) if begin else None
            if device.profile == PROFILE and artifact is not None and times >= STUCK:
                if self._runs(device, artifact):
                    continue
                told.append(
                    f"{device.name} is stuck: it has fetched {artifact.target} {artifact.version} {times} times and"
                    " still runs what it ran before. It gets it once more when a person asks for it (`outpost"
                    f" firmware assign {device.id} {artifact.id[:PREFIX_CHARS]}`); else flash it by cable."
                )
        return told

    def _runs(self, device: Device, artifact: Artifact) -> bool:
        running = self._offers.running(device.id).running
        return running is not None and running.image == artifact.id

    def _is_of(self, device: Device, artifact: Artifact) -> bool:
        begin, _ = _read(self._registry.known(device.id))
        return bool(begin) and artifact.id.startswith(begin)

    async def _keep(self, device: Device, text: str) -> None:
        await self._registry.note(device, {FACT: text})


def _read(device: Device) -> tuple[str, int]:
    begin, _, times = str(device.facts.get(FACT) or "").partition(" ")
    return begin, int(times) if times.isdecimal() else 0

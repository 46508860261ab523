"""What an older board runs, by what it says in passing: it never says that an update has gone well.

Its version is compiled in and mostly the same in all firmware, so it tells something only where it is the one
of what was offered. Which firmware it is tells more: a board that was given another and is another now has
taken it. The rest it tells with its next download, by the MD5 of what it runs.
"""

from __future__ import annotations

import msgspec

from edge.compat.personalcms.boards import CHIP, FIRMWARE
from edge.compat.personalcms.sketches import Sketches
from edge.compat.personalcms.variants import PLAIN_CHIP
from edge.devices.model import NAME_CHARS, Device
from edge.updates.artifacts.artifacts import Artifacts
from edge.updates.artifacts.model import Artifact
from edge.updates.offers.offers import Offers
from edge.wire.native import Running
from edge.wire.updates import Step

GIVEN = frozenset({Step.DOWNLOADING, Step.STAGED})


class Sketched(msgspec.Struct, frozen=True):
    """What HTTPUpdate says with a download: of the board and of what it runs. `free`: its room for an image."""

    board: str
    md5: str
    sha256: str
    free: int | None


class Evidence:
    """Settles what boards were offered by what they run."""

    def __init__(self, offers: Offers, artifacts: Artifacts, sketches: Sketches) -> None:
        self._offers, self._artifacts, self._sketches = offers, artifacts, sketches

    def given(self, device_id: str) -> str:
        """The firmware that a board was just given, by name; '' for none."""
        target = self._offers.book.targets.get(device_id)
        artifact = self._artifacts.find(target.artifact) if target is not None and target.step in GIVEN else None
        return artifact.target if artifact is not None else ""

    async def said(self, device: Device, before: str, version: str) -> None:
        """A board was heard: which firmware it ran `before`, and which version it says. Raises StorageError."""
        firmware = str(device.facts.get(FIRMWARE) or "")
        target, known = self._offers.book.targets.get(device.id), self._offers.running(device.id).running
        wanted = self._artifacts.find(target.artifact) if target is not None else None
        turned = bool(before) and before != firmware
        if wanted is not None and self._is_it(device.id, wanted, firmware, version, turned=turned):
            await self._runs(device, wanted)
        elif known is None or turned or (version not in ("", known.version) and not known.image):
            await self._offers.runs(device.id, Running(version=version[:NAME_CHARS], chip=chip_of(device)))

    async def sketch(self, device: Device, said: Sketched, version: str, asked: Artifact | None) -> Artifact | None:
        """A board says what it runs, and asks for firmware: which one held here it runs, if any. Raises
        StorageError."""
        running = await self._sketches.running(said.md5, said.sha256, asked)
        if running is not None:
            await self._runs(device, running)
        else:
            await self._offers.runs(device.id, Running(version=version[:NAME_CHARS], chip=chip_of(device)))
        return running

    async def doubt(self, device: Device) -> None:
        """A person wants it updated whatever it ran last: it may have been flashed since, so it is asked. Raises
        StorageError."""
        known = self._offers.running(device.id).running
        if known is not None and known.image:
            await self._offers.runs(device.id, msgspec.structs.replace(known, image=""))

    def _is_it(self, device_id: str, wanted: Artifact, firmware: str, version: str, *, turned: bool) -> bool:
        if version == wanted.version:
            return True
        return turned and firmware == wanted.target == self.given(device_id)

    async def _runs(self, device: Device, artifact: Artifact) -> None:
        await self._offers.runs(
            device.id, Running(image=artifact.id, version=artifact.version, chip=chip_of(device))
        )


def chip_of(device: Device) -> str:
    """The chip of an older board."""
    return str(device.facts.get(CHIP) or PLAIN_CHIP)

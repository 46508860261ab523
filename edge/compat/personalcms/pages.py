"""What the old pages did with firmware: upload, list, assign, remove; by the hub's own firmware and rollouts.

docs/compat/personalcms.md says who may. Answers have the old names of things: a firmware's type is
`device_type`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from edge.clock import iso
from edge.compat.personalcms.boards import FIRMWARE
from edge.compat.personalcms.door import CmsDoor, told
from edge.compat.personalcms.evidence import Evidence, chip_of
from edge.compat.personalcms.form import Form, read_form
from edge.compat.personalcms.names import is_for_older, key_of, named_by, newest
from edge.compat.personalcms.variants import BY_NAME, warning
from edge.compat.personalcms.whom import boards, named
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import NotFound
from edge.serving.roles import Role
from edge.serving.visits import AiohttpHandler, line
from edge.updates.artifacts.artifacts import Artifacts, Offered
from edge.updates.artifacts.model import Artifact
from edge.updates.offers.model import Rollout
from edge.updates.offers.offers import Offers
from edge.updates.rollouts.rollouts import Rollouts
from edge.wire.updates import BAD, GOOD, NewRollout, Plan, Target

DAY_S = 86_400
# one board, until it runs it: it asks each 2 minutes, or when somebody presses its button
FORCED = Plan(waves=(100,), errors_percent=0, success_percent=100, soak_s=0, deadline_s=30 * DAY_S, attempts=5)
ALL = Plan(deadline_s=7 * DAY_S, attempts=3)


class CmsPages:
    """The pages' half of the facade."""

    def __init__(
        self,
        door: CmsDoor,
        registry: Registry,
        evidence: Evidence,
        offers: Offers,
        artifacts: Artifacts,
        rollouts: Rollouts,
    ) -> None:
        self._door, self._registry, self._evidence = door, registry, evidence
        self._offers, self._artifacts, self._rollouts = offers, artifacts, rollouts
        self._form = asyncio.Lock()  # a form is held in memory

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Every path."""
        opened = self._door.opened
        return {
            ("POST", "/api/ota/upload"): opened(self.upload),
            ("GET", "/api/ota/versions"): opened(self.versions),
            ("GET", "/api/ota/firmware"): opened(self.firmware),
            ("GET", "/api/ota/firmware-types"): opened(self.types),
            ("GET", "/api/ota/stats"): opened(self.stats),
            ("POST", "/api/ota/force-update/{id}"): opened(self.force),
            ("DELETE", "/api/ota/delete/{key}"): opened(self.delete),
        }

    async def upload(self, request: web.Request) -> web.Response:
        """POST /api/ota/upload: checked as every image is; `auto_assign` rolls it out to the boards of its type."""
        actor = self._door.person(request, Role.TECHNICIAN).actor
        async with self._form:
            form = await read_form(request)
            offered = Offered(
                _pieces(form),
                form.device_type,
                form.chip or _chip(form.device_type),
                form.version,
                form.description,
            )
            artifact, _ = await self._artifacts.add(offered, actor=actor)
        assigned = await self._to_all(artifact, actor) if form.auto_assign else []
        return told(
            message=f"Firmware {artifact.version} uploaded",
            **_shown(artifact),
            checks=list(artifact.checks),
            assigned=assigned,
        )

    async def versions(self, request: web.Request) -> web.Response:
        """GET /api/ota/versions: all firmware by its name."""
        self._door.person(request, Role.VIEWER)
        return told(versions={key_of(one): _shown(one) for one in self._held()})

    async def firmware(self, request: web.Request) -> web.Response:
        """GET /api/ota/firmware: all firmware, newest first."""
        self._door.person(request, Role.VIEWER)
        return told(firmware=[_shown(one) for one in self._held()])

    async def types(self, request: web.Request) -> web.Response:
        """GET /api/ota/firmware-types: which there are, each with its newest version and its boards."""
        self._door.person(request, Role.VIEWER)
        held, running = self._held(), Counter(_type(device) for device in self._devices())
        names = sorted({*BY_NAME, *(one.target for one in held)})
        types = []
        for name in names:
            last = newest(self._artifacts, name)
            latest = {"latest_version": last.version if last else "", "firmware_key": key_of(last) if last else ""}
            types.append({"firmware_type": name, **latest, "devices": running[name]})
        return told(firmware_types=types)

    async def stats(self, request: web.Request) -> web.Response:
        """GET /api/ota/stats: what boards run, and how updates have gone since the hub's start."""
        self._door.person(request, Role.VIEWER)
        devices, ended = self._devices(), self._offers.ended
        running = [self._offers.running(device.id).running for device in devices]
        return told(
            stats={
                "total_devices": len(devices),
                "total_firmware": len(self._held()),
                "firmware_types": dict(Counter(_type(device) or "unknown" for device in devices)),
                "versions": dict(Counter(one.version for one in running if one is not None and one.version)),
                "pending_updates": sum(device.id in self._offers.book.targets for device in devices),
                "successful_updates": sum(ended[step] for step in GOOD),
                "failed_updates": sum(ended[step] for step in BAD),
            }
        )

    async def force(self, request: web.Request) -> web.Response:
        """POST /api/ota/force-update/{id} with `firmware_type`: the newest of it, until the board runs it."""
        actor = self._door.person(request, Role.TECHNICIAN).actor
        body = await self._door.asked(request)
        device = named(self._registry, line(request.match_info["id"]))
        kind = line(body.get("firmware_type")) or _type(device)
        artifact = newest(self._artifacts, kind, chip_of(device))
        if artifact is None:
            raise NotFound(
                f"There is no firmware {kind or '(no type)'} for the {chip_of(device)} of {device.name}."
            )
        rollout = await self._forced(device, artifact, actor)
        lost = warning(_type(device), artifact.target)
        return told(
            message=f"{artifact.target} {artifact.version} is offered until the board is seen to run it",
            rollout=rollout.id,
            warnings=[lost] if lost else [],
            **_shown(artifact),
        )

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE /api/ota/delete/{key}: not while a rollout needs it."""
        actor = self._door.person(request, Role.TECHNICIAN).actor
        artifact = named_by(self._artifacts, request.match_info["key"])
        if artifact is None:
            raise NotFound("There is no such firmware here.")
        await self._artifacts.remove(artifact.id, actor=actor)
        return told(message="Firmware deleted")

    def problems(self) -> list[str]:
        """Boards that will forget their WiFi with what they are offered."""
        told_ = []
        for device in self._devices():
            target = self._offers.book.targets.get(device.id)
            artifact = self._artifacts.find(target.artifact) if target is not None else None
            lost = warning(_type(device), artifact.target) if artifact is not None else ""
            if lost:
                told_.append(f"{device.name}: {lost}")
        return told_

    # --- inside

    def _held(self) -> list[Artifact]:
        return [one for one in self._artifacts.all() if is_for_older(one)]

    def _devices(self) -> list[Device]:
        """The older boards that are approved."""
        return boards(self._registry)

    async def _forced(self, device: Device, artifact: Artifact, actor: str) -> Rollout:
        """A rollout for this one board; the one that is under way where it is for the same."""
        target = self._offers.book.targets.get(device.id)
        if target is not None and target.artifact == artifact.id:
            return await self._rollouts.get(target.rollout)
        await self._evidence.doubt(device)
        wanted = NewRollout(artifact=artifact.id, target=Target(devices=[device.id]), plan=FORCED, name=device.name)
        return await self._rollouts.create(wanted, actor=actor, lift=True)

    async def _to_all(self, artifact: Artifact, actor: str) -> list[str]:
        """Roll it out to the boards that run firmware of its type, and to no other."""
        fitting = [one for one in self._devices() if (_type(one), chip_of(one)) == (artifact.target, artifact.chip)]
        if not fitting:
            return []
        target = Target(devices=[device.id for device in fitting])
        wanted = NewRollout(artifact=artifact.id, target=target, plan=ALL, name=f"all {artifact.target}"[:60])
        await self._rollouts.create(wanted, actor=actor)
        return [device.id for device in fitting]


async def _pieces(form: Form) -> AsyncIterator[bytes]:
    yield form.firmware


def _type(device: Device) -> str:
    return str(device.facts.get(FIRMWARE) or "")


def _chip(firmware: str) -> str:
    """The chip that firmware of a known type is for; '' where any may be."""
    return BY_NAME[firmware].chip if firmware in BY_NAME else ""


def _shown(artifact: Artifact) -> dict[str, Any]:
    return {
        "firmware_key": key_of(artifact),
        "device_type": artifact.target,
        "chip": artifact.chip,
        "version": artifact.version,
        "description": artifact.notes,
        "file_size": artifact.size,
        "sha256": artifact.sha256,
        "md5": artifact.md5,
        "upload_date": iso(artifact.created_us),
    }

"""Firmware in a centre of three sites: signed and unsigned, groups, what devices run, and a rollout on its way. Its
devices are at every step, as hubs would tell of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from cloud.db.update_models import RolloutDeviceRow
from cloud.updates import end_store
from edge.clock import iso
from edge.wire.updates import ENDED, FetchSeen, FirmwareSeen, Step
from tests.fakes.esp_image import image
from tests.filled_centre import HOUR_US, Filled
from tests.firmware_bundles import app
from tests.firmware_keys import PUBLIC
from tests.running_centre import RunningCentre

OLD, NEW = "20261101.080000", "20261121.185500"
SITES = ("lyon", "pune", "graz")  # the last is away
DEVICES = 20  # of each site
ENDS = (
    (Step.CONFIRMED, ""), (Step.CONFIRMED, ""), (Step.CONFIRMED, ""), (Step.ALREADY, ""), (Step.CONFIRMED, ""),
    (Step.ROLLED_BACK, "ImportError: no module named 'sht4x'"), (Step.TIMED_OUT, "Its deadline passed."),
    (Step.DOWNLOADING, ""), (Step.TESTING, ""), (Step.OFFERED, ""), (Step.WAITING, ""),
)  # fmt: skip


class FilledUpdates:
    """Writes it. `artifact`, `older`, `unsigned`, `rollout`: ids of what there is then."""

    def __init__(self, centre: RunningCentre) -> None:
        self.centre, self._filled = centre, Filled(centre.centre.db)
        self.now_us = centre.centre.clock.now().at_us
        self.artifact = self.older = self.unsigned = self.rollout = ""

    async def devices(self, kind: str = "sensor") -> None:
        """The sites and their devices."""
        for number, slug in enumerate(SITES, 1):
            seen_us = self.now_us - (HOUR_US if slug == "graz" else 0)
            await self._filled.site(number, slug, seen_us=seen_us)
            for place in range(DEVICES):
                name = f"{slug.title()} hall {place + 1}"
                told = {"name": name, "kind": kind, "online": place % 7 != 6}
                await self._filled.device(number, f"{slug}-{place + 1}", at_us=seen_us, **told)

    async def firmware(self) -> None:
        """A trusted key, two versions that it signed, and an image that nobody did."""
        body = {"name": "our workshop", "pem": PUBLIC["first"].pem}
        assert (await self.centre.ask("POST", "/v1/firmware-keys", body)).status == 201
        self.older = await self._upload(app(OLD, large=b"M\x06\x00\x1f" + bytes(3000)), "")
        self.artifact = await self._upload(app(NEW), "notes=for%20the%20pilot")
        self.unsigned = await self._upload(image(), "target=kiosk")

    async def _upload(self, data: bytes, query: str) -> str:
        made = await self.centre.ask("POST", f"/v1/artifacts?{query}", data=data)
        assert made.status == 201, made.body
        return str(made.body["id"])

    async def groups(self) -> None:
        """One that has devices of two sites."""
        body = {"devices": [f"{slug}-{place}" for slug in SITES[:2] for place in (1, 2, 3)]}
        assert (await self.centre.ask("PUT", "/v1/groups/hall", body)).status == 200

    async def running(self) -> None:
        """What the devices say that they run; a hub that fetches."""
        for number, slug in enumerate(SITES, 1):
            for place in range(DEVICES - 2):
                version = (OLD, NEW, OLD)[place % 3]
                await self.told(number, f"{slug}-{place + 1}", version=version)
        fetch = FetchSeen(artifact=self.artifact, done=180_000, size=400_000, problem="")
        await self._filled.state(2, "fetching", self.artifact, fetch, at_us=self.now_us)

    async def told(self, site: int, device: str, **more: Any) -> None:
        """What a hub tells of one device."""
        view = {
            "device": device, "version": OLD, "app": "", "image": "", "security": 1, "trial": False,
            "legacy": False, "seen_at": iso(self.now_us), "rollout": None, "artifact": None, "step": None,
            "reason": "", "held_off_until": None, "target": "sensor", **more,
        }  # fmt: skip
        await self._filled.state(site, "firmware", device, FirmwareSeen(**view), device=device, at_us=self.now_us)

    async def rolled_out(self, **wanted: Any) -> str:
        """A rollout to all of them, whose devices of the first waves are at the steps of ENDS."""
        plan = {"waves": [0, 20, 100], "errors_percent": 30}
        body = {"artifact": self.artifact, "target": {"kind": "sensor"}, "plan": plan, "name": "November", **wanted}
        made = await self.centre.ask("POST", "/v1/rollouts", body, key="technician")
        assert made.status == 201, made.body
        self.rollout = made.body["id"]
        rows = (await self.centre.get(f"/v1/rollouts/{self.rollout}/devices?limit=60")).body["items"]
        for row, (step, reason) in zip(rows, ENDS, strict=False):
            await self.step(row["site"], row["device"], step, reason)
        return self.rollout

    async def step(self, site: str, device: str, step: Step, reason: str = "") -> None:
        """A device of the rollout came so far."""
        row = RolloutDeviceRow
        to = {"step": step.value, "reason": reason, "changed_us": self.now_us, "attempt": 1}
        async with self.centre.centre.db.write() as connection:
            await connection.execute(
                update(row).where(row.rollout == self.rollout, row.device == device).values(**to)
            )
            if step in ENDED:
                end = {
                    "tenant_id": 1, "site_id": SITES.index(site) + 1, "device": device, "rollout": self.rollout,
                    "artifact": self.artifact, "version": NEW, "step": step.value, "reason": reason,
                    "ended_us": self.now_us,
                }  # fmt: skip
                await end_store.save(connection, [end])

    async def everything(self) -> None:
        """All of it."""
        await self.devices()
        await self.firmware()
        await self.groups()
        await self.running()
        await self.rolled_out()

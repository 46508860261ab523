"""Hubs of a test's centre with devices that can be updated: they take orders from their inboxes, and tell what
became of each device, as the test says."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from sqlalchemy import update

from cloud.db.update_models import RolloutClock
from cloud.updates import due_store
from edge.wire.sync import SESSION_HEADER
from tests.fakes.sync_hub import SyncHub
from tests.firmware_keys import PUBLIC
from tests.integration.centre.hubs import enrolled
from tests.integration.running_hub import Answer
from tests.running_centre import RunningCentre


class UpdateHub:
    """One hub, in a session. `orders`: every order it was handed."""

    def __init__(self, centre: RunningCentre, hub: SyncHub, devices: list[str]) -> None:
        self.centre, self.hub, self.devices = centre, hub, devices
        self.orders: list[dict[str, Any]] = []
        self._after = self._version = 0

    @property
    def site(self) -> str:
        return self.hub.site

    async def tell_devices(self, *gone: str, kind: str = "sensor") -> None:
        """All devices as they are, but those that are gone."""
        rows = []
        for device in self.devices:
            self._version += 1
            view = {
                "id": device, "name": device.title(), "kind": kind, "state": "approved", "online": True,
                "aliases": [],
            }  # fmt: skip
            raw = b"" if device in gone else msgspec.json.encode(view)
            rows.append(("device", device, device, self._version, self.hub.at_us, raw))
        assert (await self.hub.send_states(*rows, snapshot_ends=not gone)).status == 200

    async def tell_state(self, kind: str, of: str, view: Any) -> None:
        """One view."""
        self._version += 1
        device = of if kind == "firmware" else ""
        row = (kind, of, device, self._version, self.hub.at_us, msgspec.json.encode(view))
        assert (await self.hub.send_states(row)).status == 200

    async def tell_device_state(self, kind: str, device: str, view: Any) -> None:
        """One view of a device."""
        self._version += 1
        row = (kind, device, device, self._version, self.hub.at_us, msgspec.json.encode(view))
        assert (await self.hub.send_states(row)).status == 200

    async def take(self, *, says: str = "inbox.applied", detail: str = "") -> list[dict[str, Any]]:
        """Take over what waits: the bodies, each confirmed by its fact."""
        headers = {"Authorization": f"Bearer {self.hub.token}", SESSION_HEADER: str(self.hub.session)}
        url = f"{self.hub.url}/sync/v1/inbox?after={self._after}&wait=0"
        async with self.hub.http.get(url, headers=headers) as response:
            items = msgspec.json.decode(await response.read())["items"]
        for item in items:
            self._after = item["seq"]
            code = "" if says == "inbox.applied" else "bad-input"
            await self.say(says, item["id"], kind=item["kind"], code=code, detail=detail)
        self.orders += [item["body"] for item in items]
        return [item["body"] for item in items]

    async def say(self, kind: str, subject: str, /, **body: Any) -> None:
        """A fact, which arrives."""
        self.hub.fact(kind, subject, **body)
        answer = await self.hub.send_facts(len(self.hub.facts), len(self.hub.facts))
        assert answer.status == 200, answer

    async def step(self, rollout: str, device: str, step: str, reason: str = "") -> None:
        """A device came so far."""
        body = {"rollout": rollout, "artifact": "a", "version": "v", "attempt": 1, "reason": reason, "from": ""}
        await self.say(f"update.{step}", device, **body)

    async def carry_out(self, step: str = "confirmed", reason: str = "") -> list[str]:
        """Take over what is ordered, and let each of its devices end so; the devices."""
        found = []
        for body in await self.take():
            if body["do"] == "offer":
                for device in body["devices"]:
                    await self.step(body["rollout"], device, "offered")
                    await self.step(body["rollout"], device, step, reason)
                    found.append(device)
        return found

    async def fetch(self, path: str, **headers: str) -> Answer:
        """A file, as a hub asks for it."""
        given = {"Authorization": f"Bearer {self.hub.token}", SESSION_HEADER: str(self.hub.session), **headers}
        async with self.hub.http.get(f"{self.hub.url}/sync/v1/artifacts/{path}", headers=given) as response:
            return Answer(response.status, dict(response.headers), await response.read())


async def site_with(centre: RunningCentre, *devices: str, **hub: Any) -> UpdateHub:
    """A new site with these devices."""
    one = UpdateHub(centre, await enrolled(centre, **hub), list(devices))
    one.hub.at_us = centre.centre.clock.now().at_us
    assert (await one.hub.hello()).status == 200
    await one.tell_devices()
    return one


async def trust(centre: RunningCentre, name: str = "first", key: str = "admin") -> Answer:
    """Trust one of the keys of the tests."""
    return await centre.ask("POST", "/v1/firmware-keys", {"name": f"the {name}", "pem": PUBLIC[name].pem}, key=key)


async def upload(centre: RunningCentre, data: bytes, key: str = "technician", **query: str) -> Answer:
    """Send firmware."""
    said = "&".join(f"{name}={value}" for name, value in query.items())
    return await centre.ask("POST", f"/v1/artifacts?{said}", data=data, key=key)


async def start(centre: RunningCentre, artifact: str, key: str = "technician", **wanted: Any) -> Answer:
    """A rollout: of all sensors in one wave, without soaking, unless it is said otherwise."""
    plan = {"waves": [100], "errors_percent": 10, "success_percent": 90, "soak_s": 0, **wanted.pop("plan", {})}
    body = {"artifact": artifact, "target": {"kind": "sensor"}, "plan": plan, **wanted}
    return await centre.ask("POST", "/v1/rollouts", body, key=key)


async def judged(centre: RunningCentre) -> None:
    """Everything that is due has been looked at, by this instance's own worker or by this."""
    while True:
        await centre.centre.updates.worker.round(every=True)
        async with centre.centre.db.read() as connection:
            if not await due_store.dues(connection):
                return
        await asyncio.sleep(0.02)


async def later(centre: RunningCentre, seconds: float) -> None:
    """So much time of watching goes by."""
    async with centre.centre.db.write() as connection:
        await connection.execute(update(RolloutClock).values(watched_s=RolloutClock.watched_s + seconds))
    await judged(centre)


async def rollout(centre: RunningCentre, rollout_id: str, key: str = "viewer") -> dict[str, Any]:
    """How it stands."""
    answer = await centre.get(f"/v1/rollouts/{rollout_id}", key=key)
    assert answer.status == 200, answer
    return dict(answer.body)


async def steps(centre: RunningCentre, rollout_id: str, key: str = "viewer") -> dict[str, str]:
    """The step of each device, by site and device."""
    answer = await centre.get(f"/v1/rollouts/{rollout_id}/devices?limit=500", key=key)
    assert answer.status == 200, answer
    return {f"{one['site']}/{one['device']}": one["step"] for one in answer.body["items"]}

"""One of everything at a site, and how each route is asked for it: by its owner, and by whom it is not for."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sqlalchemy import insert

from cloud.assets import band_store
from cloud.assets.band_store import Mark
from cloud.db.asset_models import AssetExplanation
from cloud.db.content_models import DocumentAtSite, DocumentRow, DocumentVersion, PictureRow
from cloud.db.models import ApiKey, Audit, CommandRow, InboxItem, Stream, TransactionRow
from cloud.db.people_models import Login, Person
from cloud.db.update_models import (
    Artifact,
    ArtifactPart,
    Blob,
    BlobPiece,
    DeviceGroup,
    FirmwareKey,
    GroupMember,
    Rollout,
    RolloutDeviceRow,
    UpdateEnd,
)
from edge.access.model import hash_secret
from edge.assets.deriving import Wiring
from edge.assets.model import Segment, State, bands
from edge.serving.routing import Route
from edge.wire.assets import AssetRules, PlannedView, ReasonView, ShiftView
from tests.filled_centre import NOW_US, Filled
from tests.firmware_keys import PUBLIC
from tests.integration.centre.asset_hubs import view_of, wired
from tests.running_centre import RunningCentre

BODIES: dict[str, dict[str, Any]] = {
    "AdoptDraft": {},
    "AssignFirmware": {"artifact": "xyzzy-artifact"},
    "BindAgent": {"agent": "24"},
    "CheckAtSite": {"body": {"elements": []}, "device": "xyzzy-device", "panel": "eink-800x480"},
    "ChangeAsset": {"name": "Taken over"},
    "ChangeMe": {"full_name": "Taken over"},
    "ChangePassword": {"old": "Passw0rd", "new": "N3w-password"},
    "ChangePerson": {"role": "viewer"},
    "ChangeSite": {"name": "Taken over"},
    "ChangeTwin": {"desired": {"v1": True}},
    "CreatePerson": {"email": "one.more@example.com", "role": "viewer"},
    "CreateSite": {"name": "One more"},
    "CreateSiteKey": {"name": "one more", "role": "viewer"},
    "CreateTenant": {"name": "one more"},
    "GiveReason": {"reason": "jam"},
    "MarkLegacy": {"legacy": True},
    "NewAsset": {"name": "One more", "device": "xyzzy-device", "input": "in2"},
    "NewFirmwareKey": {"name": "One more", "pem": "none"},
    "NewRollout": {"artifact": "xyzzy-artifact", "target": {"devices": ["xyzzy-device"]}},
    "PauseRollout": {"reason": "taken over"},
    "PublishTo": {"version": 1},
    "RetryRollout": {},
    "SaveDraft": {"body": {"elements": []}, "revision": 9},
    "SetGroup": {"devices": ["xyzzy-device"]},
    "NewCommand": {"kind": "display_qr", "args": {"payload": "hello"}},
    "SetPassword": {"password": "N3w-password"},
    "SetPlanned": {"name": "Taken over", "begins": "12:00", "ends": "13:00"},
    "SetReason": {"name": "Taken over"},
    "SetShift": {"name": "Taken over", "begins": "06:00", "ends": "14:00"},
    "Resolve": {"outcome": "succeeded", "note": "seen"},
    "Vend": {},
    "Wire": {"device": "xyzzy-device", "input": "in2"},
}
"""What is sent to a route, by the type of its body."""
STOPPED_US = NOW_US + 60_000_000  # when the one stop of the one asset began


class Planted(msgspec.Struct, frozen=True):
    """What a site has. All its ids and texts begin with `mark`, which is nowhere else."""

    mark: str

    @property
    def slug(self) -> str:
        """The site's id."""
        return f"{self.mark}-site"

    def fill(self, path: str) -> str:
        """`path`, its parameters naming this site's things. Raises KeyError for one that is not known here."""
        room = path.removeprefix("/v1/").partition("/")[0]
        noun = {"people": "person"}.get(room, room.removesuffix("s"))
        values = {"site": self.slug, "slot": "1", "stop": str(STOPPED_US), "id": f"{self.mark}-{noun}"}
        values |= {name: f"{self.mark}-{name}" for name in ("artifact", "key", "name", "device", "picture")}
        values |= {"kind": "layouts", "version": "1"}
        return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], path)

    def body(self, route: Route) -> dict[str, Any] | None:
        """What is sent with it. Raises KeyError for a type that is not known here."""
        if route.body is None:
            return None
        names_sites = {"sites": [self.slug]} if "sites" in route.body.__struct_fields__ else {}
        return {**BODIES[route.body.__name__], **names_sites}


async def plant(centre: RunningCentre, site: int, mark: str) -> Planted:
    """A site of the first tenant with one of everything."""
    filled, planted = Filled(centre.centre.db), Planted(mark)
    device, command = f"{mark}-device", f"{mark}-command"
    await filled.site(site, planted.slug)
    await filled.device(site, device, name=f"{mark} till", kind="display")
    slot = {
        "device": device, "slot": 1, "item": f"{mark} cola", "price": 100, "currency": "EUR", "capacity": 9,
        "count": 5, "reserved": 0, "in_doubt": 0, "available": True, "why": "", "restocked_at": None,
    }  # fmt: skip
    twin = {
        "device": device, "version": 1, "desired": {f"{mark}-v": 1}, "reported": {}, "pending": [],
        "changed_at": None, "changed_by": mark,
    }  # fmt: skip
    latest = [
        {"key": f"{mark}-temp", "value": 21.5, "at": "2026-09-21T13:33:20.000Z", "age_s": 1.0, "quality": "ntp"}
    ]
    agent = {
        "agent": f"{mark}-24",
        "name": mark,
        "since": "2026-09-21T13:33:20.000Z",
        "how": "poll",
        "device": device,
    }
    await filled.state(site, "slot", f"{device}/1", slot, device=device)
    await filled.state(site, "twin", device, twin)
    await filled.state(site, "latest", device, latest)
    await filled.state(site, "agent", f"{mark}-24", agent, device=device)
    await filled.series(site, 1, device, f"{mark}-temp")
    await filled.readings(site, 1, [(1, centre.centre.clock.now().at_us, 21.5)])
    await filled.facts(site, 1, 3, device=device)
    await filled.facts(site, 4, 1, kind="gap", device=device)
    base = {"tenant_id": 1, "site_id": site}
    rows: list[tuple[type[Any], dict[str, object]]] = [
        (Stream, {"stream": "ledger", "epoch": f"{mark}-epoch", "next": 5, "head": 4, "complete_us": NOW_US}),
        (Stream, {"stream": "readings", "epoch": f"{mark}-epoch", "next": 2, "head": 1, "complete_us": NOW_US}),
        (Audit, {"at_us": NOW_US, "actor": mark, "what": "site.renamed"}),
        (CommandRow, {
            "id": command, "number": site, "device": device, "kind": "display_qr", "state": "in_doubt",
            "place": "site", "actor": mark, "created_us": NOW_US, "attempts": 1,
            "tries": msgspec.json.encode([{"attempt": 1, "link": mark, "at_us": NOW_US}]).decode(),
        }),
        (TransactionRow, {
            "id": f"{mark}-transaction", "number": site, "device": device, "slot": 1, "state": "dispensed",
            "actor": mark, "created_us": NOW_US,
        }),
        (InboxItem, {
            "seq": 1, "id": command, "kind": "command", "body": "{}", "actor": mark, "created_us": NOW_US,
        }),
    ]  # fmt: skip
    async with centre.centre.db.write() as connection:
        for table, values in rows:
            await connection.execute(insert(table).values(**base, **values))
        key = {"id": f"{mark}-key", "name": f"{mark} app", "role": "viewer", "hash": hash_secret(mark)}
        made = {"tenant_id": 1, "sites": planted.slug, "created_us": NOW_US, "created_by": mark}
        await connection.execute(insert(ApiKey).values(**key, **made))
    await _plant_rest(centre, filled, site, planted)
    return planted


async def _plant_rest(centre: RunningCentre, filled: Filled, site: int, planted: Planted) -> None:
    """What has tables of its own."""
    mark = planted.mark
    await _plant_firmware(centre, site, mark, f"{mark}-device")
    await _plant_content(centre, filled, site, mark)
    await _plant_person(centre, mark, planted.slug)
    await _plant_asset(centre, filled, site, mark)
    await centre.centre.accounts.keys.reload()


async def _plant_firmware(centre: RunningCentre, site: int, mark: str, device: str) -> None:
    """An artifact of one file, a key, a group, a rollout with one device that ended."""
    artifact, rollout, data = f"{mark}-artifact", f"{mark}-rollout", f"{mark} bytes".encode()
    blob = {"tenant_id": 1, "sha256": f"{mark}-sha"}
    rows: list[tuple[type[Any], dict[str, object]]] = [
        (Blob, {**blob, "size": len(data), "touched_us": NOW_US, "whole": True}),
        (BlobPiece, {**blob, "number": 0, "data": data}),
        (ArtifactPart, {**blob, "artifact": artifact, "path": "image", "size": len(data), "crc32": 0}),
        (
            Artifact,
            {
                "tenant_id": 1, "id": artifact, "kind": "esp-image", "target": mark, "chip": "esp32",
                "version": "20261121.000000", "security": 0, "size": len(data), "files": 1, "sha256": f"{mark}-sha",
                "md5": "", "manifest": b"", "signatures": b"", "legacy_only": True, "notes": mark, "checks": "[]",
                "created_us": NOW_US, "created_by": mark,
            },
        ),
        (
            FirmwareKey,
            {
                "tenant_id": 1, "id": f"{mark}-key", "name": mark, "pem": PUBLIC["first"].pem,
                "created_us": NOW_US, "created_by": mark,
            },
        ),
        (DeviceGroup, {"tenant_id": 1, "name": f"{mark}-name", "created_us": NOW_US, "created_by": mark}),
        (GroupMember, {"tenant_id": 1, "site_id": site, "device": device, "name": f"{mark}-name"}),
        (
            Rollout,
            {
                "tenant_id": 1, "id": rollout, "name": mark, "artifact": artifact, "target": '{"kind":"display"}',
                "plan": "{}", "state": "done", "devices": 1, "created_us": NOW_US, "created_by": mark,
                "begun_by": mark, "started_us": NOW_US, "ended_us": NOW_US,
            },
        ),
        (
            RolloutDeviceRow,
            {
                "tenant_id": 1, "site_id": site, "rollout": rollout, "device": device, "place": 0, "name": mark,
                "wave": 1, "step": "failed", "reason": mark,
            },
        ),
        (
            UpdateEnd,
            {
                "tenant_id": 1, "site_id": site, "device": device, "rollout": rollout, "artifact": artifact,
                "version": "v", "step": "failed", "reason": mark, "ended_us": centre.centre.clock.now().at_us,
            },
        ),
    ]  # fmt: skip
    async with centre.centre.db.write() as connection:
        for table, values in rows:
            await connection.execute(insert(table).values(**values))


async def _plant_content(centre: RunningCentre, filled: Filled, site: int, mark: str) -> None:
    """A layout with a picture, sent to the site, which has it; and a panel that shows it."""
    of, picture, data = f"{mark}-content", f"{mark}-picture", f"{mark} bytes".encode()
    text = {"kind": "text", "box": {"x": 0, "y": 0, "w": 9, "h": 9}, "text": mark}
    layout = {"elements": [text]}
    body = msgspec.json.encode(layout).decode()
    document: dict[str, object] = {"tenant_id": 1, "kind": "layout", "id": of}
    by = {"title": mark, "body": body, "hash": mark}
    rows: list[tuple[type[Any], dict[str, object]]] = [
        (DocumentRow, {
            **document, **by, "revision": 1, "version": 1, "newest": 1, "removed": False, "published_hash": mark,
            "changed_us": NOW_US, "changed_by": mark, "published_us": NOW_US, "published_by": mark,
        }),
        (DocumentVersion, {**document, **by, "version": 1, "at_us": NOW_US, "by": mark, "note": "", "back_to": 0}),
        (DocumentAtSite, {**document, "site_id": site, "version": 1, "hash": mark, "step": "applied"}),
        (PictureRow, {
            "tenant_id": 1, "id": picture, "name": mark, "width": 1, "height": 1, "size": len(data),
            "colour": False, "notes": "[]", "at_us": NOW_US, "by": mark,
        }),
        (Blob, {"tenant_id": 1, "sha256": picture, "size": len(data), "touched_us": NOW_US, "whole": True}),
        (BlobPiece, {"tenant_id": 1, "sha256": picture, "number": 0, "data": data}),
    ]  # fmt: skip
    async with centre.centre.db.write() as connection:
        for table, values in rows:
            await connection.execute(insert(table).values(**values))
    at = "2026-09-21T13:33:20.000Z"
    seen = {
        "kind": "layout", "id": of, "title": mark, "revision": 1, "version": 1, "draft": False, "conflict": 0,
        "changed_at": at, "changed_by": mark, "published_at": at, "published_by": mark, "used_by": 0, "hash": mark,
        "published": layout,
    }  # fmt: skip
    await filled.state(site, "document", f"layout/{of}", seen)
    panel = {
        "device": f"{mark}-device", "name": mark, "panel": "eink-800x480", "width": 800, "height": 480,
        "screen": of, "version": 1, "playlist": "", "schedule": "", "wanted": "", "until": None, "refresh_s": 60,
        "shown": "", "shown_screen": "", "shown_version": 0, "shown_at": None, "evidence": "", "sharp": True,
        "behind": "", "notes": [],
    }  # fmt: skip
    await filled.state(site, "panel", f"{mark}-device", panel)


async def _plant_person(centre: RunningCentre, mark: str, slug: str) -> None:
    """Somebody of the first tenant, who is logged in."""
    made = {"tenant_id": 1, "sites": slug, "created_us": NOW_US, "created_by": mark}
    async with centre.centre.db.write() as connection:
        person = {"id": f"{mark}-person", "email": f"{mark}@example.com", "username": mark, "role": "viewer"}
        await connection.execute(insert(Person).values(**person, **made, state="active", reset_until_us=0))
        seen = {"created_us": NOW_US, "seen_us": centre.centre.clock.now().at_us, "until_us": 2 * NOW_US}
        login = {"id": f"{mark}-login", "person_id": f"{mark}-person", "kind": "web", "hash": hash_secret(mark)}
        await connection.execute(insert(Login).values(tenant_id=1, **login, **seen))


async def _plant_asset(centre: RunningCentre, filled: Filled, site: int, mark: str) -> None:
    """A machine that stood still for a minute, and somebody said why."""
    asset = wired(f"{mark}-asset", Wiring(0, f"{mark}-device", "in1"))
    rules = AssetRules(
        timezone="UTC",
        reasons=[ReasonView(id=f"{mark}-stop-reason", name="Jam")],
        shifts=[ShiftView(id=f"{mark}-shift", name="Early", begins="06:00", ends="14:00")],
        planned=[PlannedView(id=f"{mark}-planned", name="Pause", begins="12:00", ends="12:30", days=[1])],
    )
    await filled.state(site, "asset", asset.id, view_of(asset, name=f"{mark} press"), device=f"{mark}-device")
    await filled.state(site, "asset_rules", "rules", rules)
    turns = [(NOW_US, State.RUNNING), (STOPPED_US, State.STOPPED), (STOPPED_US + 60_000_000, State.RUNNING)]
    span = NOW_US, centre.centre.clock.now().at_us
    made = list(bands(None, [Segment(at_us, state) for at_us, state in turns], [], 0, span))
    said = {
        "number": site, "asset": asset.id, "from_us": STOPPED_US, "to_us": STOPPED_US + 1, "boot_id": "",
        "mono_ms": 0, "reason": f"{mark}-stop-reason", "reason_name": "Jam", "note": "", "actor": mark,
        "said_us": NOW_US, "said_quality": "ntp", "said_boot_id": "", "said_mono_ms": 0,
    }  # fmt: skip
    async with centre.centre.db.write() as connection:
        await band_store.add_mark(connection, (1, site), Mark(asset=asset.id, number=site, upto_us=span[1]))
        await band_store.replace(connection, (1, site), site, 0, made)
        await connection.execute(insert(AssetExplanation).values(tenant_id=1, site_id=site, **said))

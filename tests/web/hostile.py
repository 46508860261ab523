"""Names as somebody may choose them who wants to harm whoever reads them, and sites and devices that have them."""

from __future__ import annotations

import msgspec
from sqlalchemy import insert

from cloud.db.content_models import DocumentAtSite, DocumentRow, DocumentVersion, PictureRow
from cloud.db.models import CommandRow, FactRow, Site, StateRow, Stream
from cloud.db.reading_models import Series
from cloud.db.update_models import (
    Artifact,
    ArtifactPart,
    DeviceGroup,
    FirmwareKey,
    GroupMember,
    Rollout,
    RolloutDeviceRow,
    RolloutWave,
    UpdateEnd,
)
from edge.assets.model import State
from edge.content.documents import model
from edge.wire.assets import PlannedView, ReasonView, ShiftView
from edge.wire.content import DocumentKind
from edge.wire.updates import Plan, Target
from tests.filled_centre import DEVICE, HOUR_US, Filled, fact_rows
from tests.firmware_keys import PUBLIC
from tests.running_centre import RunningCentre
from tests.web.filled_assets import FilledAssets

MARKUP = '"><img src=x onerror=alert(1)><script>alert(1)</script>{{7*7}}&amp;'
BACKWARDS = "abc\u202egnp.exe"  # shown as if it ended otherwise, where it is not kept apart
FORMULA = '=HYPERLINK("http://evil.example","pay here")'
LONG = "W" * 80
NAMES = (MARKUP, BACKWARDS, FORMULA, LONG)
CONTROL = "bell\u0007 nul-like\u2400 next\u0085line \u2028para"
SITE, DEVICE_ID = "evil", "d-evil"
COMMAND = "c-evil"
ASSET = "a-evil"
ARTIFACT, ROLLOUT, KEY, GROUP = "f" * 64, "r-evil", "k-evil", MARKUP
DOCUMENT, PICTURE = "evil", "e" * 64


async def add_hostile(centre: RunningCentre) -> None:
    """A site for each name; the first has devices of all of them, with commands, facts and what they measure, and
    assets with stops, reasons and rules."""
    now_us = centre.centre.clock.now().at_us
    report = {
        "at_us": now_us, "quality": MARKUP, "ledger_head": 9, "readings_head": 9, "dead_letters": 1,
        "buffer_bytes": 1, "buffer_max_bytes": 10, "bytes_per_day": 5.0, "devices": 4, "online": 2,
        "problems": [MARKUP, CONTROL],
    }  # fmt: skip
    async with centre.centre.db.write() as connection:
        for number, name in enumerate(NAMES, 1):
            row = {
                "tenant_id": 1, "id": number, "slug": SITE if number == 1 else f"{SITE}-{number}", "name": name,
                "state": "active", "created_us": now_us, "created_by": MARKUP, "session": 1, "seen_us": now_us,
                "version": MARKUP, "timezone": MARKUP if number == 1 else "UTC", "report_us": now_us,
                "report": msgspec.json.encode(report).decode(), "alert": CONTROL if number == 2 else "",
            }  # fmt: skip
            await connection.execute(insert(Site).values(**row))
            stream = {"tenant_id": 1, "site_id": number, "stream": "ledger", "next": 1, "head": 9}
            await connection.execute(insert(Stream).values(**stream, complete_us=now_us, moved_us=now_us))
        txid = await centre.centre.db.transaction_id(connection)
        arrivals = await centre.centre.db.numbers(connection, "arrival", len(NAMES))
        rows = fact_rows(1, 1, list(arrivals), txid, kind="device.renamed", device=DEVICE_ID)
        for row, name in zip(rows, NAMES, strict=True):
            await connection.execute(insert(FactRow).values(**(row | {"subject": name})))
        for number, name in enumerate((*NAMES, CONTROL)):
            device = DEVICE_ID if number == 0 else f"{DEVICE_ID}-{number}"
            told = {"name": name, "evidence": name, "link": name, "panel": name, "aliases": [name], "profile": name}
            latest = [{"key": name, "value": name, "at": "2026-09-21T13:33:20.000Z", "age_s": 1.0, "quality": name}]
            for kind, view in (("device", {**DEVICE, **told, "id": device}), ("latest", latest)):
                row = {
                    "tenant_id": 1, "site_id": 1, "kind": kind, "id": device, "device": device, "session": 1,
                    "version": number, "at_us": now_us, "received_us": now_us, "change": number + 1,
                    "view": msgspec.json.encode(view).decode(),
                }  # fmt: skip
                await connection.execute(insert(StateRow).values(**row))
            series = {"tenant_id": 1, "site_id": 1, "epoch_no": 1, "number": number, "device": device, "key": name}
            await connection.execute(insert(Series).values(**series))
            command = {
                "tenant_id": 1, "site_id": 1, "id": COMMAND if number == 0 else f"{COMMAND}-{number}",
                "number": number + 1, "device": device, "kind": "display_qr", "place": "site",
                "actor": f"user:{name}",
                "state": ("in_doubt", "queued", "failed", "in_doubt", "queued")[number], "created_us": now_us,
                "expires_us": now_us + 900_000_000, "reason": name,
                "args": msgspec.json.encode({"text": name}).decode(), "attempts": 1,
            }  # fmt: skip
            await connection.execute(insert(CommandRow).values(**command))
    await _add_assets(centre, now_us)
    await _add_firmware(centre, now_us)
    await _add_content(centre, now_us)


async def _add_assets(centre: RunningCentre, now_us: int) -> None:
    """An asset of each name, which stopped for a reason of that name and stands still again for none."""
    assets = FilledAssets(Filled(centre.centre.db), 1, MARKUP, now_us)
    reasons = [ReasonView(id=f"r-{number}", name=name) for number, name in enumerate(NAMES)]
    shifts = [
        ShiftView(id=f"s-{number}", name=name, begins="06:00", ends="14:00") for number, name in enumerate(NAMES)
    ]
    planned = [
        PlannedView(id=f"p-{number}", name=name, begins="01:00", ends="02:00", days=[1], assets=[name])
        for number, name in enumerate(NAMES)
    ]
    await assets.rules(reasons, shifts, planned)
    hours = ((-9, State.RUNNING), (-7, State.STOPPED), (-5, State.RUNNING), (-1, State.STOPPED))
    raw = [(now_us + hour * HOUR_US, state) for hour, state in hours]
    for number, name in enumerate(NAMES):
        asset = ASSET if number == 0 else f"{ASSET}-{number}"
        await assets.asset(asset, raw, name=name, line=name, device=DEVICE_ID, input=name, state=name)
        await assets.said(asset, raw[1][0], raw[2][0], f"r-{number}", name, name, by=f"user:{name}")


async def _add_firmware(centre: RunningCentre, now_us: int) -> None:
    """Keys, firmware, groups and rollouts of each name; the first rollout has a device of each of them."""
    said = {"tenant_id": 1, "created_us": now_us, "created_by": MARKUP}
    plan = msgspec.json.encode(Plan(window="22:00-05:00")).decode()
    async with centre.centre.db.write() as connection:
        for number, name in enumerate(NAMES):
            key = KEY if number == 0 else f"{KEY}-{number}"
            pem = PUBLIC["first"].pem
            await connection.execute(insert(FirmwareKey).values(**said, id=key, name=name, pem=pem))
            artifact = {
                "id": ARTIFACT if number == 0 else f"{number}" * 64, "kind": "app", "target": name, "chip": name,
                "version": "20261121.185500", "security": 1, "size": 5, "files": 1, "sha256": "", "md5": name,
                "manifest": b"", "signatures": b"", "legacy_only": number == 1, "notes": name,
                "checks": msgspec.json.encode([name, CONTROL]).decode(),
            }  # fmt: skip
            await connection.execute(insert(Artifact).values(**said, **artifact))
            part = {"artifact": artifact["id"], "path": name, "size": 5, "sha256": "0" * 64, "crc32": 0}
            await connection.execute(insert(ArtifactPart).values(tenant_id=1, **part))
            await connection.execute(insert(DeviceGroup).values(**said, name=name))
            device = DEVICE_ID if number == 0 else f"{DEVICE_ID}-{number}"
            here = {"tenant_id": 1, "site_id": 1, "device": device}
            await connection.execute(insert(GroupMember).values(**here, name=GROUP))
            target = msgspec.json.encode(Target(group=name, sites=[SITE])).decode()
            rollout = {
                "id": ROLLOUT if number == 0 else f"{ROLLOUT}-{number}", "name": name, "artifact": ARTIFACT,
                "target": target, "plan": plan, "state": ("paused", "aborted", "short", "done")[number],
                "reason": name, "devices": 4, "started_us": now_us, "begun_by": name,
            }  # fmt: skip
            await connection.execute(insert(Rollout).values(**said, **rollout))
            row = {
                "rollout": ROLLOUT, "place": number, "name": name, "wave": number + 1, "attempt": 1, "reason": name,
                "step": ("rolled-back", "downloading", "failed", "confirmed")[number], "changed_us": now_us,
            }  # fmt: skip
            await connection.execute(insert(RolloutDeviceRow).values(**here, **row))
            wave = {"rollout": ROLLOUT, "number": number + 1, "began_us": now_us}
            await connection.execute(insert(RolloutWave).values(tenant_id=1, **wave))
            end = {"rollout": ROLLOUT, "artifact": ARTIFACT, "version": name, "ended_us": now_us}
            await connection.execute(insert(UpdateEnd).values(**here, **end, step="failed", reason=name))
    filled = Filled(centre.centre.db)
    for number, name in enumerate(NAMES):
        device = DEVICE_ID if number == 0 else f"{DEVICE_ID}-{number}"
        told = {
            "device": device, "version": name, "app": name, "image": name, "security": 1, "trial": True,
            "legacy": True, "seen_at": name, "rollout": ROLLOUT, "artifact": ARTIFACT, "step": "downloading",
            "reason": name, "held_off_until": name, "target": name, "attempt": 1, "done": 3, "size": 5,
        }  # fmt: skip
        await filled.state(1, "firmware", device, told, at_us=now_us)
    fetch = {"artifact": ARTIFACT, "done": 3, "size": 5, "problem": MARKUP}
    await filled.state(1, "fetching", ARTIFACT, fetch, at_us=now_us)


async def _add_content(centre: RunningCentre, now_us: int) -> None:
    """Documents of every kind and of each name, what a site has of them, and what its panels show."""
    said = {"hash": "", "revision": 1, "version": 1, "newest": 1, "changed_us": now_us, "published_us": now_us}
    async with centre.centre.db.write() as connection:
        for number, name in enumerate(NAMES):
            document, picture = (DOCUMENT, PICTURE) if number == 0 else (f"{DOCUMENT}-{number}", f"{number}" * 64)
            of = {"tenant_id": 1, "id": document, "title": name}
            for kind, body in _ill_bodies(name).items():
                text = model.canonical(model.read(kind, body)).decode()
                row = of | {"kind": kind.value, "body": text, "changed_by": name, "published_by": name}
                await connection.execute(insert(DocumentRow).values(**row, **said))
                version = {"version": 1, "hash": "0" * 64, "at_us": now_us, "by": name, "note": name}
                row = of | {"kind": kind.value, "body": text, **version}
                await connection.execute(insert(DocumentVersion).values(**row))
            at = {"tenant_id": 1, "site_id": number + 1, "kind": "layout", "id": DOCUMENT, "version": 1}
            step = {"step": ("conflict", "refused", "waiting", "applied")[number], "reason": name, "sent_by": name}
            row = at | step | {"their_by": name, "their_us": now_us, "sent_us": now_us}
            await connection.execute(insert(DocumentAtSite).values(**row))
            about = {"name": name, "width": 8, "height": 8, "size": 9, "colour": False, "at_us": now_us, "by": name}
            notes = msgspec.json.encode([name, CONTROL]).decode()
            row = {"tenant_id": 1, "id": picture, "notes": notes, **about}
            await connection.execute(insert(PictureRow).values(**row))
    filled = Filled(centre.centre.db)
    for number, name in enumerate(NAMES):
        device = DEVICE_ID if number == 0 else f"{DEVICE_ID}-{number}"
        panel = {
            "device": device, "name": name, "panel": name, "width": 8, "height": 4, "screen": name, "version": 1,
            "playlist": name, "schedule": name, "wanted": name, "until": name, "refresh_s": 60, "shown": name,
            "shown_screen": name, "shown_version": 1, "shown_at": name, "evidence": name, "sharp": False,
            "behind": name, "notes": [name, CONTROL],
        }  # fmt: skip
        await filled.state(1, "panel", device, panel, device=device, at_us=now_us)
        document = DOCUMENT if number == 0 else f"theirs-{number}"
        told = {
            "kind": "layout", "id": document, "title": name, "revision": 1, "version": 1, "draft": False,
            "conflict": 1, "changed_at": name, "changed_by": name, "published_at": name, "published_by": name,
            "used_by": 0, "hash": name, "published": {"elements": []},
        }  # fmt: skip
        await filled.state(1, "document", f"layout/{document}", told, at_us=now_us)


def _ill_bodies(name: str) -> dict[DocumentKind, dict[str, object]]:
    """A body of each kind that has the name wherever it may."""
    box, short = {"x": 1, "y": 1, "w": 50, "h": 20}, name[:16]
    elements = [
        {"kind": "text", "box": box, "text": name},
        {"kind": "value", "box": box, "device": name, "key": name, "label": short, "unit": short},
        {"kind": "asset", "box": box, "asset": name, "label": short},
        {"kind": "qr", "box": box, "payload": name, "caption": short},
        {"kind": "picture", "box": box, "picture": PICTURE},
        {"kind": "source", "box": box, "source": DOCUMENT, "field": short},
    ]
    return {
        DocumentKind.LAYOUT: {"elements": elements, "panel": short},
        DocumentKind.PLAYLIST: {"entries": [{"layout": DOCUMENT}, {"picture": PICTURE}]},
        DocumentKind.SCHEDULE: {"devices": [name], "groups": [name[:64]], "rules": [{"playlist": DOCUMENT}]},
        DocumentKind.SOURCE: {"url": name, "fields": [{"name": short, "path": name, "unit": short}]},
    }

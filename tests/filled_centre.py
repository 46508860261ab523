"""Rows in a centre's database as the sync conversation leaves them there, without a hub."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import insert, select

from cloud.db.database import Database
from cloud.db.models import FactRow, Site, StateRow, Tenant
from cloud.db.reading_models import Boot, ClockFix, Reading, RollupDue, Series

NOW_US = 1_790_000_000_000_000
HOUR_US = 3_600_000_000
RENAMED = "device.renamed"
DEVICE: dict[str, Any] = {
    "name": "Till",
    "kind": "display",
    "profile": "native",
    "state": "approved",
    "online": True,
    "link": "",
    "evidence": "poll",
    "evidence_at": "2026-09-21T13:33:20.000Z",
    "evidence_age_s": 1.5,
    "panel": "",
    "aliases": [],
    "workstations": [],
    "agent": None,
    "screen": None,
    "queued": 0,
    "in_doubt": 0,
    "shown_today": 0,
    "shown_total": 0,
    "facts": {},
    "created_at": "2026-09-01T00:00:00.000Z",
    "approved_at": None,
}


class Filled:
    """Writes rows. Sites are numbered from 1; `seen_us` of a site is when its hub last spoke."""

    def __init__(self, database: Database) -> None:
        self.db = database
        self._due = 0

    async def tenant(self, number: int) -> None:
        """One more tenant."""
        async with self.db.write() as connection:
            await connection.execute(insert(Tenant).values(id=number, name=f"tenant {number}", created_us=NOW_US))

    async def site(
        self, number: int, slug: str, *, tenant: int = 1, seen_us: int = NOW_US, timezone: str = "UTC"
    ) -> None:
        """A site whose hub is in its session 1."""
        async with self.db.write() as connection:
            await connection.execute(
                insert(Site).values(
                    tenant_id=tenant,
                    id=number,
                    slug=slug,
                    name=slug.title(),
                    state="active",
                    created_us=NOW_US,
                    created_by="test",
                    session=1,
                    seen_us=seen_us,
                    timezone=timezone,
                )
            )

    async def state(
        self,
        site: int,
        kind: str,
        thing: str,
        view: object,
        *,
        tenant: int = 1,
        device: str = "",
        at_us: int = NOW_US,
    ) -> None:
        """A view as a hub tells it; `view` None: the thing is gone."""
        async with self.db.write() as connection:
            txid = await self.db.transaction_id(connection)
            (change,) = await self.db.numbers(connection, "change", 1)
            key = {"tenant_id": tenant, "site_id": site, "kind": kind, "id": thing}
            rest = {
                "device": device or thing,
                "session": 1,
                "version": change,
                "at_us": at_us,
                "received_us": at_us,
                "change": change,
                "txid": txid,
                "view": "" if view is None else msgspec.json.encode(view).decode(),
            }
            there = select(StateRow.id).filter_by(**key)
            if (await connection.execute(there)).first() is None:
                await connection.execute(insert(StateRow).values(**key, **rest))
            else:
                await connection.execute(StateRow.__table__.update().filter_by(**key).values(**rest))

    async def device(self, site: int, device: str, *, tenant: int = 1, at_us: int = NOW_US, **more: Any) -> None:
        """A device."""
        await self.state(site, "device", device, {"id": device, **DEVICE, **more}, tenant=tenant, at_us=at_us)

    async def series(
        self, site: int, number: int, device: str, key: str, *, tenant: int = 1, epoch: int = 1
    ) -> None:
        """What a device measures."""
        async with self.db.write() as connection:
            values = {"tenant_id": tenant, "site_id": site, "epoch_no": epoch, "number": number}
            await connection.execute(insert(Series).values(**values, device=device, key=key))

    async def readings(
        self,
        site: int,
        series: int,
        rows: Iterable[tuple[int, int, float | str]],
        *,
        tenant: int = 1,
        epoch: int = 1,
        quality: int = 2,
        boot: int = -1,
        mono_ms: Sequence[int] = (),
        due: bool = True,
    ) -> None:
        """Readings: number, time and value, with what is due by them."""
        told = list(rows)
        values = [
            {
                "tenant_id": tenant,
                "site_id": site,
                "epoch_no": epoch,
                "series": series,
                "at_us": at_us,
                "seq": seq,
                "num": None if isinstance(value, str) else float(value),
                "text": value if isinstance(value, str) else None,
                "kind": 2 if isinstance(value, str) else 0,
                "quality": quality,
                "late_us": 0,
                "boot": boot,
                "mono_ms": mono_ms[number] if mono_ms else 0,
            }
            for number, (seq, at_us, value) in enumerate(told)
        ]
        self._due += 1
        async with self.db.write() as connection:
            await connection.execute(insert(Reading), values)
            if due:
                await connection.execute(
                    insert(RollupDue).values(
                        tenant_id=tenant,
                        site_id=site,
                        n=self._due,
                        epoch_no=epoch,
                        from_us=min(at_us for _, at_us, _ in told),
                        to_us=max(at_us for _, at_us, _ in told) + 1,
                    )
                )

    async def fixed(self, site: int, boot: int, boot_id: str, began_us: int, *, epoch: int = 1) -> None:
        """A boot, and when it really began."""
        async with self.db.write() as connection:
            place = {"tenant_id": 1, "site_id": site}
            await connection.execute(insert(Boot).values(**place, epoch_no=epoch, number=boot, boot_id=boot_id))
            await connection.execute(insert(ClockFix).values(**place, boot_id=boot_id, began_us=began_us, seq=1))

    async def facts(
        self,
        site: int,
        first: int,
        count: int,
        *,
        tenant: int = 1,
        kind: str = RENAMED,
        device: str = "d1",
    ) -> list[int]:
        """Facts of a site's ledger, in a transaction; their numbers of arrival."""
        async with self.db.write() as connection:
            txid = await self.db.transaction_id(connection)
            arrivals = list(await self.db.numbers(connection, "arrival", count))
            await connection.execute(
                insert(FactRow), fact_rows(site, first, arrivals, txid, tenant=tenant, kind=kind, device=device)
            )
        return arrivals


def fact_rows(
    site: int,
    first: int,
    arrivals: Sequence[int],
    txid: int,
    *,
    tenant: int = 1,
    kind: str = RENAMED,
    device: str = "d1",
) -> list[dict[str, Any]]:
    """Rows of `facts` from number `first` on."""
    return [
        {
            "tenant_id": tenant,
            "site_id": site,
            "seq": first + number,
            "hash": (site * 10**9 + first + number).to_bytes(16, "big"),
            "epoch_no": 1,
            "arrival": arrival,
            "txid": txid,
            "kind": kind,
            "subject": device,
            "device": device,
            "at_us": NOW_US + number,
            "quality": "ntp",
            "boot_id": "b",
            "mono_ms": 0,
            "body": msgspec.json.encode({"device": device}).decode(),
            "received_us": NOW_US,
            "skipped": False,
        }
        for number, arrival in enumerate(arrivals)
    ]

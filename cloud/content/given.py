"""What a layout is filled with at head office: what the hub of a site told last, and the readings that are here.

It is as a panel there would show it, but for what sources say, which is known at the site alone.
"""

from __future__ import annotations

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.analytics.history import Ask, page
from cloud.analytics.rollups import zone_named
from cloud.assets.bands import CentreBands
from cloud.assets.definitions import told_us
from cloud.assets.lookup import chosen, find_asset, rules_of, scope
from cloud.assets.views import asset_view
from cloud.db.database import Database
from cloud.fleet import state_store
from cloud.fleet.lookup import Found, Place, find_device, found
from cloud.fleet.views import latest_views
from edge.assets.answers.asking import availability
from edge.assets.answers.on_panels import figure, question_over
from edge.assets.answers.windows import site_rules
from edge.clock import Clock
from edge.content.render.scene import AssetSaid, AssetWanted, ChartWanted, Datum, Given, Wanted
from edge.errors import Conflict, NotFound
from edge.serving.buckets import chart_width_s
from edge.wire.layouts import SELF

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
POINTS = 720  # about a pixel of a panel each
AT_SITE = "What sources say is known at the site alone."
NO_SITE = "Choose a site, and its readings are shown."


class Gathered(msgspec.Struct, frozen=True):
    """What there is, and what its reader should know."""

    given: Given
    notes: tuple[str, ...] = ()


class Gathering:
    """Asks for what a layout wants, at a site that the caller reaches."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    async def given(self, member: Member, wanted: Wanted, place: Place | None, device: Found | None) -> Gathered:
        """What `wanted` asks for, as it is at `place` on the panel of `device`; nothing without a place."""
        now_us, notes = self._clock.now().at_us, [AT_SITE] if wanted.sources else []
        if place is None:
            asked = wanted.values or wanted.charts or wanted.assets
            return Gathered(Given(now_us=now_us), (*notes, *([NO_SITE] if asked else [])))
        async with self._db.read() as connection:
            names = {name for name, _ in wanted.values} | {chart.device for chart in wanted.charts}
            devices = await _devices(connection, member, place, device, names)
            values = await _values(connection, member, wanted, devices, now_us)
            charts = {
                chart: await _chart(connection, member, devices[chart.device], chart, now_us)
                for chart in wanted.charts
                if chart.device in devices
            }
        assets = {one: await self._asset(member, place, one, now_us) for one in wanted.assets}
        notes += [f"There is no device {name!r} at {place.slug}." for name in sorted(names - set(devices) - {SELF})]
        if place.stale(now_us):
            notes.append(f"{place.name} is away: its readings are those that it told last.")
        given = Given(
            now_us=now_us,
            zone=place.timezone,
            site=place.name,
            device="" if device is None else device.id,
            device_name="" if device is None else _name(device),
            values=values,
            charts=charts,
            assets={one: said for one, said in assets.items() if said is not None},
        )
        return Gathered(given, tuple(notes))

    async def _asset(self, member: Member, place: Place, wanted: AssetWanted, now_us: int) -> AssetSaid | None:
        """What is asked of one; None where there is no such asset."""
        async with self._db.read() as connection:
            try:
                view = asset_view(await find_asset(connection, member, wanted.asset, place.slug), now_us)
            except (NotFound, Conflict):
                return None
            rules = await rules_of(connection, member, [place])
        since_us = None if view.since is None else told_us(view.since)
        said = AssetSaid(state=view.state, since_us=since_us, name=view.name)
        if wanted.show == "state":
            return said
        holds = site_rules(rules[place.slug], zone_named(rules[place.slug].timezone))
        question = question_over(wanted.over, holds, now_us)
        if question is None:
            return said
        about = scope([chosen(view, {place.slug: place})], rules, now_us)
        (row,) = await availability(CentreBands(self._db, member.tenant_id), about, question)
        return msgspec.structs.replace(said, figure=figure(row, wanted.show), coverage=row.coverage)


async def _devices(
    connection: AsyncConnection, member: Member, place: Place, own: Found | None, names: set[str]
) -> dict[str, Found]:
    """The devices that a layout names, by what it calls them; those that are not there are left out."""
    found_there = {} if own is None else {SELF: own}
    for name in names - {SELF}:
        try:
            found_there[name] = await find_device(connection, member, name, place.slug)
        except (NotFound, Conflict):
            continue
    return found_there


async def _values(
    connection: AsyncConnection, member: Member, wanted: Wanted, devices: dict[str, Found], now_us: int
) -> dict[tuple[str, str], Datum]:
    """The newest values; one whose age nobody can tell is left out, and drawn as a dash."""
    values = {}
    for named, device in devices.items():
        keys = {key for name, key in wanted.values if name == named}
        site = device.place.slug
        rows = await state_store.states(connection, member, "latest", site=site, device=device.id, limit=1)
        for view in latest_views(found(rows[0], member), now_us) if rows and keys else []:
            if view.key in keys and view.age_s is not None:
                values[named, view.key] = Datum(view.value, now_us - int(view.age_s * SECOND_US))
    return values


async def _chart(
    connection: AsyncConnection, member: Member, device: Found, wanted: ChartWanted, now_us: int
) -> tuple[tuple[int, float | None], ...]:
    """The means of as many times as a panel has columns."""
    length_us = wanted.hours * HOUR_US
    ask = Ask(
        tenant_id=member.tenant_id,
        site_id=device.place.site_id,
        timezone=device.place.timezone,
        device=device.id,
        key=wanted.key,
        from_us=now_us - length_us,
        to_us=now_us,
        bucket_s=chart_width_s(length_us, POINTS),
        limit=2 * POINTS,
    )
    points = (await page(connection, ask)).points
    return tuple((one.at_us, float(one.value)) for one in points if isinstance(one.value, float | int))


class _Named(msgspec.Struct):
    name: str = ""


def _name(device: Found) -> str:
    try:
        return msgspec.json.decode(device.view, type=_Named).name or device.id
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return device.id

"""What hubs tell of firmware as it is at this moment: how far their devices are, and what they fetch from here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.fleet import state_store
from cloud.fleet.lookup import Found, found
from cloud.fleet.views import plain
from cloud.sync.plain_json import NotPlain, decoded, one_line
from edge.errors import NotFound
from edge.wire.updates import REASON_CHARS, FetchSeen, FirmwareSeen

FIRMWARE, FETCHING = "firmware", "fetching"  # kinds of states
ROWS_MAX = 50_000
T = TypeVar("T", bound=msgspec.Struct)


class Seen(msgspec.Struct, frozen=True):
    """By site and device what it does, by site what is fetched there."""

    devices: dict[tuple[int, str], FirmwareSeen]
    fetching: dict[int, FetchSeen]


async def of_sites(connection: AsyncConnection, member: Member, rollout: str) -> Seen:
    """What hubs tell of a rollout's devices, within a caller's reach; what cannot be read is left out."""
    devices: dict[tuple[int, str], FirmwareSeen] = {}
    for row in await state_store.states(connection, member, FIRMWARE, limit=ROWS_MAX, wanted=rollout):
        one = _read(row["view"], FirmwareSeen)
        if one is not None and one.rollout == rollout:
            devices[row["site_id"], row["id"]] = msgspec.structs.replace(
                one, reason=one_line(one.reason, REASON_CHARS)
            )
    fetching: dict[int, FetchSeen] = {}
    for row in await state_store.states(connection, member, FETCHING, limit=ROWS_MAX):
        fetch = _read(row["view"], FetchSeen)
        if fetch is not None:
            fetching[row["site_id"]] = msgspec.structs.replace(fetch, problem=one_line(fetch.problem, REASON_CHARS))
    return Seen(devices, fetching)


async def of_device(
    connection: AsyncConnection, member: Member, device: Found
) -> tuple[Found, FirmwareSeen] | None:
    """What a device runs and does; None where its hub never told."""
    rows = await state_store.states(connection, member, FIRMWARE, site=device.place.slug, device=device.id, limit=1)
    for row in rows:
        seen = _read(row["view"], FirmwareSeen)
        if seen is not None:
            return found(row, member), seen
    return None


async def everything(connection: AsyncConnection, member: Member, site: str) -> Sequence[tuple[str, FirmwareSeen]]:
    """What every device says that it runs, with the slug of its site."""
    rows = await state_store.states(connection, member, FIRMWARE, site=site, limit=ROWS_MAX)
    return [(row["slug"], seen) for row in rows if (seen := _read(row["view"], FirmwareSeen)) is not None]


class SiteFirmwareSeen(FirmwareSeen, frozen=True, kw_only=True):
    """The same with where it is."""

    site: str
    as_of: str
    stale: bool


def firmware_seen(found: Found, now_us: int) -> SiteFirmwareSeen:
    """What a hub told of a device's firmware. Raises NotFound for what this version cannot read."""
    try:
        return msgspec.convert(plain(found, now_us), SiteFirmwareSeen)
    except (msgspec.ValidationError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise NotFound(f"What the hub told of it cannot be read: {error}.", hint="Update the hub.") from error


def _read(view: str, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(decoded(view), kind)
    except (NotPlain, msgspec.ValidationError, ValueError, TypeError, OverflowError, RecursionError):
        return None

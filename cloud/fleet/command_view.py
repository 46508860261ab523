"""A command as /v1 of the centre shows it: with where it is, and honestly what it waits for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from cloud.fleet.command_model import CENTRE, SITE, Command
from cloud.fleet.lookup import Place
from edge.clock import iso
from edge.wire.centre import SiteCommand
from edge.wire.commands import OPEN, State
from edge.wire.views import AttemptView

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def command_view(command: Command, place: Place, now_us: int) -> SiteCommand:
    """`command`, of the site `place`."""
    open_ = command.state in OPEN
    return SiteCommand(
        id=command.id,
        device=command.device,
        kind=command.kind,
        state=State(command.state),
        actor=command.actor,
        agent=command.agent or None,
        created_at=iso(command.created_us),
        expires_in_s=round(max(0, command.expires_us - now_us) / 1e6, 3) if open_ else None,
        ended_at=iso(command.ended_us) if command.ended_us else None,
        attempts=command.attempts,
        reason=standing(command, place, now_us),
        resolved_by=command.resolved_by,
        duration_s=command.duration_s,
        seq=command.seq,
        args=_decode(command.args),
        site=place.slug,
        where=command.place,
        site_name=place.name,
        timezone=place.timezone,
    )


def standing(command: Command, place: Place, now_us: int) -> str:
    """Why it is as it is; of one that waits, for what and for how long still."""
    if command.state in OPEN and place.state == "revoked":
        return f"The site {place.name} was revoked while its hub had this: what becomes of it is not heard here."
    if command.state != State.QUEUED or command.place == SITE:
        return command.reason
    away = place.stale(now_us)
    if command.place == CENTRE:
        left = f"it waits {max(0, round((command.expires_us - now_us) / 1e6))} s more."
        return f"{away_since(place, now_us)}; {left}" if away else "It is on its way to its site."
    if away:
        return f"It was handed to the site and not confirmed. {away_since(place, now_us)}."
    return "It was handed to the site, which has not confirmed it yet."


def away_since(place: Place, now_us: int) -> str:
    """That no hub speaks for the site, and since when, without a full stop."""
    if not place.seen_us:
        return f"The site {place.name} has no hub yet"
    return f"The site {place.name} has been away since {_local(place.seen_us, place.timezone, now_us)}"


def attempt_views(command: Command) -> list[AttemptView]:
    """Each try at it, in order."""
    return [
        AttemptView(
            attempt=each.attempt,
            link=each.link,
            at=iso(each.at_us),
            verdict=each.verdict,
            reason=each.reason,
            duration_s=each.duration_s,
        )
        for each in command.attempted()
    ]


def _local(at_us: int, timezone: str, now_us: int) -> str:
    """A time as people at the site say it, with the date when it was not today."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    at, now = (datetime.fromtimestamp(us / 1e6, UTC).astimezone(zone) for us in (at_us, now_us))
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%d %b, %H:%M}"

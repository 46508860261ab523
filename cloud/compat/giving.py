"""What the older apps share at the centre: a command given and heard of, and what is said then."""

from __future__ import annotations

import msgspec

from cloud.accounts.member import Member
from cloud.fleet.asking import Asking
from cloud.fleet.command_intake import Wanted
from cloud.fleet.command_view import away_since, standing
from cloud.fleet.commands import Commands, Kept
from cloud.fleet.lookup import Found, Place
from edge.clock import Clock


class Given(msgspec.Struct, frozen=True):
    """A command that was taken on here. `waits`: why its hub has not said that it has it, '' when it has."""

    kept: Kept
    waits: str = ""


class Giving:
    """Gives commands and waits for the hub's word."""

    def __init__(self, commands: Commands, asking: Asking, clock: Clock) -> None:
        self._commands, self.asking, self._clock = commands, asking, clock

    async def give(self, member: Member, device: Found, wanted: Wanted) -> Given:
        """Take it on and hear whether its hub does. Raises what either says against it."""
        kept = await self._commands.give(member, device, wanted)
        if await self.asking.hear(kept.place, kept.command.id) is not None:
            return Given(kept)
        kept = await self._commands.get(member, kept.command.id, kept.place.slug)
        return Given(kept, standing(kept.command, kept.place, self._clock.now().at_us) or "Its hub has it.")

    def away(self, place: Place) -> str:
        """The sentence that a site's hub is away, '' when it is not."""
        now_us = self._clock.now().at_us
        return away_since(place, now_us) if place.stale(now_us) else ""

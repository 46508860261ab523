"""Giving a reason to a stop, which is named by its asset and when it began."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from edge.assets.answers import stops
from edge.assets.answers.asking import Bands, Chosen, Scope
from edge.assets.answers.windows import site_rules
from edge.assets.defined.definitions import Assets
from edge.assets.defined.wirings import Definition
from edge.assets.model import SECOND_US
from edge.clock import Clock
from edge.errors import NotFound
from edge.store.transaction import Within, nothing
from edge.wire.assets import GiveReason, StopView

STOP_DIGITS = 18  # microseconds of any time there is


class StopReasons:
    """What people say of stops of this hub's assets. `bands` knows the stops."""

    def __init__(self, assets: Assets, bands: Bands[str], clock: Clock, zone: ZoneInfo) -> None:
        self._assets, self._bands, self._clock, self._zone = assets, bands, clock, zone

    async def give(
        self, asset: Definition, stop: str, wanted: GiveReason, *, actor: str, within: Within = nothing
    ) -> StopView:
        """Say a reason of a stop, as long as it is by now; returns the stop with it.

        Raises NotFound where no stop of the asset began at that moment or there is no such reason, Rejected for a
        retired one, BadInput.
        """
        began_us, now_us = began(stop), self._clock.now().at_us
        found = await stops.whole(self._bands, {asset.id: began_us})
        if not found:
            raise _no_stop(asset, stop)
        span = stops.span_of(found[0], now_us)
        await self._assets.explain(asset.id, span, wanted.reason, wanted.note, actor=actor, within=within)
        rules = site_rules(self._assets.rules(), self._zone)
        scope = Scope(chosen=[chosen(asset)], rules={"": rules}, now_us=self._clock.now().at_us)
        view = await stops.stop(self._bands, scope, asset.id, began_us)
        if view is None:
            raise _no_stop(asset, stop)
        return view


def chosen(one: Definition) -> Chosen[str]:
    """An asset as questions name it."""
    return Chosen(
        key=one.id,
        id=one.id,
        name=one.name,
        line=one.line,
        device=one.wired.device,
        short_us=round(one.asset.short_stop_s * SECOND_US),
    )


def began(stop: str) -> int:
    """When a stop began, by its id. Raises NotFound for what is no id of one."""
    if not (stop.isascii() and stop.isdecimal() and len(stop) <= STOP_DIGITS):
        raise NotFound(f"There is no stop {stop[:STOP_DIGITS]!r}.", hint="`outpost asset stops` lists them.")
    return int(stop)


def _no_stop(asset: Definition, stop: str) -> NotFound:
    return NotFound(
        f"No stop of {asset.name} began at {stop}.",
        hint="A late reading may have moved it: `outpost asset stops` lists them as they are now.",
    )

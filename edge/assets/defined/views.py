"""How each asset stands now, as the API and head office are shown it."""

from __future__ import annotations

from typing import Protocol

from edge.assets.defined.definitions import Assets
from edge.assets.defined.wirings import Definition
from edge.assets.following.following import Standing
from edge.assets.model import SECOND_US, State
from edge.clock import Clock, iso
from edge.wire.assets import AssetView, WiringView

EVIDENCE_LATE_S = 30.0  # signs of life that are news to nobody are told to head office so late


class Standings(Protocol):
    """Who follows what loggers say."""

    def standing(self, asset_id: str) -> Standing:
        """How an asset stands."""


class AssetViews:
    """Draws assets."""

    def __init__(self, assets: Assets, standings: Standings, clock: Clock) -> None:
        self._assets, self._standings, self._clock = assets, standings, clock
        self._told_us: dict[str, int] = {}  # by asset: the evidence that head office was told of last

    async def view(self, one: Definition) -> AssetView:
        """An asset as it is at this moment."""
        standing, now_us = self._standings.standing(one.id), self._clock.now().at_us
        evidence_us = standing.evidence_us
        age_s = None if evidence_us is None else max(0, now_us - evidence_us) / SECOND_US
        return await self._view(one, standing, evidence_us, age_s)

    async def view_afar(self, one: Definition) -> AssetView:
        """The same for head office, which has its own idea of now: without an age, and each sign of life is not
        news by itself."""
        standing = self._standings.standing(one.id)
        return await self._view(one, standing, self._news_us(one, standing), None)

    def _news_us(self, one: Definition, standing: Standing) -> int | None:
        """When the last evidence was, some seconds late where nothing else has happened."""
        evidence_us, told_us = standing.evidence_us, self._told_us.get(one.id)
        if evidence_us is None:
            return None
        late_us = min(EVIDENCE_LATE_S, one.asset.silent_s / 2) * SECOND_US
        is_news = told_us is None or not 0 <= evidence_us - told_us < late_us
        changed_us = 0 if standing.band is None else standing.band.at_us
        if told_us is None or is_news or changed_us > told_us:
            told_us = self._told_us[one.id] = evidence_us
        return told_us

    async def _view(
        self, one: Definition, standing: Standing, evidence_us: int | None, age_s: float | None
    ) -> AssetView:
        band = standing.band
        stop_us = band.began_us if band is not None and not band.ends_stop else 0
        stopped = stop_us, max(self._clock.now().at_us, stop_us + 1)
        return AssetView(
            id=one.id,
            name=one.name,
            line=one.line,
            device=one.wired.device,
            input=one.wired.input,
            inverted=one.wired.inverted,
            short_stop_s=one.asset.short_stop_s,
            silent_s=one.asset.silent_s,
            state=State.UNKNOWN.word if band is None or standing.chatter or one.removed else band.state.word,
            since=None if band is None else iso(band.at_us),
            evidence_at=None if evidence_us is None else iso(evidence_us),
            age_s=age_s,
            stop=str(stop_us) if stop_us else None,
            reason=await self._assets.reason_of(one.id, stopped) if stop_us else "",
            named=one.named,
            chatter=standing.chatter,
            removed=one.removed,
            wirings=[
                WiringView(
                    at=iso(wiring.from_us), device=wiring.device, input=wiring.input, inverted=wiring.inverted
                )
                for wiring in one.asset.wirings
            ],
        )

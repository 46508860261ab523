"""What screens are filled with, asked of readings and assets: the two meet what panels show here."""

from __future__ import annotations

from edge.assets.answers.asking import Scope, availability
from edge.assets.answers.on_panels import figure, question_over
from edge.assets.answers.windows import site_rules
from edge.assets.defined.reasons import chosen
from edge.clock import Clock
from edge.content.render.scene import AssetSaid, AssetWanted
from edge.content.showing.gathering import Newest, Points
from edge.errors import Conflict, NotFound
from edge.parts.assets import AssetsPart
from edge.parts.part import Core
from edge.serving.buckets import chart_width_s
from edge.telemetry.telemetry import Telemetry

POINTS = 720  # about a pixel of a panel each; more would be drawn over one another


class PanelReadings:
    """Telemetry, as gathering.Readings."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry, self._clock = telemetry, clock

    def newest(self, device_id: str, key: str) -> Newest | None:
        """The newest value of a key. A time by a clock that was set says nothing while this one is not."""
        latest, now = self._telemetry.latest(device_id).get(key), self._clock.now()
        if latest is None:
            return None
        unknown = latest.quality.good and not now.quality.good
        return Newest(latest.value, None if unknown else self._telemetry.age_s(latest, now))

    async def series(self, device_id: str, key: str, from_us: int, to_us: int) -> Points:
        """The means of as many times as a panel has columns; where they are long, of whole hours."""
        page = await self._telemetry.history(
            device_id, key, from_us, to_us, chart_width_s(to_us - from_us, POINTS), 2 * POINTS
        )
        return [(one.at_us, one.value) for one in page.points if isinstance(one.value, float | int)]


class PanelMachines:
    """Assets, as gathering.Machines: by the one definition of their figures (edge/assets)."""

    def __init__(self, core: Core, assets: AssetsPart) -> None:
        self._core, self._assets = core, assets

    async def said(self, wanted: AssetWanted, now_us: int) -> AssetSaid | None:
        """What is asked of one; None where there is no such asset."""
        try:
            one = self._assets.assets.get(wanted.asset)
        except (NotFound, Conflict):
            return None
        view = await self._assets.views.view(one)
        standing = self._assets.watch.standing(one.id)
        since_us = standing.band.at_us if standing.band is not None else None
        said = AssetSaid(state=view.state, since_us=since_us, name=one.name)
        if wanted.show == "state":
            return said
        rules = site_rules(self._assets.assets.rules(), self._core.zone)
        question = question_over(wanted.over, rules, now_us)
        if question is None:
            return said
        scope = Scope(chosen=[chosen(one)], rules={"": rules}, now_us=now_us)
        (row,) = await availability(self._assets.bands, scope, question)
        return AssetSaid(
            state=view.state,
            since_us=since_us,
            name=one.name,
            figure=figure(row, wanted.show),
            coverage=row.coverage,
        )

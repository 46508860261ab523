"""Assets: how machines are defined, followed by what loggers say, and asked about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Mapping

import msgspec

from edge.assets.defined.definitions import Assets
from edge.assets.defined.orders import AssetOrders
from edge.assets.defined.reasons import StopReasons
from edge.assets.defined.views import AssetViews
from edge.assets.events import AssetChanged, AssetDefined, StopExplained
from edge.assets.following.band_queries_store import HubBands
from edge.assets.following.inputs import NewInputs
from edge.assets.following.keeping import Keeping
from edge.assets.following.roster import Roster
from edge.assets.following.watch import Watch
from edge.assets.history.importing import Importing
from edge.assets.model import State
from edge.assets.routes.definition_routes import AssetRoutes
from edge.assets.routes.import_routes import ImportRoutes
from edge.assets.routes.question_routes import QuestionRoutes
from edge.assets.routes.rule_routes import RuleRoutes
from edge.bus import Event
from edge.devices.model import DeviceState
from edge.parts.asset_past import PastReadings
from edge.parts.asset_readings import AssetReadings, Loggers
from edge.parts.part import Core, Part
from edge.parts.telemetry import TelemetryPart
from edge.serving.metrics import Sample
from edge.serving.routing import Route
from edge.wire.views import LiveEvent

CUT_OFF_NAMED = 5  # of machines whose logger was forgotten, in the one sentence about them


class AssetsPart(Part):
    """Built by the hub. `assets` defines them, `watch` follows them, `bands` answers, `views` shows them."""

    def __init__(self, core: Core, telemetry: TelemetryPart) -> None:
        self._core, self._telemetry = core, telemetry
        readings, clock, registry = core.store.readings, core.clock, core.registry
        self.assets = Assets(core.store.hub, core.bus, clock, registry, core.zone)
        self._keeping = Keeping(readings, AssetReadings(telemetry.telemetry.series))
        loggers = Loggers(registry, telemetry.telemetry)
        self.watch = Watch(
            self._keeping,
            core.bus,
            clock,
            Roster(self.assets, core.zone),
            NewInputs(self.assets, loggers.may_be_input, loggers.known),
            keep_days=core.settings.history.rollups_days,
        )
        self.bands = HubBands(readings, self.assets)
        self.views = AssetViews(self.assets, self.watch, clock)
        self.reasons = StopReasons(self.assets, self.bands, clock, core.zone)
        self.orders = AssetOrders(self.assets, self.reasons)
        past = PastReadings(telemetry.telemetry, lambda: self._keeping.floor_us)
        self.importing = Importing(self.assets, registry, past, clock)
        telemetry.telemetry.follow_with(self.watch.hear)
        telemetry.redating.tell(self.watch.readings_moved)

    def routes(self) -> list[Route]:
        """Assets, the site's rules, and answers."""
        core = self._core
        return [
            *AssetRoutes(self.assets, self.views, self.reasons, core.registry).all(),
            *RuleRoutes(self.assets).all(),
            *QuestionRoutes(self.assets, self.bands, core.clock, core.zone, self._names).all(),
            *ImportRoutes(self.importing).all(),
        ]

    async def start(self) -> None:
        """Load definitions, and work out what follows from all that was heard, so that nothing stale is shown."""
        await self.assets.start()
        await self.watch.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Keeping up with what loggers say."""
        return {"assets": self.watch.run}

    def samples(self) -> list[Sample]:
        """How machines stand, and whether that is up to date."""
        gauge, watch = "gauge", self.watch
        standings = [watch.standing(one.id) for one in self.assets.all()]
        states = Counter(State.UNKNOWN if one.band is None or one.chatter else one.band.state for one in standings)
        by_state: dict[str, float] = {f'{{state="{state.word}"}}': states[state] for state in State}
        return [
            Sample("assets", gauge, "Machines that are watched, by how they stand.", by_state),
            Sample("asset_bands_made_total", "counter", "States of machines written.", {"": self._keeping.made}),
            Sample(
                "asset_lag_seconds",
                gauge,
                "How old the oldest reading is whose consequences are not worked out.",
                {"": watch.lag_s()},
            ),
        ]

    def problems(self) -> list[str]:
        """Figures that are not what they should be, and machines that nothing tells of."""
        return [*self.watch.problems(), *self._cut_off()]

    def _cut_off(self) -> list[str]:
        """Machines that people named, wired to a logger that was forgotten: nothing tells of them."""
        registry = self._core.registry
        cut = [
            (one, registry.known(one.wired.device))
            for one in self.assets.all()
            if one.named and one.wired.device and registry.known(one.wired.device).state is DeviceState.FORGOTTEN
        ]
        if not cut:
            return []
        named = ", ".join(f"{one.name} ({one.wired.input} of {device.name})" for one, device in cut[:CUT_OFF_NAMED])
        more = f" and {len(cut) - CUT_OFF_NAMED} more" if len(cut) > CUT_OFF_NAMED else ""
        first = cut[0][0]
        return [
            f"Wired to a logger that was forgotten, so nothing tells of them: {named}{more}. Wire each to the"
            f" logger that is there now, e.g. `outpost asset wire {first.id} LOGGER {first.wired.input}`, or"
            " remove it."
        ]

    async def translate(self, event: Event) -> LiveEvent | None:
        """An asset as it is now."""
        if not isinstance(event, AssetChanged | AssetDefined | StopExplained):
            return None
        found = self.assets.find(event.asset_id)
        if found is None:
            return None
        return LiveEvent(topic="asset", data=msgspec.to_builtins(await self.views.view(found)))

    async def stop(self) -> None:
        """Keep how far all is worked out."""
        await self.watch.save()

    def _names(self) -> Mapping[str, str]:
        return {device.id: device.name for device in self._core.registry.all()}

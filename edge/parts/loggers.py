"""The older asset loggers: what they say becomes readings, and their inputs become assets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence

from aiohttp import web

from edge.assets.model import State
from edge.compat.assets.facade import OldLoggers
from edge.devices.model import Device
from edge.parts.assets import AssetsPart
from edge.parts.part import Core, Part
from edge.parts.telemetry import TelemetryPart

SILENT_S = 100.0  # of an asset that an old logger tells of: three of its heartbeats, and a slow answer
WIRED_S = 1.0  # how late a new wiring may be seen: it is asked for often, and there may be thousands


class LoggersPart(Part):
    """Built by the hub. `register` answers a logger at the path that it shares with the payment displays."""

    def __init__(self, core: Core, telemetry: TelemetryPart, assets: AssetsPart) -> None:
        self._assets, self._watch, self._clock = assets.assets, assets.watch, core.clock
        self._wirings: Mapping[str, list[str]] = {}
        self._looked_s = -WIRED_S
        self.old = OldLoggers(
            gate=core.guard,
            knocks=core.knocking,
            clock=core.clock,
            registry=core.registry,
            presences=core.presences,
            device_log=core.device_log,
            readings=telemetry.telemetry,
            wired=self._wired,
            unknown=self._unknown,
            ensure=self._ensure,
            body_s=core.settings.limits.body_s,
        )
        self.register = self.old.devices.register

    def legacy(self) -> list[web.RouteDef]:
        """The older loggers' paths."""
        return self.old.routes()

    async def start(self) -> None:
        """Go on where the hub stopped."""
        await self.old.devices.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """What follows from what they do not say."""
        return {"old-loggers": self.old.devices.run}

    def problems(self) -> list[str]:
        """Two loggers with one id, inputs that chatter."""
        return self.old.devices.problems()

    async def forget(self, device: Device, actor: str) -> None:
        """It is not followed any more."""
        self.old.devices.forget(device.id)

    def _wired(self, device_id: str) -> Sequence[str]:
        now_s = self._clock.mono_s()
        if now_s - self._looked_s >= WIRED_S:
            self._looked_s, wirings = now_s, defaultdict(list)
            for asset in self._assets.all():
                wirings[asset.wired.device].append(asset.wired.input)
            self._wirings = wirings
        return self._wirings.get(device_id, ())

    def _unknown(self, device_id: str) -> list[str]:
        return [
            asset.wired.input
            for asset in self._assets.of_device(device_id)
            if not asset.removed and asset.wired.device == device_id and self._is_unknown(asset.id)
        ]

    def _is_unknown(self, asset_id: str) -> bool:
        band = self._watch.standing(asset_id).band
        return band is None or band.state is State.UNKNOWN

    async def _ensure(self, device_id: str, input: str) -> None:
        await self._assets.ensure(device_id, input, silent_s=SILENT_S)

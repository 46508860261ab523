"""Boards being flashed over USB or given their WiFi, and what there is to give them, as last told."""

from __future__ import annotations

from edge.wire.flashing import BoardImageView, FlashState, FlashView
from edge.wire.provision import NearbyBoard, NetworkView, ProvisionView
from tui.clock import Clock

MOST_JOBS = 100  # of each kind; the hub keeps fewer
CABLE, AIR, PORTAL = "cable", "ble", "portal"


class Boards:
    """Jobs by id, MicroPythons by id, boards that offer themselves over Bluetooth."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.images: dict[str, BoardImageView] = {}
        self.nearby: list[NearbyBoard] = []
        self.no_bluetooth = ""  # why boards nearby cannot be heard; '' while they can
        self._heard_at_s = 0.0
        self._flashing: dict[str, FlashView] = {}
        self._setups: dict[str, ProvisionView] = {}

    # Over USB

    def flashing(self) -> list[FlashView]:
        """Jobs at the ports, the newest first."""
        return sorted(self._flashing.values(), key=lambda it: (it.started_at, it.id), reverse=True)

    def job_at(self, path: str) -> FlashView | None:
        """What is done at a port, or was done there last."""
        return next((job for job in self.flashing() if job.path == path), None)

    def put_images(self, views: list[BoardImageView]) -> None:
        """The whole list."""
        self.images = {view.id: view for view in views}

    def put_flashing(self, views: list[FlashView]) -> None:
        """The whole list."""
        self._flashing = {view.id: view for view in views}

    def put_flash(self, view: FlashView) -> None:
        """One job as it is now."""
        known = self._flashing.get(view.id)
        if known is not None and known.state is not FlashState.RUNNING and view.state is FlashState.RUNNING:
            return  # an answer overtaken by the news that it has ended
        self._flashing[view.id] = view
        for old in self.flashing()[MOST_JOBS:]:
            del self._flashing[old.id]

    # Given their WiFi

    def setups(self) -> list[ProvisionView]:
        """The newest first."""
        return sorted(self._setups.values(), key=lambda it: (it.started_at, it.id), reverse=True)

    def setups_of(self, place: str) -> list[ProvisionView]:
        """Those of one place, the newest first."""
        return [view for view in self.setups() if place_of(view) == place]

    def setup(self, id: str) -> ProvisionView | None:
        """One of them."""
        return self._setups.get(id)

    def networks_of(self, place: str) -> list[NetworkView]:
        """Which WiFi the board there heard when it was asked last, the strongest first, each name once."""
        heard = next((view.networks for view in self.setups_of(place) if view.networks), [])
        heard = [network for network in heard if network.ssid]
        strongest = sorted(heard, key=lambda it: -(it.rssi if it.rssi is not None else -999))
        once: dict[str, NetworkView] = {}
        for network in strongest:
            once.setdefault(network.ssid, network)
        return list(once.values())

    def put_setups(self, views: list[ProvisionView]) -> None:
        """The whole list."""
        self._setups = {view.id: view for view in views}

    def put_setup(self, view: ProvisionView) -> None:
        """One as it is now."""
        known = self._setups.get(view.id)
        if known is not None and known.state != "running" and view.state == "running":
            return  # an answer overtaken by the news that it has ended
        self._setups[view.id] = view
        for old in self.setups()[MOST_JOBS:]:
            del self._setups[old.id]

    # Over Bluetooth

    def put_nearby(self, views: list[NearbyBoard], why_not: str = "") -> None:
        """The whole list, or why there is none."""
        self.nearby, self.no_bluetooth, self._heard_at_s = views, why_not, self._clock.mono_s()

    def heard_s(self, board: NearbyBoard) -> float:
        """Seconds since a board was heard, counted on without asking."""
        return board.age_s + self._clock.mono_s() - self._heard_at_s


def place_of(view: ProvisionView) -> str:
    """Where a board is set up: at a port whichever way, at an address, or by its page."""
    if view.way == PORTAL:
        return PORTAL
    return f"{AIR if view.way == AIR else CABLE}:{view.where}"

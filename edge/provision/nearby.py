"""Boards nearby that offer to be set up over BLE, as their advertisements say."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

import msgspec

from edge.clock import Clock
from edge.links.ble.bluez import Advert
from edge.wire import improv
from edge.wire.improv import BoardState, Capability, Offer
from edge.wire.provision import NearbyBoard

BOARDS_MAX = 64  # a bench full; past it the one not heard for the longest is forgotten
STALE_S = 120.0  # a board that has gone is not offered any more

NearbyState = Literal["needs-authorization", "ready", "provisioning", "provisioned", "stopped", "unknown"]

STATES: dict[int, NearbyState] = {
    BoardState.STOPPED: "stopped",
    BoardState.NEEDS_AUTHORIZATION: "needs-authorization",
    BoardState.READY: "ready",
    BoardState.PROVISIONING: "provisioning",
    BoardState.PROVISIONED: "provisioned",
}
CAN = {Capability.IDENTIFY: "identify", Capability.DEVICE_INFO: "info", Capability.SCAN: "scan"}


class _Board(msgspec.Struct):
    name: str
    offer: Offer
    rssi: int
    heard_s: float


class Nearby:
    """Those heard in the last minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._boards: OrderedDict[str, _Board] = OrderedDict()

    def hear(self, advert: Advert) -> None:
        """Take an advertisement; those of other things are passed over."""
        data = advert.service_data.get(improv.ADVERTISED)
        offer = improv.read_offer(data) if data is not None else None
        if offer is None:
            return
        before = self._boards.pop(advert.address, None)
        name = "".join(char for char in advert.name if char.isprintable())
        self._boards[advert.address] = _Board(
            name or (before.name if before is not None else ""), offer, advert.rssi, self._clock.mono_s()
        )
        while len(self._boards) > BOARDS_MAX:
            self._boards.popitem(last=False)

    def views(self) -> list[NearbyBoard]:
        """The nearest first, by how strong they are heard."""
        now_s = self._clock.mono_s()
        for address in [key for key, board in self._boards.items() if now_s - board.heard_s > STALE_S]:
            del self._boards[address]
        found = [_view(address, board, now_s) for address, board in self._boards.items()]
        return sorted(found, key=lambda board: (-board.rssi, board.address))


def _view(address: str, board: _Board, now_s: float) -> NearbyBoard:
    can = [word for capability, word in CAN.items() if capability in board.offer.capabilities]
    return NearbyBoard(
        address=address,
        name=board.name,
        state=STATES.get(board.offer.state, "unknown"),
        can=can,
        rssi=board.rssi,
        age_s=round(now_s - board.heard_s, 1),
    )

"""Which devices are there over the network, by their last request. Each has a mailbox, and while there a link."""

from __future__ import annotations

import asyncio

from edge.clock import Clock
from edge.commands.commands import Commands
from edge.commands.dispatch import Dispatcher
from edge.commands.model import Command, kind_of
from edge.devices.model import PROFILES
from edge.devices.presence import Presences
from edge.links.longpoll import Mailbox, Pace
from edge.wire.field import POLL_WAIT_S
from edge.wire.kinds import DISPLAY

SILENCE_S = PROFILES["native"].silence_s
SWEEP_S = 1.0


class WifiLinks:
    """Every device's mailbox, and who is up."""

    def __init__(self, dispatcher: Dispatcher, commands: Commands, presences: Presences, clock: Clock) -> None:
        self._dispatcher, self._commands, self._presences, self._clock = dispatcher, commands, presences, clock
        self._mailboxes: dict[str, Mailbox] = {}
        self._heard_s: dict[str, float] = {}  # of those that are up
        self._addresses: dict[str, str] = {}
        self._pace = Pace(POLL_WAIT_S)
        self._closed = False

    def mailbox(self, device_id: str) -> Mailbox:
        """One device's, for as long as the hub runs: a result may come after its link was given up."""
        mailbox = self._mailboxes.get(device_id)
        if mailbox is None:
            mailbox = self._mailboxes[device_id] = Mailbox()
        return mailbox

    def heard(self, device_id: str, address: str, how: str) -> None:
        """A request of this device was verified: it is there."""
        self._presences.seen(device_id, how)
        new = device_id not in self._heard_s
        self._heard_s[device_id] = self._clock.mono_s()
        if new or self._addresses[device_id] != address:
            self._up(device_id, address)

    def look(self, device_id: str) -> None:
        """Something about the device has changed: a held poll looks at it."""
        if device_id in self._heard_s:
            self._mailboxes[device_id].release()

    def close(self) -> None:
        """No poll is held any more."""
        self._closed = True
        for mailbox in self._mailboxes.values():
            mailbox.release()

    def hold_s(self, device_id: str, asked_s: float) -> float:
        """How long a device's poll is held: as long as it asks, or as an order on its way needs."""
        return 0.0 if self._closed else self._pace.hold_s(asked_s, expecting=self._expects(device_id))

    def lose(self, device_id: str) -> None:
        """It is not there any more."""
        if self._heard_s.pop(device_id, None) is not None:
            self._dispatcher.down(device_id, self._mailboxes[device_id])
            self._mailboxes[device_id].release()

    async def sweep_for_ever(self) -> None:
        """Give up those that have fallen silent, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = self._clock.mono_s()
            for device_id in [key for key, heard_s in self._heard_s.items() if now_s - heard_s > SILENCE_S]:
                self.lose(device_id)

    @property
    def up(self) -> int:
        """How many are there."""
        return len(self._heard_s)

    def _expects(self, device_id: str) -> bool:
        """Whether an order is on its way to the device's mailbox; asking makes it hurry."""
        command = self._commands.next_for(device_id)
        if command is not None and goes_over_wifi(command):
            self._dispatcher.wake(device_id)
            return True
        return self.mailbox(device_id).offering

    def _up(self, device_id: str, address: str) -> None:
        mailbox = self.mailbox(device_id)
        self._dispatcher.down(device_id, mailbox)
        self._addresses[device_id] = address
        self._dispatcher.up(
            device_id,
            mailbox,
            f"wifi {address}",
            may_take=lambda command: mailbox.held and goes_over_wifi(command),
        )


def goes_over_wifi(command: Command) -> bool:
    """Whether the network carries it; pictures and what belongs to them go over a cable."""
    return kind_of(command.kind).fits != DISPLAY

"""What old machines on the network were handed at a poll, and what came of it.

A command is handed out once: its intent is on disk before the answer leaves, and from then on only the machine's
confirmation or a person says what happened. The confirmation has no command id; but a machine has one vend under
way, and a slot one unsettled vend, so machine and slot name it.
"""

from __future__ import annotations

import contextlib

import msgspec

from edge.clock import Clock
from edge.commands.commands import Commands
from edge.commands.history import History
from edge.commands.model import Command
from edge.compat.vending.ids import PROFILE
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import Conflict, NotFound
from edge.wire.commands import State
from edge.wire.orders import Outcome, Verdict

CONFIRM_S = 10.0  # for the confirmation, which the sketch sends after 2 s and tries for 10 s at most
LATE_S = 40.0  # past this not even firmware that tries three times sends one; until then it still counts
PATIENCE_S = {"reboot": 60.0}  # for a machine that was told to restart, until it registers anew
TRIES = 20  # commands passed over in one poll because they ended meanwhile or are not for this machine
POLL = "poll "  # how the link of such an attempt begins

NEVER_SAID = "The machine fetched it and never said what became of it."
RESTARTED = "The machine restarted before it said what became of it."
NOT_FETCHED = "The machine had gone before it could be told."
NOT_OVER_WIFI = "Over WiFi this machine understands VEND alone."


class Handed(msgspec.Struct):
    """One command on its way through a machine. `given_up`: it is in doubt, and a late word still settles it.

    `word` is what is known of it while the disk does not take that: it is tried again.
    """

    command_id: str
    device_id: str
    kind: str
    slot: int | None
    address: str
    at_s: float
    given_up: bool = False
    word: Outcome | None = None


class Handout:
    """Everything handed out at polls that may still be answered."""

    def __init__(self, commands: Commands, history: History, registry: Registry, clock: Clock) -> None:
        self._commands, self._history, self._registry, self._clock = commands, history, registry, clock
        self._handed: dict[str, Handed] = {}

    async def start(self) -> None:
        """Remember what was under way when the hub stopped: its confirmation may still come."""
        now = self._clock.now()
        for command in self._commands.open():
            fresh = command.boot_id == now.boot_id and now.mono_ms < command.expires_ms + LATE_S * 1000
            profile = self._registry.known(command.device_id).profile
            if command.state is State.IN_DOUBT and fresh and profile == PROFILE:
                attempts = await self._history.attempts(command.id)
                if attempts and attempts[-1].link.startswith(POLL):
                    self._keep(command, attempts[-1].link.removeprefix(POLL), given_up=True)

    def busy(self, device_id: str) -> bool:
        """Whether the machine was handed something and may be at it."""
        return any(handed.device_id == device_id and not handed.given_up for handed in self._handed.values())

    async def next(self, device: Device, address: str, kinds: frozenset[str]) -> Command | None:
        """The next command for this machine, begun: on disk as sent. None when there is none for it now."""
        for _ in range(TRIES):
            command = self._commands.next_for(device.id)
            if command is None or self._is_held(command):
                return None
            if command.kind not in kinds:
                await self._drop(command)
                continue
            begun = await self._commands.begin(command, POLL + address)
            if begun is not None:
                self._keep(begun, address)
                return begun
        return None

    async def take_back(self, command: Command) -> None:
        """It is certain that no byte of it left: it waits again."""
        handed = self._handed[command.id]
        await self._write_down(handed, Outcome(verdict=Verdict.NOT_SENT, reason=NOT_FETCHED))

    async def confirmed(self, device: Device, slot: int, address: str, outcome: Outcome) -> bool:
        """Take the machine's word about a vend from this slot; False when none of its vends can be meant."""
        for handed in self._of(device.id, "vend"):
            if handed.slot == slot and handed.address == address:
                return await self._write_down(handed, outcome)
        return False

    async def answered(self, device: Device) -> None:
        """The machine has answered STATUS, in whatever form."""
        for handed in self._of(device.id, "machine_status"):
            await self._write_down(handed, Outcome(verdict=Verdict.DONE))

    async def restarted(self, device: Device) -> None:
        """The machine has registered, as it does at its start alone: a vend under way will not be confirmed."""
        for handed in self._of(device.id, "reboot"):
            await self._write_down(handed, Outcome(verdict=Verdict.DONE))
        for handed in self._of(device.id, "vend"):
            if not handed.given_up:
                await self._write_down(handed, Outcome(verdict=Verdict.UNKNOWN, reason=RESTARTED))

    async def settle_lost(self) -> None:
        """Give up what nobody answered: whether a motor turned, nobody can know. Raises StorageError."""
        now_s = self._clock.mono_s()
        for handed in list(self._handed.values()):
            age_s = now_s - handed.at_s
            if handed.word is not None:
                await self._write_down(handed, handed.word)
            elif handed.given_up and age_s >= LATE_S:
                self._handed.pop(handed.command_id, None)
            elif not handed.given_up and age_s >= PATIENCE_S.get(handed.kind, CONFIRM_S):
                await self._write_down(handed, Outcome(verdict=Verdict.UNKNOWN, reason=NEVER_SAID))

    def _keep(self, command: Command, address: str, *, given_up: bool = False) -> None:
        slot = (command.args or {}).get("slot")
        self._handed[command.id] = Handed(
            command.id, command.device_id, command.kind, slot, address, self._clock.mono_s(), given_up
        )

    def _is_held(self, command: Command) -> bool:
        """Whether a late word about an earlier vend from the same slot could be taken for this one's."""
        slot = (command.args or {}).get("slot")
        return any(handed.given_up and handed.slot == slot for handed in self._of(command.device_id, "vend"))

    def _of(self, device_id: str, kind: str) -> list[Handed]:
        return [handed for handed in self._handed.values() if (handed.device_id, handed.kind) == (device_id, kind)]

    async def _write_down(self, handed: Handed, word: Outcome) -> bool:
        """Settle it by this word; False when somebody has settled it otherwise. Raises StorageError, and tries
        again later then.
        """
        handed.word = word
        settled = None
        with contextlib.suppress(Conflict, NotFound):  # a person, or another word, in the same moment
            command = await self._commands.get(handed.command_id)
            if command.state in (State.SENT, State.IN_DOUBT):
                settled = await self._commands.evidence(command, word)
        handed.word = None
        handed.given_up = settled is not None and settled.state is State.IN_DOUBT
        if not handed.given_up:
            self._handed.pop(handed.command_id, None)
        return settled is not None

    async def _drop(self, command: Command) -> None:
        with contextlib.suppress(Conflict):  # it ended in the same moment
            await self._commands.drop(command, NOT_OVER_WIFI)

"""The commands that have not ended, in memory: by device and in order, so that a poll costs no query.

Memory follows each commit before anybody is told. What runs out next stands first in a heap, so that looking for
what has run out costs nothing while nothing has.
"""

from __future__ import annotations

import heapq

from edge.clock import Stamp
from edge.commands.model import Command, remaining_ms
from edge.wire.commands import ENDED, State

HEAP_SLACK = 1000  # entries of commands that have ended, past which the heap is made anew


class OpenCommands:
    """Every open command, those in doubt too. `boot_id` is the present boot's."""

    def __init__(self, boot_id: str) -> None:
        self._boot_id = boot_id
        self._by_device: dict[str, dict[str, Command]] = {}
        self._by_id: dict[str, Command] = {}
        self._expiring: list[tuple[int, int, str]] = []  # (monotonic ms, number, id) of each that was queued
        self._earlier: set[str] = set()  # of earlier boots: their monotonic times mean nothing now

    def keep(self, command: Command) -> None:
        """Take over a command as it is now; one that has ended is dropped."""
        commands = self._by_device.setdefault(command.device_id, {})
        if command.state in ENDED:
            commands.pop(command.id, None)
            self._by_id.pop(command.id, None)
            self._earlier.discard(command.id)
            return
        last = next(reversed(commands.values()), None)
        commands[command.id] = self._by_id[command.id] = command
        if last is not None and last.number > command.number and last.id != command.id:
            self._by_device[command.device_id] = dict(sorted(commands.items(), key=lambda item: item[1].number))
        if command.boot_id != self._boot_id:
            self._earlier.add(command.id)
        elif command.state is State.QUEUED:
            heapq.heappush(self._expiring, (command.expires_ms, command.number, command.id))
            if len(self._expiring) > 2 * len(self._by_id) + HEAP_SLACK:
                self._renew_heap()

    def next_for(self, device_id: str) -> Command | None:
        """The oldest command that waits for this device, None while one is under way."""
        waiting = None
        for command in self._by_device.get(device_id, {}).values():
            if command.state is State.SENT:
                return None
            if waiting is None and command.state is State.QUEUED:
                waiting = command
        return waiting

    def under_way(self, device_id: str) -> Command | None:
        """The command this device was handed and has not answered."""
        return next((c for c in self._by_device.get(device_id, {}).values() if c.state is State.SENT), None)

    def all(self) -> list[Command]:
        """Everything, in order of acceptance."""
        return sorted(self._by_id.values(), key=lambda command: command.number)

    def of(self, device_id: str) -> list[Command]:
        """What has not ended for one device, in order."""
        return list(self._by_device.get(device_id, {}).values())

    def count(self, device_id: str) -> int:
        """How many have not ended for one device."""
        return len(self._by_device.get(device_id, ()))

    def find(self, command_id: str) -> Command | None:
        """One of them."""
        return self._by_id.get(command_id)

    def run_out(self, now: Stamp) -> list[Command]:
        """The queued commands whose time is over; each is named again until it has ended."""
        earlier = [self._by_id[command_id] for command_id in self._earlier]
        out = {c.id: c for c in earlier if c.state is State.QUEUED and remaining_ms(c, now) <= 0}
        due: list[tuple[int, int, str]] = []
        while self._expiring and self._expiring[0][0] <= now.mono_ms:
            entry = heapq.heappop(self._expiring)
            command = self._by_id.get(entry[2])
            if command is not None and command.state is State.QUEUED and command.id not in out:
                out[command.id] = command
                due.append(entry)
        for entry in due:
            heapq.heappush(self._expiring, entry)
        return list(out.values())

    def _renew_heap(self) -> None:
        queued = [command for command in self._by_id.values() if command.state is State.QUEUED]
        queued = [command for command in queued if command.boot_id == self._boot_id]
        self._expiring = [(command.expires_ms, command.number, command.id) for command in queued]
        heapq.heapify(self._expiring)

"""Results of commands that come by a request of their own: on disk before the device is told so."""

from __future__ import annotations

import asyncio

from edge.commands.commands import Commands
from edge.commands.model import Command
from edge.devices.model import Device
from edge.errors import Conflict, StorageError
from edge.links.longpoll import Mailbox
from edge.links.native import outcome_of
from edge.wire.commands import State
from edge.wire.native import Result
from edge.wire.orders import Verdict

SETTLE_S = 10.0  # past it the device sends the result again; a slow card takes one


class Results:
    """Settles commands by what devices say of them."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        commands.follow_with(self._follow)

    def is_news(self, device: Device, result: Result) -> bool:
        """Whether the hub does not know the end of that command: a device tells its last result at every hello."""
        return self._meant(device, result) is not None

    async def take(self, device: Device, result: Result, mailbox: Mailbox) -> None:
        """Take a result; when this returns it is on disk, or was of no use. Raises StorageError: send it again."""
        command = self._meant(device, result)
        if command is None:
            return
        if command.state is State.SENT and mailbox.answered(result):
            await self._settled(command.id)
        else:
            await self._late(command, result)

    def _meant(self, device: Device, result: Result) -> Command | None:
        command = self._commands.find_open(result.id)
        meant = command is not None and (command.device_id, command.seq) == (device.id, result.seq)
        return command if meant else None

    async def _settled(self, command_id: str) -> None:
        """Wait until whoever handed the command out has written down how it ended."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(command_id, []).append(waiting)
        try:
            async with asyncio.timeout(SETTLE_S):
                await waiting
        except TimeoutError as error:
            raise StorageError("The result is not on disk yet.", hint="Send it again.") from error
        finally:
            others = self._waiting.get(command_id, [])
            if waiting in others:
                others.remove(waiting)
            if not others:
                self._waiting.pop(command_id, None)

    def _follow(self, command: Command) -> None:
        if command.state is State.SENT:
            return
        for waiting in self._waiting.pop(command.id, ()):
            if not waiting.done():
                waiting.set_result(None)

    async def _late(self, command: Command, result: Result) -> None:
        """Nobody waits for it any more, but the device knows best."""
        outcome = outcome_of(result, result.ms / 1000)
        waits = command.state is State.QUEUED and not command.attempts
        if waits or (outcome.verdict is Verdict.IN_DOUBT and command.state is not State.SENT):
            return
        try:
            await self._commands.evidence(command, outcome)
        except Conflict:
            return  # it was settled in the same moment

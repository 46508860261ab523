"""Improv over BLE: the hub's side of one conversation with a board that it is connected to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from edge.errors import LinkError
from edge.provision.improv_line import ANSWER_S, JOIN_S, RESULT_S, SCAN_S, Tell
from edge.provision.improv_words import BoardRefused, board_info
from edge.provision.wifi import Wifi
from edge.wire import improv
from edge.wire.improv import BoardState, Capability, Command, ErrorCode, Malformed, Network, Result
from edge.wire.provision import BoardInfo

AUTHORIZE_S = 60.0  # for a person to reach its button
LOOK_S = 0.5  # how late it is noticed that the board went away
REST_S = 1.0  # for the rest of an answer whose beginning has come
RESULT_BYTES_MAX = 512  # what a characteristic can hold


class Gatt(Protocol):
    """A connection to a board; `edge.links.ble.bluez.Gatt` is one."""

    @property
    def over(self) -> bool:
        """Whether the board has gone."""

    async def read(self, uuid: str) -> bytes:
        """A characteristic's value. Raises LinkError."""

    async def write(self, uuid: str, data: bytes) -> None:
        """Write a characteristic. Raises LinkError."""

    async def follow(self, uuid: str, on_value: Callable[[bytes], None]) -> None:
        """Be told its new values. Raises LinkError."""


class ImprovBle:
    """One conversation; `begin` it first."""

    def __init__(self, gatt: Gatt, tell: Tell) -> None:
        self._gatt, self._tell = gatt, tell
        self._changed = asyncio.Event()
        self._state = BoardState.STOPPED
        self._error = 0
        self._result = bytearray()
        self.can = Capability(0)

    async def begin(self) -> BoardState:
        """Listen, and learn where the board stands. Raises LinkError."""
        await self._gatt.follow(improv.STATE, self._take_state)
        await self._gatt.follow(improv.ERROR, self._take_error)
        await self._gatt.follow(improv.RPC_RESULT, self._take_result)
        self._take_state(await self._gatt.read(improv.STATE))
        can = await self._gatt.read(improv.CAPABILITIES)
        self.can = Capability((can[0] if can else 0) & 7)
        return self._state

    async def authorized(self) -> None:
        """Returns once the board lets itself be set up. Raises LinkError when nobody presses its button."""
        if self._state is BoardState.NEEDS_AUTHORIZATION:
            self._tell("Press the board's button, so that it knows you stand before it.")
        async with _deadline(AUTHORIZE_S, "nobody pressed the board's button", "Press it, then try again."):
            while self._state is BoardState.NEEDS_AUTHORIZATION:
                await self._change()

    async def identify(self) -> None:
        """Have it blink or beep, where it can. Raises LinkError."""
        if Capability.IDENTIFY in self.can:
            await self._send(Command.IDENTIFY)

    async def info(self) -> BoardInfo:
        """Who it says it is; empty where it cannot tell. Raises LinkError."""
        result = await self._ask(Command.DEVICE_INFO, ANSWER_S) if Capability.DEVICE_INFO in self.can else None
        return board_info(result.texts if result is not None else ())

    async def networks(self) -> list[Network]:
        """The WiFi it hears; none where it cannot tell. Raises LinkError."""
        result = await self._ask(Command.SCAN, SCAN_S) if Capability.SCAN in self.can else None
        return improv.read_networks(result.texts) if result is not None else []

    async def join(self, wifi: Wifi) -> list[str]:
        """Have it join that WiFi; the addresses of its own pages. Raises BoardRefused, LinkError."""
        self._state = BoardState.READY  # one that had a WiFi before says anew that it is in
        await self._send(Command.WIFI, wifi.payload)
        self._tell("The board tries to join the WiFi; that may take half a minute.")
        hint = "Look at it: it may have joined all the same. Else restart it and try again."
        async with _deadline(JOIN_S, "the board did not say whether it could join the WiFi", hint):
            while self._state is not BoardState.PROVISIONED:
                if (result := self._answer(Command.WIFI)) is not None:
                    return list(result.texts)
                await self._change()
        result = await self._wait(Command.WIFI, RESULT_S)
        return list(result.texts) if result is not None else []

    # -- inside

    async def _ask(self, command: Command, timeout_s: float) -> Result | None:
        await self._send(command)
        try:
            return await self._wait(command, timeout_s)
        except BoardRefused as error:
            if error.failure == ErrorCode.UNKNOWN_COMMAND:
                return None
            raise

    async def _send(self, command: Command, payload: bytes = b"") -> None:
        """Write a command in pieces that every board takes. What was said before is no answer to it."""
        self._result.clear()
        self._error = 0
        for piece in improv.ble_command(command, payload):
            await self._gatt.write(improv.RPC_COMMAND, piece)

    async def _wait(self, command: Command, timeout_s: float) -> Result | None:
        """The answer; None when it does not come in time."""
        ends_s = asyncio.get_running_loop().time() + timeout_s
        while (result := self._answer(command)) is None:
            left_s = ends_s - asyncio.get_running_loop().time()
            if left_s <= 0:
                return None
            try:
                async with asyncio.timeout(min(left_s, REST_S) if self._result else left_s):
                    await self._change()
            except TimeoutError:
                if self._result:
                    return await self._read(command)
        return result

    async def _read(self, command: Command) -> Result | None:
        """The answer as it stands in the characteristic: some boards tell only its beginning."""
        self._result = bytearray(await self._gatt.read(improv.RPC_RESULT))
        return self._answer(command)

    def _answer(self, command: Command) -> Result | None:
        """What has come by now, if it is whole and answers this. Raises BoardRefused, LinkError."""
        if self._error:
            raise BoardRefused(self._error)
        try:
            result = improv.read_ble_result(bytes(self._result))
        except Malformed as error:
            raise LinkError(f"the board's answer is garbled: {error}", hint="Bring it nearer; try again.") from None
        return result if result is not None and result.command == command else None

    async def _change(self) -> None:
        """Wait until something is new. Raises LinkError when the board has gone."""
        self._changed.clear()
        while not self._changed.is_set():
            if self._gatt.over:
                raise LinkError("the board ended the connection", hint="Bring it nearer and try again.")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._changed.wait()

    def _take_state(self, value: bytes) -> None:
        number = value[0] if value else BoardState.STOPPED
        self._state = BoardState(number) if number in set(BoardState) else BoardState.STOPPED
        self._changed.set()

    def _take_error(self, value: bytes) -> None:
        self._error = value[0] if value else 0
        self._changed.set()

    def _take_result(self, value: bytes) -> None:
        self._result += value
        del self._result[RESULT_BYTES_MAX:]
        self._changed.set()


@contextlib.asynccontextmanager
async def _deadline(seconds: float, detail: str, hint: str) -> AsyncIterator[None]:
    """A block that has to end in time, and the sentence when it does not."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise LinkError(f"{detail} within {seconds:g} s", hint=hint) from None

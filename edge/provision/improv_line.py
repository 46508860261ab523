"""Improv over a cable: the hub's side of one conversation with a board, over a port that is open.

The board prints its log, or our frames, on the same line meanwhile, and may be starting: the first answer is waited
for patiently and asked for each second.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from edge.errors import LinkError
from edge.links.stream import ByteStream
from edge.provision.improv_words import BoardRefused, board_info
from edge.provision.wifi import Wifi
from edge.wire import improv
from edge.wire.improv import BoardState, Command, ErrorCode, Malformed, Network, Packet, PacketType, Result
from edge.wire.provision import BoardInfo

FIRST_S = 12.0  # a first boot has been seen to take 6.5 s until it answers
ASK_S = 1.0
ANSWER_S = 5.0  # a board that has answered before
SCAN_S = 20.0  # a scan of all channels takes a board 2 to 5 s, and it tells one network at a time
JOIN_S = 45.0  # boards give up after 30 s; the rest is for saying so
RESULT_S = 5.0  # after it has said that it is in, until it says where its page is
PACKETS_MAX = 256  # waiting to be looked at; a scan tells under 40

Tell = Callable[[str], None]


class NoImprov(LinkError):
    """Nobody answers by Improv on this port."""

    code = "no-improv"
    hint = (
        "Press the board's reset button and try again. A board with our firmware is also reached by its text"
        " dialogue (`outpost provision dialogue PORT`); others by their own page (`outpost provision portal`)."
    )


class ImprovLine:
    """One conversation. The stream stays its owner's: it is not closed here."""

    def __init__(self, stream: ByteStream, tell: Tell) -> None:
        self._stream, self._tell = stream, tell
        self._parser = improv.Parser()
        self._packets: deque[Packet] = deque(maxlen=PACKETS_MAX)

    async def state(self) -> BoardState:
        """Where the board stands. Raises NoImprov when it says nothing in time, LinkError when the port is gone."""
        return await self._stands(FIRST_S)

    async def info(self) -> BoardInfo:
        """Who it says it is; empty where it does not know the question. Raises LinkError."""
        result = await self._ask(Command.DEVICE_INFO, ANSWER_S)
        return board_info(result.texts if result is not None else ())

    async def networks(self) -> list[Network]:
        """The WiFi it hears; none where it cannot tell. Raises LinkError."""
        found: list[Network] = []
        ends_s = self._now_s() + SCAN_S
        result = await self._ask(Command.SCAN, SCAN_S)
        while result is not None and result.texts:
            found.append(improv.read_network(result.texts))
            result = await self._result_of(Command.SCAN, ends_s - self._now_s())
        return found

    async def join(self, wifi: Wifi) -> list[str]:
        """Have it join that WiFi; the addresses of its own pages. Raises BoardRefused, LinkError."""
        self._forget()
        await self._stream.write(improv.cable_command(Command.WIFI, wifi.payload))
        ends_s = self._now_s() + JOIN_S
        joined = trying = False
        while (packet := await self._next(ends_s - self._now_s())) is not None:
            if packet.type == PacketType.STATE and packet.data[:1] == bytes((BoardState.PROVISIONING,)):
                if not trying:
                    self._tell("The board tries to join the WiFi; that may take half a minute.")
                trying = True
            elif packet.type == PacketType.STATE and packet.data[:1] == bytes((BoardState.PROVISIONED,)) and trying:
                joined, ends_s = True, min(ends_s, self._now_s() + RESULT_S)
            elif (result := _result(packet, Command.WIFI)) is not None:
                return list(result.texts)
            else:
                _check(packet)
        if joined or await self._stands(ANSWER_S) is BoardState.PROVISIONED:
            return []
        raise LinkError(
            f"the board did not say within {JOIN_S:g} s whether it could join the WiFi",
            hint="Look at it: it may have joined all the same. Else restart it and try again.",
        )

    # -- inside

    async def _stands(self, patience_s: float) -> BoardState:
        ends_s = self._now_s() + patience_s
        while (left_s := ends_s - self._now_s()) > 0:
            await self._stream.write(improv.cable_command(Command.GET_STATE))
            packet = await self._next_of(PacketType.STATE, min(ASK_S, left_s))
            if packet is not None and packet.data:
                return _state(packet.data[0])
        raise NoImprov(f"no board answered by Improv within {patience_s:g} s")

    async def _ask(self, command: Command, timeout_s: float) -> Result | None:
        """Its first answer; None when it does not know the command, or says nothing in time."""
        self._forget()
        await self._stream.write(improv.cable_command(command))
        return await self._result_of(command, timeout_s)

    async def _result_of(self, command: Command, timeout_s: float) -> Result | None:
        ends_s = self._now_s() + timeout_s
        while (packet := await self._next(ends_s - self._now_s())) is not None:
            try:
                _check(packet)
            except BoardRefused as error:
                if error.failure == ErrorCode.UNKNOWN_COMMAND:
                    return None
                raise
            if (result := _result(packet, command)) is not None:
                return result
        return None

    async def _next_of(self, kind: PacketType, timeout_s: float) -> Packet | None:
        ends_s = self._now_s() + timeout_s
        while (packet := await self._next(ends_s - self._now_s())) is not None:
            if packet.type == kind:
                return packet
        return None

    async def _next(self, timeout_s: float) -> Packet | None:
        """The next packet; None when the time is over."""
        try:
            async with asyncio.timeout(max(0.0, timeout_s)):
                while not self._packets:
                    self._packets.extend(self._parser.feed(await self._stream.read()))
        except TimeoutError:
            return None
        return self._packets.popleft()

    def _forget(self) -> None:
        """What was said before a question is no answer to it."""
        self._packets.clear()
        self._stream.discard_input()

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


def _state(number: int) -> BoardState:
    return BoardState(number) if number in set(BoardState) else BoardState.STOPPED


def _check(packet: Packet) -> None:
    """Raises BoardRefused for a packet that says so."""
    if packet.type == PacketType.ERROR and packet.data[:1] not in (b"", b"\0"):
        raise BoardRefused(packet.data[0])


def _result(packet: Packet, command: Command) -> Result | None:
    """The answer to `command` that this packet is, if it is one."""
    if packet.type != PacketType.RESULT:
        return None
    try:
        result = improv.read_result(packet.data)
    except Malformed:
        return None
    return result if result.command == command else None

"""A board of another maker, such as ESPHome makes: it prints a log, and answers Improv in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.wire.improv import BoardState, Command, ErrorCode, Packet, PacketType, Parser, Result, packet

INFO = ("ESPHome", "2026.11.0", "ESP32", "garden")
NETWORKS = (("Hall", "-61", "YES"), ("Yard", "-80", "NO"), ("Hall", "-55", "YES"))
URL = "http://192.168.1.10/"


def result_bytes(result: Result) -> bytes:
    """The inner bytes of an answer."""
    data = b"".join(bytes((len(text.encode()),)) + text.encode() for text in result.texts)
    return bytes((result.command, len(data))) + data


class ImprovBoard:
    """`password` is the one its WiFi `Hall` has. It boots for `boot_s`; joining takes `join_s`."""

    def __init__(self, password: str = "correct horse", *, boot_s: float = 0.0, join_s: float = 0.2) -> None:
        self._password, self._boot_s, self._join_s = password, boot_s, join_s
        self._parser = Parser()
        self._state = BoardState.READY
        self._due: list[tuple[float, Callable[[], bytes]]] = []
        self._up_s: float | None = None
        self._said_s = 0.0
        self.asked: list[Packet] = []
        self.joined = ""

    def feed(self, data: bytes, now_s: float) -> bytes:
        """What is typed while it boots is lost."""
        if self._up_s is None or now_s < self._up_s:
            return b""
        return b"".join(self._answer(asked, now_s) for asked in self._parser.feed(data))

    def tick(self, now_s: float) -> bytes:
        """Its log, and what has become due."""
        if self._up_s is None:
            self._up_s = now_s + self._boot_s
            return b"rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
        due = [make for at_s, make in self._due if at_s <= now_s]
        self._due = [(at_s, make) for at_s, make in self._due if at_s > now_s]
        said = b"".join(make() for make in due)
        if now_s >= self._said_s + 1 and now_s >= self._up_s:
            self._said_s = now_s
            said += b"[I][wifi:42]: looking for IMPROV\x01 networks\r\n"
        return said

    def _answer(self, asked: Packet, now_s: float) -> bytes:
        if asked.type != PacketType.COMMAND or len(asked.data) < 2:
            return b""
        self.asked.append(asked)
        command, payload = asked.data[0], asked.data[2:]
        clear = self._packet(PacketType.ERROR, (ErrorCode.NONE,))
        if command == Command.GET_STATE:
            return clear + self._said_state()
        if command == Command.DEVICE_INFO:
            return clear + self._result(command, INFO)
        if command == Command.SCAN:
            return clear + b"".join(self._result(command, one) for one in (*NETWORKS, ()))
        if command == Command.WIFI:
            self._state = BoardState.PROVISIONING
            ssid, rest = payload[1 : 1 + payload[0]], payload[1 + payload[0] :]
            self._due.append((now_s + self._join_s, lambda: self._join(ssid.decode(), rest[1:].decode())))
            return clear + self._said_state()
        return self._packet(PacketType.ERROR, (ErrorCode.UNKNOWN_COMMAND,))

    def _join(self, ssid: str, password: str) -> bytes:
        if (ssid, password) != ("Hall", self._password):
            self._state = BoardState.READY
            return self._packet(PacketType.ERROR, (ErrorCode.CANNOT_CONNECT,)) + self._said_state()
        self._state, self.joined = BoardState.PROVISIONED, ssid
        return self._said_state() + b"[I][wifi:99]: in\r\n" + self._result(Command.WIFI, (URL,))

    def _said_state(self) -> bytes:
        return self._packet(PacketType.STATE, (self._state,))

    def _result(self, command: int, texts: Sequence[str]) -> bytes:
        return self._packet(PacketType.RESULT, result_bytes(Result(command, tuple(texts))))

    def _packet(self, kind: PacketType, data: Sequence[int]) -> bytes:
        return packet(kind, bytes(data)) + b"\n"

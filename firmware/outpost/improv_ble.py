"""Improv over BLE, without the radio: what its five characteristics say, and who may give the board a WiFi.

The radio (`ports/esp32_ble.py`) hands over what was written and sends what is `due`. Commands come in writes of 20
bytes, and results leave in notifications of 20. Whoever is in reach can connect, so there is a lock: it is open on
a board that was never set up, and for a minute after somebody has pressed its BOOT button.
"""

from outpost.clock import Clock
from outpost.improv import (
    AUTHORIZATION_REQUIRED,
    HOSTNAME,
    INVALID,
    NAME,
    NO_ERROR,
    NOT_AUTHORIZED,
    READY,
    SCAN,
    WIFI,
    Improv,
    Teller,
    result_of,
    summed,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.setup import Setup

SERVICE = "00467768-6228-2272-4663-277478268000"
STATE, ERROR, COMMAND, RESULT, CAPABILITIES = 1, 2, 3, 4, 5  # the last digit of their UUIDs
SERVICE_DATA = 0x4677
CAN_IDENTIFY, CAN_INFO, CAN_SCAN, CAN_HOSTNAME = 1, 2, 4, 8
GENERAL_NO_CLASSIC = b"\x02\x01\x06"  # flags of an advertisement: to be found by all, BLE only
ALL_UUIDS_128, DATA_16 = 0x07, 0x16
AUTHORIZED_MS = 60000
PART_MS = 5000  # a command that does not go on
COMMAND_BYTES_MAX = 258
NOTIFY_BYTES = 20
WAITING_MAX = 4
NEEDS_AUTHORIZATION = (WIFI, SCAN, HOSTNAME, NAME)


class Peripheral(Teller):
    """One client at a time. `values` is what can be read of each characteristic."""

    def __init__(self, setup: "Setup", clock: Clock) -> None:
        self.improv = Improv(self, setup, cable=False)
        self._setup = setup
        self._clock = clock
        self._written = []  # type: list[bytes]
        self._part = b""
        self._part_ms = 0
        self._open_until_ms = 0
        self._error = NO_ERROR
        self._state = AUTHORIZATION_REQUIRED
        self._out = []  # type: list[tuple[int, bytes]]
        can = CAN_INFO | CAN_SCAN | CAN_HOSTNAME | (CAN_IDENTIFY if setup.can_identify else 0)
        self.capabilities = can
        self.values = {STATE: bytes((self._state,)), ERROR: b"\0", CAPABILITIES: bytes((can,)), RESULT: b""}

    # The radio's side. `written` and `lost` may be called between any two lines: they keep, and do nothing else.

    def written(self, data: bytes) -> None:
        """Somebody has written to COMMAND."""
        if len(self._written) < WAITING_MAX * (COMMAND_BYTES_MAX // NOTIFY_BYTES):
            self._written.append(data)

    def lost(self) -> None:
        """Whoever was connected has gone."""
        self._written = []
        self._part = b""

    def due(self) -> "list[tuple[int, bytes]]":
        """What is to be sent now: of which characteristic, and what. STATE and ERROR are their new values too."""
        out, self._out = self._out, []
        return out

    def advertisement(self) -> bytes:
        """What is told to everybody: with the flags exactly the 31 bytes there are."""
        uuid = bytes([int(SERVICE.replace("-", "")[at : at + 2], 16) for at in range(30, -2, -2)])
        data = SERVICE_DATA.to_bytes(2, "little") + bytes((self._state, self.capabilities, 0, 0, 0, 0))
        return GENERAL_NO_CLASSIC + _field(ALL_UUIDS_128, uuid) + _field(DATA_16, data)

    # The main loop's side

    def authorize(self) -> None:
        """Somebody has pressed the button."""
        self._open_until_ms = self._clock.ms() + AUTHORIZED_MS

    def tick(self) -> None:
        """Do what was asked, and tell what has changed."""
        self._gather()
        self.improv.tick()
        state = self.improv.state
        if state == READY and not self._authorized():
            state = AUTHORIZATION_REQUIRED
        if state != self._state:
            self.state(state)

    def _authorized(self) -> bool:
        return self._setup.is_new or self._clock.ms() < self._open_until_ms

    def _gather(self) -> None:
        """Put the pieces together: a command says how long it is."""
        now = self._clock.ms()
        if self._part and now - self._part_ms >= PART_MS:
            self._part = b""
        while self._written:
            self._part += self._written.pop(0)
            self._part_ms = now
            size = self._part[1] + 3 if len(self._part) > 1 else COMMAND_BYTES_MAX
            if len(self._part) >= size:
                command, self._part = self._part, b""
                self._take(command)

    def _take(self, command: bytes) -> None:
        self._setup.spoken()
        if summed(command[:-1]) != command:
            self.error(INVALID)
        elif command[0] in NEEDS_AUTHORIZATION and not self._authorized():
            self.error(NOT_AUTHORIZED)
        else:
            if self._clock.ms() < self._open_until_ms:
                self.authorize()  # somebody is at it
            self.improv.take(command[:-1])

    # What it tells

    def state(self, number: int) -> None:
        self._state = number
        self._say(STATE, bytes((number,)))

    def error(self, number: int) -> None:
        if number != self._error:
            self._error = number
            self._say(ERROR, bytes((number,)))

    def result(self, command: int, strings: "list[str]") -> None:
        whole = summed(result_of(command, strings))
        self.values[RESULT] = whole
        for at in range(0, len(whole), NOTIFY_BYTES):
            self._out.append((RESULT, whole[at : at + NOTIFY_BYTES]))

    def _say(self, characteristic: int, value: bytes) -> None:
        self.values[characteristic] = value
        self._out.append((characteristic, value))


def _field(kind: int, data: bytes) -> bytes:
    return bytes((len(data) + 1, kind)) + data

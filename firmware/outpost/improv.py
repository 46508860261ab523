"""Improv: how a computer or a phone gives a board its WiFi. What the cable and BLE have in common.

https://www.improv-wifi.com is its specification, tests/vectors/improv.json binds this file and the hub's to it. A
WiFi is stored only after the board was in it, so a typing error costs nothing. Each way in is a `Teller`.
"""

from outpost import rules
from outpost.joining import FAILED, JOINED, Try  # noqa: F401  (for the types)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.setup import Setup

AUTHORIZATION_REQUIRED, READY, PROVISIONING, PROVISIONED = 1, 2, 3, 4  # states
NO_ERROR, INVALID, UNKNOWN, UNABLE, NOT_AUTHORIZED, BAD_HOSTNAME, OTHER = 0, 1, 2, 3, 4, 5, 255  # errors
WIFI, STATE, INFO, SCAN, HOSTNAME, NAME, NETWORK = 1, 2, 3, 4, 5, 6, 7  # commands
IDENTIFY = STATE  # the same number means that over BLE
ONLINE, HAS_WIFI = 1, 2  # flags of NETWORK
RESULT_BYTES_MAX = 255
OPEN = "NO"  # of a network that wants no password


class BadRpc(Exception):
    """A command that is not as the specification has it."""


class Teller:
    """One way to somebody who speaks Improv."""

    def state(self, number: int) -> None:
        """The board's state is this now."""
        raise NotImplementedError

    def error(self, number: int) -> None:
        """What was wrong with the last command, or nothing."""
        raise NotImplementedError

    def result(self, command: int, strings: "list[str]") -> None:
        """What a command brought."""
        raise NotImplementedError


def summed(data: bytes) -> bytes:
    """`data` and its check: the lowest byte of the sum of all before."""
    return data + bytes((sum(data) & 0xFF,))


def command_of(rpc: bytes) -> "tuple[int, bytes]":
    """A command and what goes with it. Raises BadRpc."""
    if len(rpc) < 2 or rpc[1] != len(rpc) - 2:
        raise BadRpc
    return rpc[0], rpc[2:]


def wifi_of(data: bytes) -> "tuple[str, str]":
    """Name and password of the command WIFI; the password may be empty. Raises BadRpc."""
    name, rest = _string(data)
    password, rest = _string(rest)
    if rest or not rules.ssid(name):
        raise BadRpc
    return name, password


def result_of(command: int, strings: "list[str]") -> bytes:
    """The bytes of a result. Strings that find no room are left out, from the first such one on."""
    data = b""
    for string in strings:
        raw = string.encode()
        if len(data) + 1 + len(raw) > RESULT_BYTES_MAX:
            break
        data += bytes((len(raw),)) + raw
    return bytes((command, len(data))) + data


class Improv:
    """What each command does. `take` runs in the main loop: a scan holds it up for some two seconds on a chip."""

    def __init__(self, teller: Teller, setup: "Setup", *, cable: bool) -> None:
        self._teller = teller
        self._setup = setup
        self._cable = cable
        self._try = None  # type: Try | None  # that somebody on this way asked for

    @property
    def state(self) -> int:
        """How far the board is."""
        if self._try is not None:
            return PROVISIONING
        return PROVISIONED if self._setup.in_network() else READY

    def take(self, rpc: bytes) -> None:
        """Do what a command says, and tell what comes of it."""
        self._teller.error(NO_ERROR)
        try:
            command, data = command_of(rpc)
            self._do(command, data)
        except BadRpc:
            self._teller.error(INVALID)

    def tick(self) -> None:
        """Tell what came of a try, once it has ended."""
        tried = self._try
        if tried is None or tried.state not in (JOINED, FAILED):
            return
        self._try = None
        if tried.state == JOINED:
            self._teller.state(PROVISIONED)
            self._teller.result(WIFI, self._setup.urls())
        else:
            self._teller.error(UNABLE)
            self._teller.state(self.state)

    def _do(self, command: int, data: bytes) -> None:
        if command == WIFI:
            self._join(data)
        elif command == STATE and self._cable:
            self._teller.state(self.state)
            if self.state == PROVISIONED:
                self._teller.result(STATE, self._setup.urls())
        elif command == IDENTIFY:
            self._setup.identify()
        elif command == INFO:
            self._teller.result(INFO, self._setup.info())
        elif command == SCAN:
            self._scan()
        elif command == HOSTNAME:
            self._set(HOSTNAME, "hostname", data, rules.hostname, BAD_HOSTNAME)
        elif command == NAME:
            self._set(NAME, "name", data, rules.name, INVALID)
        elif command == NETWORK and self._cable:
            online = self._setup.in_network()
            flags = HAS_WIFI | (ONLINE if online else 0)
            self._teller.result(NETWORK, [str(flags)] + (self._setup.urls() if online else []))
        else:
            self._teller.error(UNKNOWN)

    def _join(self, data: bytes) -> None:
        name, password = wifi_of(data)
        if self._try is not None:
            return  # it is asked twice: the answer is under way
        tried = None
        if not password or rules.password(password):
            tried = self._setup.join({"wifi_ssid": name, "wifi_password": password})
        if tried is None:  # no network has such a password; or somebody else is giving the board a WiFi
            self._teller.error(UNABLE)
            return
        self._try = tried
        self._teller.state(PROVISIONING)

    def _scan(self) -> None:
        found = self._setup.scan()
        if found is None:
            self._teller.error(OTHER)
        elif self._cable:
            for name, dbm, kind in found:
                self._teller.result(SCAN, [name, str(dbm), "NO" if kind == OPEN else "YES"])
            self._teller.result(SCAN, [])
        else:
            self._teller.result(SCAN, _fitting(found))

    def _set(self, command: int, key: str, data: bytes, fits: "rules.Rule", wrong: int) -> None:
        """Without data it is a question. What is set is in force from the next start on."""
        if data:
            try:
                text = data.decode()
            except ValueError:
                text = ""
            if not fits(text):
                self._teller.error(wrong)
                return
            if not self._setup.store({key: text}):
                self._teller.error(OTHER)
                return
        self._teller.result(command, [self._setup.hostname() if command == HOSTNAME else self._setup.name()])


def _string(data: bytes) -> "tuple[str, bytes]":
    """The text that `data` begins with, and what is behind it. Raises BadRpc."""
    if not data or len(data) < 1 + data[0]:
        raise BadRpc
    try:
        return data[1 : 1 + data[0]].decode(), data[1 + data[0] :]
    except ValueError:
        raise BadRpc


def _fitting(found: "list[tuple[str, int, str]]") -> "list[str]":
    """As many networks as one result has room for, all three strings of each."""
    strings = []  # type: list[str]
    size = 0
    for name, dbm, kind in found:
        size += 3 + len(name.encode()) + len(str(dbm)) + len(kind)
        if size > RESULT_BYTES_MAX:
            break
        strings += [name, str(dbm), kind]
    return strings

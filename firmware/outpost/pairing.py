"""The key a device shares with its hub: from a token typed at the console, or agreed on with the hub it found.

Agreeing takes two requests (docs/protocol.md, "A key"). The key is stored, in one commit, before it is used, and
nothing that comes over the network ever takes it away again.

With the second request the device shows its half, and whoever gets it knows the code that would be shown. Could he
refuse it then and have another as often as he likes, he would soon have a code that fits. So `Tries` has him wait.
"""

import binascii
import json

from outpost import VERSION, signing, x25519
from outpost.clock import Clock
from outpost.http import Answer, Connection, HttpError
from outpost.port import Port

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

KEY = "key"  # its name in non-volatile storage
ANSWER_MS = 5000
ASKED_MAX = 3  # times the second request is sent: its answer may be lost
NONCE_BYTES = 16
PAUSE_MS_MIN = 30000  # after showing a half in vain, twice as long each time: some 150 in a day,
PAUSE_MS_MAX = 600000  # of a million codes


class Tries:
    """When the next pairing may begin. A try is counted before the half is shown, whatever ends it then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pause_ms = PAUSE_MS_MIN
        self._next_ms = 0

    def count(self) -> None:
        """The half is shown now."""
        self._next_ms = self._clock.ms() + self._pause_ms
        self._pause_ms = min(2 * self._pause_ms, PAUSE_MS_MAX)

    def wait_ms(self) -> int:
        """How long to wait, 0 when there is no need."""
        return max(0, self._next_ms - self._clock.ms())


class Trust:
    """The id at the hub, the shared key, and the code to show until a technician has typed it there."""

    def __init__(self, device: str, key: bytes, code: str = "") -> None:
        self.device = device
        self.key = key
        self.code = code

    def save(self, port: Port) -> None:
        """Raises OSError."""
        value = {"device": self.device, "key": signing.hexed(self.key), "code": self.code}
        port.save(KEY, json.dumps(value).encode())


def trusted(port: Port, settings: "dict[str, object]") -> "Trust | None":
    """What the device holds; a token counts more than what it paired to before. None: it has no key."""
    device, token = str(settings["device_id"]), str(settings["device_token"])
    if device and token:
        return Trust(device, signing.key_from_token(token))
    stored = port.load(KEY)
    if stored is None:
        return None
    try:
        value = json.loads(stored)
        return Trust(str(value["device"]), binascii.unhexlify(value["key"]), str(value["code"]))
    except (ValueError, KeyError, TypeError):
        return None


def pair(
    connection: Connection, port: Port, tries: Tries, chip: str, kind: str, name: str
) -> "Generator[None, None, Trust]":
    """Agree on a key with whoever is at the other end, and store it. Raises HttpError, BadPoint, OSError."""
    secret, nonce = port.random(x25519.KEY_BYTES), port.random(NONCE_BYTES)
    public = bytearray(x25519.KEY_BYTES)
    yield from x25519.steps(secret, x25519.BASE, public)
    ours = bytes(public)
    request = {
        "chip": chip, "kind": kind, "fw": VERSION, "name": name, "commit": signing.commitment(ours, nonce),
    }  # type: dict[str, object]  # fmt: skip
    offer = yield from _posted(connection, "/v1/device/pair", request)
    try:
        pairing = str(offer["pairing"])
        theirs, hub_nonce = binascii.unhexlify(str(offer["public"])), binascii.unhexlify(str(offer["nonce"]))
    except (KeyError, ValueError):
        raise HttpError("no offer to pair")
    if len(theirs) != x25519.KEY_BYTES or len(hub_nonce) != NONCE_BYTES or not _plain(pairing):
        raise HttpError("no offer to pair")
    shared = bytearray(x25519.KEY_BYTES)
    yield from x25519.steps(secret, theirs, shared)
    reveal = {"public": signing.hexed(ours), "nonce": signing.hexed(nonce)}  # type: dict[str, object]
    tries.count()
    device = yield from _revealed(connection, pairing, reveal)
    key = signing.key_from_pairing(bytes(shared), ours, theirs)
    trust = Trust(device, key, signing.code(ours, theirs, nonce, hub_nonce))
    trust.save(port)
    return trust


def _revealed(connection: Connection, pairing: str, reveal: "dict[str, object]") -> "Generator[None, None, str]":
    """The id the hub gives; asked for again when its answer is lost."""
    for attempt in range(ASKED_MAX):
        try:
            paired = yield from _posted(connection, "/v1/device/pair/" + pairing, reveal)
        except HttpError:
            if attempt == ASKED_MAX - 1:
                raise
            continue
        device = paired.get("device")
        if isinstance(device, str) and 0 < len(device) <= 64:
            return device
    raise HttpError("no answer to pairing")


def _posted(
    connection: Connection, target: str, body: "dict[str, object]"
) -> "Generator[None, None, dict[str, object]]":
    answer = yield from connection.ask("POST", target, {}, json.dumps(body).encode(), ANSWER_MS)
    if answer.status not in (200, 201):
        raise HttpError("pairing: %d %s" % (answer.status, problem(answer)))
    return fields(answer)


def fields(answer: Answer) -> "dict[str, object]":
    """The answer's JSON object. Raises HttpError."""
    try:
        value = json.loads(answer.body)
    except ValueError:
        raise HttpError("no JSON")
    if not isinstance(value, dict):
        raise HttpError("no JSON object")
    return value


def problem(answer: Answer) -> str:
    """The code of an answer that refuses; empty when there is none."""
    try:
        return str(fields(answer).get("code", ""))
    except HttpError:
        return ""


def _plain(pairing: str) -> bool:
    """Whether it may stand in a path."""
    if not 0 < len(pairing) <= 64:
        return False
    for character in pairing:
        if not character.isalpha() and not character.isdigit() and character not in "-_":
            return False
    return True

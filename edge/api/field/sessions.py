"""Sessions of devices on the network: opened by a signed hello, in use from the first request that proves its key.

Pure: no I/O, and the time is given. Whoever has recorded a hello can send it again, and is welcomed again; but he
cannot sign a request, so nothing comes of it: such a session is a candidate that ends by itself, and what is in use
stays in use. A hello that is not newer than one known opens nothing: old ones never push out a device's own.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from edge.api.field.refusals import BadSignature, NewSession
from edge.wire import signing
from edge.wire.field import DeviceHello

WINDOW = 64  # numbers below the highest that are still taken: two connections get out of step by a few
COUNTER_DIGITS = 18  # what a 64-bit number always holds
CANDIDATES_PER_DEVICE = 4  # opened and not used yet; the one of the earliest hello goes first
CANDIDATES_MAX = 2048  # in all
CANDIDATE_S = 60.0  # a device uses its session at once
NONCE_BYTES = 16


class Window:
    """Which numbers were used: each is taken once, and only while it is not far behind the highest."""

    __slots__ = ("_highest", "_used")

    def __init__(self) -> None:
        self._highest, self._used = 0, 0

    def take(self, number: int) -> bool:
        """Use a number; False when it was used before or is too old."""
        ahead = number - self._highest
        if ahead > 0:
            self._used = ((self._used << ahead) | 1) & ((1 << WINDOW) - 1) if ahead < WINDOW else 1
            self._highest = number
            return True
        if number < 1 or -ahead >= WINDOW or self._used >> -ahead & 1:
            return False
        self._used |= 1 << -ahead
        return True


class Session(msgspec.Struct, kw_only=True, eq=False):
    """One session. `link_key` and `approved` are the device's when it began: it ends when they change."""

    id: str
    nonce: str
    device_id: str
    key: bytes
    link_key: bytes
    approved: bool
    hello: DeviceHello
    opened_s: float
    live: bool = False
    told_version: int = 0  # of the desired state, so that a device which does not take it is not told without end
    window: Window = msgspec.field(default_factory=Window)


class Sessions:
    """Every session: one in use for each device, and a few candidates."""

    def __init__(self, random_hex: Callable[[int], str] = secrets.token_hex) -> None:
        self._random_hex = random_hex
        self._live: dict[str, Session] = {}
        self._by_id: dict[str, Session] = {}
        self._candidates: OrderedDict[str, Session] = OrderedDict()
        self._newest: dict[str, tuple[bytes, str, tuple[int, int]]] = {}  # by device: key, epoch, when of its hello

    def open(self, device_id: str, link_key: bytes, hello: DeviceHello, *, approved: bool, now_s: float) -> Session:
        """A candidate for a hello that was verified; the same hello again gets the same one.

        Raises BadSignature for a hello that is not newer than what is known of the device.
        """
        self._end_old(now_s)
        for session in self._candidates.values():
            same = (session.device_id, session.hello.nonce, session.link_key) == (device_id, hello.nonce, link_key)
            if same and session.approved == approved:
                return session
        self._check_newer(device_id, link_key, hello)
        self._make_room(device_id, hello)
        nonce = self._random_hex(NONCE_BYTES)
        session = Session(
            id=self._random_hex(NONCE_BYTES),
            nonce=nonce,
            device_id=device_id,
            key=signing.session_key(link_key, hello.nonce, nonce),
            link_key=link_key,
            approved=approved,
            hello=hello,
            opened_s=now_s,
        )
        self._by_id[session.id] = self._candidates[session.id] = session
        return session

    def knows(self, session_id: str) -> bool:
        """Whether there is such a session; that a request is of it, `verified` says."""
        return session_id in self._by_id

    def verified(
        self, session_id: str, counter: str, mac: str, *, method: str, target: str, body: bytes
    ) -> tuple[Session, int]:
        """The session a request belongs to, and its number. Raises NewSession or BadSignature, changing nothing."""
        session = self._by_id.get(session_id)
        if session is None:
            raise NewSession()
        if not (counter.isascii() and counter.isdecimal()) or len(counter) > COUNTER_DIGITS:
            raise BadSignature("The number of the request is none.")
        number = int(counter)
        if not signing.same(signing.request_mac(session.key, method, target, number, body), mac):
            raise BadSignature()
        if not session.window.take(number):
            raise BadSignature("The number of the request was used before.")
        return session, number

    def use(self, session: Session) -> bool:
        """It has proved itself: it is the device's session from now on, and the former ends. Whether it was new."""
        if session.live:
            return False
        self._candidates.pop(session.id, None)
        former = self._live.get(session.device_id)
        if former is not None:
            self.end(former)
        session.live = True
        self._newest[session.device_id] = session.link_key, session.hello.epoch, _age(session.hello)
        self._live[session.device_id] = session
        return True

    def of(self, device_id: str) -> Session | None:
        """The session a device uses."""
        return self._live.get(device_id)

    def end(self, session: Session) -> None:
        """Forget it."""
        self._by_id.pop(session.id, None)
        self._candidates.pop(session.id, None)
        if self._live.get(session.device_id) is session:
            del self._live[session.device_id]

    def _check_newer(self, device_id: str, link_key: bytes, hello: DeviceHello) -> None:
        key, epoch, newest = self._newest.get(device_id, (b"", "", (0, 0)))
        if (key, epoch) == (link_key, hello.epoch) and _age(hello) <= newest:
            raise BadSignature("This hello is not newer than the last one.")

    def _make_room(self, device_id: str, hello: DeviceHello) -> None:
        own = [session for session in self._candidates.values() if session.device_id == device_id]
        if len(own) >= CANDIDATES_PER_DEVICE:
            earliest = min(own, key=lambda session: _age(session.hello))
            if earliest.hello.epoch == hello.epoch and _age(hello) <= _age(earliest.hello):
                raise BadSignature("This hello is not newer than the last ones.")
            self.end(earliest)
        if len(self._candidates) >= CANDIDATES_MAX:
            self.end(next(iter(self._candidates.values())))

    def __len__(self) -> int:
        return len(self._by_id)

    def _end_old(self, now_s: float) -> None:
        while self._candidates:
            oldest = next(iter(self._candidates.values()))
            if now_s - oldest.opened_s < CANDIDATE_S:
                return
            self.end(oldest)


def _age(hello: DeviceHello) -> tuple[int, int]:
    """What rises from hello to hello of one flash."""
    return hello.boot, hello.uptime_ms

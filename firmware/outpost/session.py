"""A signed session with a hub: a hello opens it, and then every request and every answer carries a proof.

docs/protocol.md, "Sessions", is its specification.
"""

import json

from outpost import signing
from outpost.clock import Clock
from outpost.http import Address, Answer, Connection, HttpError
from outpost.pairing import Trust, fields, problem
from outpost.port import Port

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

HELLO_MS = 5000
NONCE_BYTES = 16
RETRY_AFTER_S = 5  # where the hub does not say how long
RETRY_AFTER_S_MAX = 60  # nothing that a hub limits lasts longer
UNPROVEN_S_MAX = 5  # anybody may say it: it shall not keep a device from its hub


class NotTheHub(Exception):
    """It does not hold our key: not our hub, or it has forgotten us."""


class SessionOver(Exception):
    """The hub knows this session no more: say hello anew."""


class Busy(Exception):
    """A pause is asked for; by the hub if the session proves it, else by whoever answers there."""

    def __init__(self, pause_ms: int) -> None:
        super().__init__(pause_ms)
        self.pause_ms = pause_ms


class Session:
    """With one hub, at one address. `open` before all else."""

    def __init__(self, port: Port, clock: Clock, address: Address, tls: "object | None", trust: Trust) -> None:
        self._port = port
        self._trust = trust
        self._id = ""
        self._key = b""
        self._counter = 0
        self.polls = Connection(port, clock, address, tls)
        self.posts = Connection(port, clock, address, tls)

    def open(self, hello: "dict[str, object]") -> "Generator[None, None, dict[str, object]]":
        """The welcome. Raises HttpError, NotTheHub, SessionOver, Busy."""
        nonce = signing.hexed(self._port.random(NONCE_BYTES))
        body = json.dumps(dict(hello, device=self._trust.device, nonce=nonce)).encode()
        mac = {signing.MAC: signing.hello_mac(self._trust.key, body)}
        answer = yield from self.posts.ask("POST", "/v1/device/hello", mac, body, HELLO_MS)
        _objection(answer)
        given = answer.headers.get("outpost-mac", "")
        if answer.status != 200 or not signing.same(
            signing.welcome_mac(self._trust.key, nonce, answer.body), given
        ):
            raise NotTheHub("its welcome is not signed with our key (%d %s)" % (answer.status, problem(answer)))
        welcome = fields(answer)
        self._id = str(welcome.get("session", ""))
        self._key = signing.session_key(self._trust.key, nonce, str(welcome.get("nonce", "")))
        self._counter = 0
        return welcome

    def ask(
        self, connection: Connection, method: str, target: str, body: bytes, patience_ms: int,
        more: "dict[str, str] | None" = None,
    ) -> "Generator[None, None, Answer]":  # fmt: skip
        """A signed request and its proved answer. `more`: headers that nothing vouches for.

        Raises HttpError (for an unproved answer too), SessionOver, Busy.
        """
        self._counter += 1
        counter = self._counter
        headers = {
            signing.SESSION: self._id,
            signing.COUNTER: str(counter),
            signing.MAC: signing.request_mac(self._key, method, target, counter, body),
        }
        headers.update(more or {})
        answer = yield from connection.ask(method, target, headers, body, patience_ms)
        given = answer.headers.get("outpost-mac", "")
        if signing.same(signing.answer_mac(self._key, answer.status, counter, answer.body), given):
            if answer.status == 429:
                raise Busy(retry_after_ms(answer, RETRY_AFTER_S_MAX))
            return answer
        _objection(answer)
        raise HttpError("an answer that proves nothing (%d)" % answer.status)

    def close(self) -> None:
        """Let go of both connections."""
        self.polls.close()
        self.posts.close()


def _objection(answer: Answer) -> None:
    """Raise what an unsigned refusal means. Whoever made it, the worst is a new hello, some seconds later."""
    code = problem(answer) if answer.status in (401, 403) else ""
    if answer.status == 429:
        raise Busy(retry_after_ms(answer, UNPROVEN_S_MAX))
    if answer.status == 401 and code in ("new-session", "bad-signature"):
        raise SessionOver(code)
    if answer.status == 403 and code == "unknown-device":
        raise NotTheHub("it does not know this device")


def retry_after_ms(answer: Answer, most_s: int, else_s: int = RETRY_AFTER_S) -> int:
    """When the hub wants to be asked again; `else_s` where it does not say."""
    text = answer.headers.get("retry-after", "")
    seconds = int(text) if text.isdigit() and len(text) < 6 else else_s
    return min(seconds, most_s) * 1000

"""Webhooks as pure rules: who wants which event, how a message looks, and how it is signed."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

import msgspec

from edge.clock import Stamp
from edge.errors import BadInput

HOOKS_MAX = 50
WAITING_MAX = 1000  # messages one hook may be behind; the oldest makes room, and is counted
WAITING_BYTES = 8 * 2**20  # of their bodies together; the same
ENDED_KEPT = 200  # delivered ones still listed, a hook; the same of dead ones
DEAD_BYTES = 2 * 2**20  # dead ones keep their body
MESSAGE_BYTES = 64 * 1024  # what receivers take without being set up for it
READINGS_BYTES = MESSAGE_BYTES - 2048  # of it for readings; the rest is for what stands around them
READINGS_MAX = 500  # in one message; a site of 500 devices that report each second
NAME_CHARS = 64
LIST_MAX = 500  # devices or keys a hook may name
SECRET_MIN_CHARS, SECRET_MAX_CHARS = 16, 200
OLD_SECRET_S = 24 * 3600  # how long messages are signed with the secret before, too

EVENTS = ("reading", "command", "vend", "device", "test")
"""Groups. `command` takes in all of `command.succeeded`, `command.failed`, …; each of these may be chosen alone."""

KINDS = (
    "reading",
    *(f"command.{state}" for state in ("succeeded", "failed", "in_doubt", "expired", "cancelled", "superseded")),
    *(f"vend.{state}" for state in ("succeeded", "failed", "in_doubt", "resolved")),
    "device.online", "device.offline",
    "test",
)  # fmt: skip
"""What a message can be about."""


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """One receiver. Empty `devices` or `keys`: all. `dropped`: messages that made room since one last arrived."""

    id: str
    name: str
    url: str
    events: tuple[str, ...]
    devices: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    secret: str
    old_secret: str = ""
    changed: Stamp | None = None
    enabled: bool = True
    from_seq: int = 0
    dropped: int = 0
    created_us: int
    created_by: str

    def wants(self, kind: str, device_id: str) -> bool:
        """Whether a message of this kind about this device goes to it; '' is no device."""
        return self.hears_of(kind) and (not self.devices or device_id in self.devices)

    def hears_of(self, kind: str) -> bool:
        """Whether messages of this kind go to it, about whichever device."""
        return self.enabled and (kind in self.events or kind.partition(".")[0] in self.events)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one hook. `state` is waiting, delivered or dead; `reason` is what was wrong last."""

    number: int = 0
    id: str
    hook_id: str
    event: str
    body: bytes | None
    state: str = "waiting"
    attempts: int = 0
    status: int | None = None
    reason: str = ""
    created_us: int
    ended_us: int | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a delivery. `at` is when it happened, ISO 8601 UTC."""

    id: str
    event: str
    at: str
    site: str
    device: Mapping[str, str] | None = None
    data: object = None

    def body(self) -> bytes:
        """The bytes that are signed and sent; of more than MESSAGE_BYTES, without the data but for its `id`."""
        whole = msgspec.json.encode(self)
        if len(whole) <= MESSAGE_BYTES:
            return whole
        subject = self.data.get("id") if isinstance(self.data, Mapping) else None
        return msgspec.json.encode(msgspec.structs.replace(self, data={"id": subject, "left_out": True}))


def new_id(prefix: str) -> str:
    """An id nobody guesses."""
    return f"{prefix}_{secrets.token_hex(8)}"


def new_secret() -> str:
    """A secret to sign with, 256 random bits."""
    return f"whs_{secrets.token_urlsafe(32)}"


def signature(body: bytes, at_s: int, signing: Sequence[str]) -> dict[str, str]:
    """The headers that prove who sent `body`, and when; one `v1` for each secret good now, the newest first.

    `X-Webhook-Signature` is how the older platform's webhooks were signed: the body alone, with the newest secret.
    """
    stamped = str(at_s).encode() + b"." + body
    marks = ",".join(f"v1={_mac(secret, stamped)}" for secret in signing)
    return {
        "X-Outpost-Signature": f"t={at_s},{marks}",
        "X-Webhook-Signature": f"sha256={_mac(signing[0], body)}",
    }


def check_events(names: Sequence[str]) -> tuple[str, ...]:
    """The events a hook asks for. Raises BadInput."""
    unknown = [name for name in names if name not in EVENTS and name not in KINDS]
    if unknown or not names:
        known = ", ".join(dict.fromkeys((*EVENTS, *KINDS)))
        raise BadInput(f"There is no event {unknown[0][:64] if unknown else ''!r}.", hint=f"Events are {known}.")
    return tuple(dict.fromkeys(names))


def check_name(name: str) -> str:
    """A name as people see it. Raises BadInput."""
    if not 1 <= len(name) <= NAME_CHARS or not name.isprintable() or name != name.strip():
        raise BadInput(f"A webhook needs a name of 1 to {NAME_CHARS} printable characters.")
    return name


def check_secret(secret: str) -> str:
    """A secret that was given. Raises BadInput."""
    if not SECRET_MIN_CHARS <= len(secret) <= SECRET_MAX_CHARS or not secret.isascii() or not secret.isprintable():
        raise BadInput(f"A secret has {SECRET_MIN_CHARS} to {SECRET_MAX_CHARS} printable ASCII characters.")
    return secret


def check_list(items: Sequence[str], what: str) -> frozenset[str]:
    """A list of ids or keys. Raises BadInput."""
    if len(items) > LIST_MAX:
        raise BadInput(f"At most {LIST_MAX} {what} are named; leave them out for all.")
    return frozenset(items)


def _mac(secret: str, data: bytes) -> str:
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()

"""What a request for a command must be before the centre takes it on: what its hub would refuse for certain."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from cloud.fleet.lookup import Found
from edge.errors import BadInput, DeviceUnavailable, Rejected
from edge.wire.centre import SiteSlot
from edge.wire.kinds import KINDS, Kind

encode_args = msgspec.json.Encoder(order="sorted").encode


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants of a device. `key`: of a request that may come again; `note` and `slot` of a vend.

    `agent`: for whom; he has to sit there still when its hub takes it on.
    """

    kind: str
    args: dict[str, Any]
    ttl_s: float | None = None
    key: str = ""
    agent: str = ""
    note: str = ""
    slot: SiteSlot | None = None


def kind_of(name: str) -> Kind:
    """The rules of a kind. Raises BadInput."""
    if name not in KINDS:
        raise BadInput(f"There is no command kind {name[:80]!r}.", hint=f"Known kinds: {', '.join(KINDS)}.")
    return KINDS[name]


def require_fit(device: Found, kind: Kind) -> None:
    """Raise Rejected or DeviceUnavailable where its hub would for certain; all else is the hub's to say."""
    try:
        known = msgspec.json.decode(device.view, type=_Known)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        known = _Known()
    if kind.fits and known.kind not in kind.fits:
        fits = ", ".join(sorted(kind.fits))
        raise Rejected(f"{known.name} is a {known.kind or 'device'}; {kind.name} is for {fits}.")
    if known.state == "pending":
        raise DeviceUnavailable(
            f"{known.name} is not approved.", hint=f"At its site, `outpost device approve {device.id}` approves it."
        )


class _Known(msgspec.Struct):
    """What matters here of a device's view."""

    name: str = ""
    kind: str = ""
    state: str = ""


def shortest_ttl_s(kind: Kind, asked_s: float | None) -> float:
    """The time to live of a command: the kind's, which a caller may shorten. Raises Rejected."""
    if asked_s is None:
        return kind.ttl_s
    if not asked_s > 0:
        raise Rejected("A time to live is a positive number of seconds.")
    return min(kind.ttl_s, asked_s)


def request_hash(device: Found, wanted: Wanted) -> bytes:
    """What tells one request from another under the same idempotency key."""
    asked = (device.place.site_id, device.id, wanted.kind, wanted.args, wanted.ttl_s, wanted.note, wanted.agent)
    return blake2b(encode_args(asked), digest_size=16).digest()

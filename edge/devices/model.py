"""Devices as pure values: what they are, when they count as online, and what may be done with them.

A device that cannot authenticate is *pending* at first: it gets the answers that keep it alive and nothing that
acts, until a technician approves it.
"""

from __future__ import annotations

import re
import secrets
from enum import StrEnum
from typing import get_args

import msgspec

from edge.clock import Stamp
from edge.errors import BadInput
from edge.wire.native import BoardKind

NAME_CHARS = 64
ALIAS_CHARS = 128
ALIASES_MAX = 12  # of one device
FACTS_BYTES = 4096
PENDING_DEVICES = 500  # more than a hub can own; past it who has been silent makes room, or the newcomer is counted
MADE_ROOM, MADE_ROOM_WITHIN_S = 60, 3600.0  # how often who is silent makes room: then newcomers are only counted
PENDING_PER_ADDRESS = 16  # one address is one device, or what stands in front of a few
PENDING_SILENT_S = 120.0  # a board that waits says something every 35 s at the least


class DeviceState(StrEnum):
    """Where a device stands with this hub."""

    PENDING = "pending"
    APPROVED = "approved"
    FORGOTTEN = "forgotten"


class Trust(StrEnum):
    """How sure the hub is of who sends what a device's key has signed."""

    NONE = "none"  # it has no key
    PAIRED = "paired"  # a key was agreed over the network; somebody may have stood in between
    CONFIRMED = "confirmed"  # given over a cable, or a person has compared the code that both sides show
    REVOKED = "revoked"  # a technician took its key away: it cannot speak here until it gets another


class Profile(msgspec.Struct, frozen=True):
    """What a device speaks: its kind and panel unless it says better, and how long it may be silent.

    `silence_s` is the age of the last evidence past which the device is offline; `sleeps_s` that of one whose fact
    `sleeps` says that it is silent for long and well. Where the fact `asleep_s` says how long, it is offline
    `silence_s` after that, and at the earliest LATE_S.
    """

    name: str
    kind: str
    panel: str
    silence_s: float
    drops_repeats: bool  # it refuses a command number it has already claimed, so redelivery is safe
    sleeps_s: float = 0.0


ASLEEP = "asleep_s"  # the fact
LATE_S = 900.0  # after it should have woken: one waking may reach nobody
ASLEEP_S = (300, 900, 3600, 4 * 3600, 86_400)  # in steps, so that a changing schedule is not written down each time


def asleep_step(longest_s: int) -> int:
    """The fact `asleep_s` of who sleeps so long at most."""
    return next((step for step in ASLEEP_S if longest_s <= step), ASLEEP_S[-1])


PROFILES = {
    profile.name: profile
    for profile in (
        # its poll may be held for 25 s, and 10 s are for one more try; on a cable the link itself tells sooner
        Profile("native", "display", "tft-320x480", silence_s=35.0, drops_repeats=True, sleeps_s=26 * 3600.0),
        # says nothing by itself: the open port is the evidence, renewed while it is open
        Profile("nic-display", "display", "nic-320x480", silence_s=25.0, drops_repeats=False),
        # the old PC program polls every 2 s: three polls missed and it is gone
        Profile("nic-client", "display", "nic-client", silence_s=6.0, drops_repeats=False),
        # polls every 3 s and reports every 10 s; its old server called it offline after 20 s
        Profile("thingsnxt", "thing", "", silence_s=20.0, drops_repeats=False),
        # polls every 2 s over WiFi but for 2 s of vending; on a cable the open port is renewed every 10 s
        Profile("vending", "vending", "", silence_s=15.0, drops_repeats=False),
        # gives a sign of life each 30 s, if its server answered when it started: three missed and it is gone
        Profile("asset-logger", "logger", "", silence_s=90.0, drops_repeats=False),
        # two of its sketches give a sign of life each 30 s; the others fall silent once they show something
        Profile("personalcms", "cms", "", silence_s=90.0, drops_repeats=False, sleeps_s=26 * 3600.0),
        # wakes when it was told to (its fact `asleep_s`); after a failure in 15, 30 and 60 s, and then in 900 s
        Profile("trmnl", "trmnl", "bmp-800x480", silence_s=1200.0, drops_repeats=False, sleeps_s=26 * 3600.0),
        # a Bluetooth sensor says something at least once an hour, or else only when a door opens
        Profile("bthome", "sensor", "", silence_s=3900.0, drops_repeats=False),
    )
}

NATIVE_KINDS: tuple[str, ...] = get_args(BoardKind)
"""What a board with our firmware may be; of other profiles there is one kind each."""

Facts = dict[str, str | int | float | bool | None]
"""What a device says of itself."""


HEARD_FIRST = frozenset({"bthome", "personalcms", "trmnl"})
"""Taken in once they are heard: adding one by hand would give it nothing to say."""


def kinds_of(profile: str) -> tuple[str, ...]:
    """The kinds of device that may be added with this profile; none for one that is not there or is heard first."""
    if profile in HEARD_FIRST:
        return ()
    if profile == "native":
        return NATIVE_KINDS
    return (PROFILES[profile].kind,) if profile in PROFILES else ()


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One device as stored. `aliases` are (system, name) pairs it is known by elsewhere.

    `link_key` signs what it says over the network; `epoch_new`: its flash was erased, so it has forgotten which
    commands it did, and nothing physical is asked of it until a person has said so; `owner` is an account's id.
    """

    id: str
    name: str
    kind: str
    profile: str
    state: DeviceState
    panel: str
    token_hash: bytes | None = None
    epoch: str = ""
    last_seq: int = 0
    facts: Facts = {}
    aliases: tuple[tuple[str, str], ...] = ()
    created_us: int
    approved_us: int | None = None
    approved_by: str = ""
    link_key: bytes | None = None
    trust: Trust = Trust.NONE
    epoch_new: bool = False
    owner: str = ""

    @property
    def trusted(self) -> bool:
        """Whether it may be told to act: what has a key must be confirmed, what has none is met on a cable only."""
        return self.trust is Trust.CONFIRMED or (self.link_key is None and self.trust is Trust.NONE)

    @property
    def approved(self) -> bool:
        """Whether it may be told to act."""
        return self.state is DeviceState.APPROVED


class Presence(msgspec.Struct, frozen=True):
    """The last evidence of life: when, on the monotonic clock of `stamp.boot_id`, and what it was."""

    stamp: Stamp
    how: str


def silence_s(device: Device) -> float:
    """For how long a device may be silent and be online."""
    profile, asleep_s = PROFILES[device.profile], device.facts.get("asleep_s")
    if not (device.facts.get("sleeps") and profile.sleeps_s):
        return profile.silence_s
    if isinstance(asleep_s, int | float):
        return min(profile.sleeps_s, max(profile.silence_s, LATE_S) + asleep_s)
    return profile.sleeps_s


def is_online(presence: Presence | None, device: Device, now: Stamp) -> bool:
    """Whether the evidence is young enough. Evidence of an earlier boot never is."""
    age = evidence_age_s(presence, now)
    return age is not None and age <= silence_s(device)


def evidence_age_s(presence: Presence | None, now: Stamp) -> float | None:
    """Seconds since the last evidence, by the monotonic clock; None when it was in another boot or never."""
    if presence is None or presence.stamp.boot_id != now.boot_id:
        return None
    return max(0, now.mono_ms - presence.stamp.mono_ms) / 1000


def age_told_s(presence: Presence | None, now: Stamp) -> float | None:
    """How old the evidence is, for a person: by the monotonic clock, else by wall time where both were good."""
    age_s = evidence_age_s(presence, now)
    if age_s is not None or presence is None:
        return age_s
    told = presence.stamp.quality.good and now.quality.good and presence.stamp.at_us <= now.at_us
    return (now.at_us - presence.stamp.at_us) / 1_000_000 if told else None


TOKEN_CHARS_MIN, TOKEN_CHARS_MAX = 8, 128


def check_token(secret: str) -> str:
    """A token that a device brought along. Raises BadInput unless it is of some length and printable ASCII."""
    if not TOKEN_CHARS_MIN <= len(secret) <= TOKEN_CHARS_MAX or not (secret.isascii() and secret.isprintable()):
        raise BadInput(f"A device's token has {TOKEN_CHARS_MIN} to {TOKEN_CHARS_MAX} printable characters.")
    return secret


_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}")


def canonical_id(claimed: str) -> str | None:
    """The MAC in `claimed` as 12 upper-case hex digits, when it is one in any form."""
    return re.sub("[:-]", "", claimed).upper() if _MAC.fullmatch(claimed) else None


def new_id() -> str:
    """An id for a device whose MAC is not known."""
    return f"dev-{secrets.token_hex(4)}"


def check_name(name: str) -> str:
    """A name as people may type it. Raises BadInput for an empty or overlong one, or control characters."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_CHARS or not name.isprintable():
        raise BadInput(f"A name has 1 to {NAME_CHARS} printable characters.")
    return name

"""Updates as hub, centre, devices and people speak of them: offers, steps, rollouts (docs/updates.md).

What a device and its hub say (`Offer`, `Told`, `Heard`) is the same over the network and on a cable; the views are
the JSON of /v1, the same at hub and centre, where each has the site besides.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from edge.wire.firmware import Kind
from edge.wire.native import Count
from edge.wire.views import Request, View

REASON_CHARS = 200
NOTES_CHARS = 500
TARGETS_MAX = 5000  # devices of one rollout
WAVES_MAX = 20
CONFIRM_S = 90.0  # after the switch a device has so long to be healthy at its hub; else it goes back by itself
PIECE_BYTES = 2048  # of a file, in one message on a cable; over the network a device asks with Range as it likes

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]


class Step(StrEnum):
    """How far a device is with what it was offered. The first seven lead to `confirmed`, in this order."""

    WAITING = "waiting"  # not offered yet, or not again before a while
    OFFERED = "offered"
    DOWNLOADING = "downloading"
    VERIFIED = "verified"  # all of it is on flash, hashes and signature are right
    STAGED = "staged"  # the switch is written: the next start is the new one
    TESTING = "testing"  # it runs the new one, unconfirmed
    DELAYED = "delayed"  # the device has work that must not be cut off; it goes on by itself
    CONFIRMED = "confirmed"
    ALREADY = "already"  # it ran that before it was offered
    FAILED = "failed"  # it could not be brought to flash, or the old device never came back with it
    REJECTED = "rejected"  # it will never take this: wrong chip, no trusted signature, older security version
    ROLLED_BACK = "rolled-back"  # it ran the new one, and went back
    TIMED_OUT = "timed-out"  # silent past its deadline: the hub says so
    WITHDRAWN = "withdrawn"  # it was taken back before the device had switched


GOOD = frozenset({Step.CONFIRMED, Step.ALREADY})
BAD = frozenset({Step.FAILED, Step.REJECTED, Step.ROLLED_BACK, Step.TIMED_OUT})
ENDED = GOOD | BAD | {Step.WITHDRAWN}
PAST_SWITCH = frozenset({Step.STAGED, Step.TESTING})  # never interrupted: the device knows best
RETRYABLE = frozenset({Step.FAILED, Step.TIMED_OUT, Step.ROLLED_BACK})


class RolloutState(StrEnum):
    """How a rollout stands."""

    SCHEDULED = "scheduled"  # begins at a time
    RUNNING = "running"
    PAUSED = "paused"  # by a person, or because too many failed: nothing new is offered
    ABORTED = "aborted"
    DONE = "done"  # every wave reached its success threshold
    SHORT = "short"  # all have ended, and too few of them well


# --- between a device and its hub


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Hub: this is what you shall run. It stands until it is another, or none. `size`: bytes of all its files."""

    artifact: Sha256
    kind: Kind
    size: Count
    attempt: Count = 1  # rises when the same artifact is offered again


def mark_of(offer: Offer) -> str:
    """What a device that knows of an offer says in its next poll."""
    return f"{offer.artifact[:16]}-{offer.attempt}"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Device: how far it is. `done` of `size` bytes; `reason` in a few words where it went wrong or waits."""

    artifact: Sha256
    step: Step
    attempt: Count = 1
    done: Count = 0
    size: Count = 0
    reason: Annotated[str, msgspec.Meta(max_length=REASON_CHARS)] = ""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Hub: it is on disk. `confirm`: you are well as you are; make it final."""

    artifact: Sha256
    step: Step
    confirm: bool = False


# --- artifacts


class ArtifactView(View, frozen=True, kw_only=True):
    """One artifact. `signed_by`: names of the trusted keys whose signatures hold. `legacy_only`: unsigned, so it
    goes to older devices alone. `checks`: what was looked at when it came, in sentences. `used_by`: rollouts that
    are not over.
    """

    id: str
    kind: Kind
    target: str
    chip: str
    version: str
    security: int
    size: int
    files: int
    sha256: str  # of an image; empty for an app
    md5: str
    signed_by: list[str]
    legacy_only: bool
    notes: str
    checks: list[str]
    created_at: str
    created_by: str
    used_by: int


class ArtifactFile(View, frozen=True, kw_only=True):
    """One file of an artifact."""

    path: str
    size: int
    sha256: str


class FirmwareKeyView(View, frozen=True, kw_only=True):
    """Somebody whose signatures are trusted here."""

    id: str
    name: str
    created_at: str
    created_by: str


class NewFirmwareKey(Request, frozen=True, kw_only=True):
    """Trust a public key, as PEM."""

    name: str
    pem: str


# --- groups and rollouts


class GroupView(View, frozen=True, kw_only=True):
    """Devices that are named together."""

    name: str
    devices: list[str]


class SetGroup(Request, frozen=True, kw_only=True):
    """All devices of a group."""

    devices: Annotated[list[str], msgspec.Meta(max_length=TARGETS_MAX)]


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which devices, by exactly one of these; at the centre `sites` narrows it (none: all the caller has)."""

    devices: list[str] = []
    group: str = ""
    kind: str = ""  # of device
    sites: list[str] = []


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it is rolled out. Percentages are of the wave's devices when it began.

    `waves`: the share of all devices that have had it after each wave, in percent, rising to 100; a leading 0 means
    one device, the canary. A wave stops the rollout when *more* than `errors_percent` of it went wrong; the next
    begins when at least `success_percent` of it ended well and `soak_s` have passed since. A device has
    `deadline_s` from the offer; silence is a failure. `window`: `HH:MM-HH:MM` by the site's time, outside of which
    nothing new is offered; empty for always.
    """

    waves: Annotated[tuple[int, ...], msgspec.Meta(min_length=1, max_length=WAVES_MAX)] = (0, 10, 50, 100)
    errors_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 5
    success_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 90
    soak_s: Annotated[int, msgspec.Meta(ge=0, le=14 * 86_400)] = 600
    deadline_s: Annotated[int, msgspec.Meta(ge=120, le=30 * 86_400)] = 3600
    window: str = ""
    attempts: Annotated[int, msgspec.Meta(ge=1, le=5)] = 2  # for a device whose download fails


class NewRollout(Request, frozen=True, kw_only=True):
    """Let devices run an artifact. `starts_at`: not before; empty for now."""

    artifact: str
    target: Target
    plan: Plan = Plan()
    name: str = ""
    starts_at: str = ""


class AssignFirmware(Request, frozen=True, kw_only=True):
    """Let one device run an artifact: a rollout of one."""

    artifact: str


class WaveView(View, frozen=True, kw_only=True):
    """One wave. `state`: waiting, open, soaking, done, stopped."""

    number: int
    devices: int
    good: int
    bad: int
    open: int
    state: str
    began_at: str | None
    next_at: str | None  # when the one behind it begins, if nothing else happens


class RolloutView(View, frozen=True, kw_only=True):
    """One rollout as it stands. `steps`: how many devices are at each. `eta_at`: when all is over at this pace."""

    id: str
    name: str
    artifact: str
    version: str
    artifact_target: str
    target: Target
    plan: Plan
    state: RolloutState
    reason: str
    devices: int
    steps: dict[str, int]
    waves: list[WaveView]
    bytes_done: int
    bytes_all: int
    eta_at: str | None
    created_at: str
    created_by: str
    started_at: str | None
    ended_at: str | None
    origin: str  # `site`, or `centre` when head office rolls it out
    starts_at: str | None = None  # of one that begins later: when


class RolloutDevice(View, frozen=True, kw_only=True):
    """One device of a rollout. `site` at the centre only."""

    device: str
    name: str
    wave: int
    step: Step
    attempt: int
    done: int
    size: int
    reason: str
    changed_at: str | None
    deadline_at: str | None
    site: str = ""


class PauseRollout(Request, frozen=True, kw_only=True):
    """Why, for those who come after."""

    reason: str = ""


class RetryRollout(Request, frozen=True, kw_only=True):
    """These devices, by id or name; none named: all that went wrong and may go well another time."""

    devices: Annotated[list[str], msgspec.Meta(max_length=TARGETS_MAX)] = msgspec.field(default_factory=list)


class MarkLegacy(Request, frozen=True, kw_only=True):
    """Whether a device takes unsigned images."""

    legacy: bool


class DeviceFirmware(View, frozen=True, kw_only=True):
    """What one device runs, by its own word and since when, and what it shall run."""

    device: str
    version: str
    app: str
    image: str
    security: int
    trial: bool
    legacy: bool
    seen_at: str | None
    rollout: str | None
    artifact: str | None
    step: Step | None
    reason: str
    held_off_until: str | None  # not offered again before: what it was offered went wrong


class FirmwareSeen(DeviceFirmware, frozen=True, kw_only=True):
    """The same as a hub tells head office: with what kind of app it runs, and how much of an offer it has."""

    target: str = ""
    attempt: int = 0
    done: int = 0
    size: int = 0


class FetchSeen(View, frozen=True, kw_only=True):
    """How a hub fetches an artifact from head office. `problem`: why it does not go on now, '' while it does."""

    artifact: str
    done: int
    size: int
    problem: str


class VersionCount(View, frozen=True, kw_only=True):
    """How many devices run a version."""

    target: str
    version: str
    devices: int


class ReasonCount(View, frozen=True, kw_only=True):
    """How often updates ended in this way, and why."""

    step: Step
    reason: str
    devices: int


class FirmwareSummary(View, frozen=True, kw_only=True):
    """Statistics. `success_rate`: of the updates that ended in the last 30 days; null for none."""

    versions: list[VersionCount]
    reasons: list[ReasonCount]
    ended: int
    success_rate: float | None

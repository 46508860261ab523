"""One device and what it was offered, as pure values: how far it is, what a word of it changes, when it is late.

What a device says may come twice, late, or of an attempt that is over. So an attempt has a number, and of an
earlier one only that counts which says what the device runs. What has ended stays as it is, but for evidence that
it came out otherwise: a device that was given up and comes back with the new version runs it, and is counted so.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from edge.clock import Stamp
from edge.wire.firmware import Kind, may_become
from edge.wire.native import Running
from edge.wire.updates import (
    BAD,
    CONFIRM_S,
    ENDED,
    PAST_SWITCH,
    REASON_CHARS,
    Offer,
    Plan,
    RolloutState,
    Step,
    Told,
)
from edge.wire.updates import Target as Whom

AGAIN_S, AGAIN_SPREAD = (
    60.0,
    0.15,
)  # after a first failed try, twice that after each more; spread, so not all at once
DAY_S = 24 * 3600.0
HOLD_OFF_S = DAY_S  # before an artifact that went wrong on a device may be offered to it by another rollout
UNASKED_S = 4 * CONFIRM_S  # for a device that tries what it is not offered now, left from an earlier attempt
ATTEMPT_MAX = 1_000_000  # no device is offered anything so often
TARGET_ANY = "micropython"  # the target of a whole image that any board of ours may run
NATIVE, OLDER = "native", "personalcms"  # profiles of devices that can be updated over the air

TELLING = PAST_SWITCH | BAD | {Step.DOWNLOADING, Step.VERIFIED, Step.DELAYED, Step.CONFIRMED, Step.ALREADY}
HUBS_OWN = frozenset({Step.TIMED_OUT, Step.WITHDRAWN, Step.WAITING, Step.OFFERED})
AT_WORK = frozenset({Step.DOWNLOADING, Step.VERIFIED, Step.DELAYED})
LATE = "It came back after its time was over."


class Firmware(msgspec.Struct, frozen=True, kw_only=True):
    """What of an artifact decides who may get it. `size`: bytes of all its files."""

    artifact: str
    kind: Kind
    target: str
    chip: str
    version: str
    security: int
    size: int
    legacy_only: bool = False


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """One as stored. `firmware` is None until what head office ordered is here. `stopped`: not by a person, but
    because too few ended well. `until_us`: past it nothing is offered. Where nothing sets the clock, `until_s` says
    the same by the clock of watching, for the boot `until_boot` alone. `halted`: head office has stopped it, so
    this site does not let it go on. The clocks are those of unset times.
    """

    id: str
    number: int
    name: str
    artifact: str
    firmware: Firmware | None
    whom: Whom
    plan: Plan
    state: RolloutState
    reason: str = ""
    stopped: bool = False
    origin: str = "site"
    created_us: int = 0
    created_clock: str | None = None
    created_by: str = ""
    starts_us: int | None = None
    started_us: int | None = None
    ended_us: int | None = None
    until_us: int | None = None
    until_s: float | None = None
    until_boot: str = ""
    halted: bool = False


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One device of a rollout, as stored. `attempt` counts offers, `tries` those that failed since a person asked.

    `deadline_s`, `again_s`: by the clock that counts only while the hub runs; of a deadline that stands still,
    `left_s` is left. `settled`: it went wrong, and a person let the rollout go on.
    """

    rollout: str
    device: str
    artifact: str
    wave: int
    step: Step = Step.WAITING
    attempt: int = 0
    tries: int = 0
    done: int = 0
    size: int = 0
    reason: str = ""
    changed_us: int | None = None
    changed_clock: str | None = None
    deadline_s: float | None = None
    left_s: float | None = None
    again_s: float | None = None
    settled: bool = False

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.step not in ENDED

    @property
    def past_switch(self) -> bool:
        """Whether the device alone decides how it goes on."""
        return self.step in PAST_SWITCH


def changed(target: Target, step: Step, reason: str = "", **more: object) -> Target:
    """At another step. One that has ended has no deadline."""
    if step in ENDED:
        more = {**more, "deadline_s": None, "left_s": None, "again_s": None}
    return msgspec.structs.replace(target, step=step, reason=reason[:REASON_CHARS], **more)


# --- what stands for it


def stands(target: Target, rollout: Rollout, *, followed: bool, window_open: bool) -> bool:
    """Whether the device shall see the offer now. `followed`: no order of head office that forbids it."""
    if target.past_switch:
        return True
    if rollout.state is not RolloutState.RUNNING or not followed:
        return False
    return target.step in AT_WORK or (target.step is Step.OFFERED and window_open)


def is_over(rollout: Rollout, now: Stamp, now_s: float) -> bool:
    """Whether head office's order has grown too old to be followed; `now_s` by the clock of watching."""
    if rollout.until_us is None:
        return False
    if now.quality.good:
        return now.at_us >= rollout.until_us
    return rollout.until_s is not None and now_s >= rollout.until_s


def is_followed(rollout: Rollout, now: Stamp, now_s: float) -> bool:
    """Whether an order is good now. A hub that wakes without a clock cannot know for how long it was off, and does
    not follow what it was told before."""
    known = rollout.until_us is None or now.quality.good or rollout.until_boot == now.boot_id
    return known and not is_over(rollout, now, now_s)


def good_until(now: Stamp, now_s: float, until_us: int | None, plan: Plan) -> dict[str, object]:
    """The fields of a rollout for an order taken now. By a clock that nothing has set it is good for as long as a
    device may need for it."""
    if until_us is None:
        return {"until_us": None, "until_s": None, "until_boot": ""}
    left_s = (until_us - now.at_us) / 1_000_000
    if not now.quality.good:
        left_s = min(left_s, plan.deadline_s + (DAY_S if plan.window else 0.0))
    return {"until_us": until_us, "until_s": now_s + left_s, "until_boot": now.boot_id}


def offer_of(target: Target, firmware: Firmware) -> Offer:
    """The offer as the device gets it."""
    return Offer(artifact=target.artifact, kind=firmware.kind, size=firmware.size, attempt=max(1, target.attempt))


def offered(target: Target, firmware: Firmware, now_s: float, deadline_s: float) -> Target:
    """Offered, once more or for the first time."""
    return changed(
        target,
        Step.OFFERED,
        attempt=target.attempt + 1,
        done=0,
        size=firmware.size,
        deadline_s=now_s + deadline_s,
        left_s=None,
        again_s=None,
    )


def stopped_clock(target: Target, now_s: float) -> Target:
    """With its deadline standing still: it cannot be blamed for an offer it does not see."""
    if target.deadline_s is None:
        return target
    return msgspec.structs.replace(target, deadline_s=None, left_s=max(0.0, target.deadline_s - now_s))


def running_clock(target: Target, now_s: float) -> Target:
    """With its deadline counted on."""
    if target.left_s is None:
        return target
    return msgspec.structs.replace(target, deadline_s=now_s + target.left_s, left_s=None)


def with_clock(target: Target, *, runs: bool, now_s: float) -> Target:
    """With its deadline as it must be while the offer stands, or does not."""
    return running_clock(target, now_s) if runs else stopped_clock(target, now_s)


def is_late(target: Target, now_s: float) -> bool:
    """Whether its time is over."""
    return target.open and target.deadline_s is not None and now_s >= target.deadline_s


def timed_out(target: Target) -> Target:
    """Given up: silence is a failure."""
    return changed(target, Step.TIMED_OUT, SILENT.get(target.step, "It did not finish in time."))


SILENT = {
    Step.OFFERED: "It never began; nothing was heard of it about this.",
    Step.STAGED: "It was about to start the new version, and was not heard of again.",
    Step.TESTING: "It started the new version, and never became healthy at the hub.",
}


def withdrawn(target: Target, reason: str) -> Target:
    """Taken back."""
    return changed(target, Step.WITHDRAWN, reason)


def retried(target: Target) -> Target:
    """A person asks that it be tried again."""
    return changed(target, Step.WAITING, done=0, tries=0, again_s=None, settled=False)


def may_be_retried(target: Target) -> bool:
    """Whether trying again can help: never where the device said that it will not take this."""
    return target.step in (Step.FAILED, Step.TIMED_OUT, Step.ROLLED_BACK, Step.WITHDRAWN)


def spoils(before: Target, now: Target) -> bool:
    """Whether what happened speaks against this artifact on this device, and not only against its being there."""
    if now.step in (Step.FAILED, Step.ROLLED_BACK):
        return True
    return now.step is Step.TIMED_OUT and before.past_switch


# --- what it says


def hear(target: Target, told: Told, attempts: int, now_s: float) -> Target:
    """Where a word of the device leads; the very same target where it changes nothing.

    A device that came from another hub, or whose hub was restored, may have counted further than this one: its
    count is taken over, or it would answer the next offers with how those of the same number ended.
    """
    if told.step in HUBS_OWN:
        return target
    now = _hear(target, told, attempts, now_s)
    if told.step in BAD and target.attempt < told.attempt <= ATTEMPT_MAX:
        return msgspec.structs.replace(now, attempt=told.attempt)
    return now


def _hear(target: Target, told: Told, attempts: int, now_s: float) -> Target:
    if not target.open:
        return _late(target, told)
    if told.step in (Step.CONFIRMED, Step.ALREADY):
        unasked = target.step in (Step.WAITING, Step.OFFERED) and told.step is Step.ALREADY
        return changed(target, Step.ALREADY if unasked else Step.CONFIRMED, done=target.size)
    if target.step is Step.WAITING:  # it is offered nothing now: only what it runs still says something
        return _at(target, told, now_s) if told.step is Step.TESTING else target
    if told.attempt < target.attempt:
        return _at(target, told, now_s) if told.step in PAST_SWITCH else target
    if told.step is Step.FAILED:
        return _failed(target, told.reason, attempts, now_s)
    if told.step in BAD:
        return changed(target, told.step, told.reason)
    return _at(target, told, now_s)


def _at(target: Target, told: Told, now_s: float) -> Target:
    """At one of the steps on the way, with what is done of it."""
    if target.past_switch and told.step is Step.DELAYED:
        return msgspec.structs.replace(target, reason=told.reason)
    if target.step is Step.TESTING and told.step is not Step.TESTING:
        return target  # said before it started anew, and heard late
    size = min(told.size or target.size, target.size)  # it may need less than all of it, never more
    on = msgspec.structs.replace(
        target, step=told.step, done=min(told.done, size), size=size, reason=told.reason, again_s=None
    )
    if not on.past_switch:
        return on
    if on.deadline_s is None and on.left_s is None:
        return msgspec.structs.replace(on, deadline_s=now_s + UNASKED_S)
    return running_clock(on, now_s)


def _failed(target: Target, reason: str, attempts: int, now_s: float) -> Target:
    tries = target.tries + 1
    if tries >= attempts or target.past_switch:
        return changed(target, Step.FAILED, reason, tries=tries)
    again_s = now_s + back_off_s(target.rollout, target.device, tries)
    why = f"Try {tries} failed: {reason}" if reason else f"Try {tries} failed."
    return changed(target, Step.WAITING, why, tries=tries, again_s=again_s, deadline_s=None, left_s=None)


def _late(target: Target, told: Told) -> Target:
    """News of what has ended."""
    if told.step in (Step.CONFIRMED, Step.ALREADY):
        return changed(target, Step.CONFIRMED, LATE) if target.step in BAD | {Step.WITHDRAWN} else target
    if told.attempt < target.attempt:
        return target
    if told.step is Step.ROLLED_BACK and target.step in (Step.TIMED_OUT, Step.WITHDRAWN):
        return changed(target, Step.ROLLED_BACK, told.reason or LATE)
    if told.step in (Step.FAILED, Step.REJECTED) and target.step is Step.TIMED_OUT:
        return changed(target, told.step, told.reason or LATE)
    if told.step is Step.ROLLED_BACK is target.step and told.reason:
        return msgspec.structs.replace(target, reason=told.reason[:REASON_CHARS])
    return target


def seen_running(target: Target, running: Running, now_s: float) -> Target:
    """Where it leads that the device runs this, by its hello; the same target where that says nothing."""
    runs_it = target.artifact in (running.app, running.image)
    if runs_it and not running.trial:
        return hear(target, Told(artifact=target.artifact, step=Step.ALREADY, attempt=target.attempt), 1, now_s)
    if runs_it and target.open:
        return hear(target, Told(artifact=target.artifact, step=Step.TESTING, attempt=target.attempt), 1, now_s)
    if target.step is Step.TESTING and not runs_it:
        back = f"It runs {running.version or 'what it ran before'} again."
        return changed(target, Step.ROLLED_BACK, back)
    return target


def back_off_s(rollout: str, device: str, tries: int) -> float:
    """How long after a failed try the next is made: about 60 s, twice that after each more; the same whenever it is
    asked, so that a restart changes nothing."""
    drawn = int.from_bytes(blake2b(f"{rollout} {device} {tries}".encode(), digest_size=4).digest(), "big") / 2**32
    return AGAIN_S * 2.0 ** (tries - 1) * (1 + AGAIN_SPREAD * (2 * drawn - 1))


# --- who may get it


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a device that decides what it may run. `variant`: what kind of app it runs."""

    profile: str
    variant: str
    approved: bool
    trusted: bool
    legacy: bool  # an administrator said that it takes unsigned images
    running: Running | None = None


def objection(board: Board, firmware: Firmware) -> str:
    """Why this device does not get this, in a sentence; '' where it does."""
    if not board.approved:
        return "It is not approved."
    if board.profile not in (NATIVE, OLDER):
        return f"A device that speaks {board.profile} cannot be updated over the air."
    if firmware.legacy_only and board.profile != OLDER and not board.legacy:
        return "The firmware is unsigned, and goes to older devices alone."
    wrong = _wrong_sort(board, firmware)
    if wrong:
        return wrong
    running = board.running
    if running is None:
        return ""
    if running.chip and firmware.chip and running.chip != firmware.chip:
        return f"The firmware is for {firmware.chip}, and this is {running.chip}."
    runs = running.security if firmware.kind is Kind.APP else running.image_security
    if not firmware.legacy_only and firmware.security < runs:
        return f"It runs security version {runs} and does not go back to {firmware.security}."
    return ""


def _wrong_sort(board: Board, firmware: Firmware) -> str:
    if board.profile == OLDER:
        return "An older device takes whole images alone." if firmware.kind is not Kind.ESP_IMAGE else ""
    if not board.trusted:
        return "Its key is not confirmed: compare the code it shows, or connect it by cable."
    if firmware.kind is Kind.APP and not may_become(board.variant, firmware.target):
        return f"A {board.variant} does not become a {firmware.target} over the air; flash it by cable."
    if firmware.kind is Kind.ESP_IMAGE and firmware.target != TARGET_ANY and not board.legacy:
        return f"The image is for {firmware.target} and not for boards with our firmware."
    return ""

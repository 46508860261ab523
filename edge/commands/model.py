"""The life of a command as pure rules: transitions, time to live, and what an attempt's outcome means.

A physical act happens at most once per command. When nobody can know whether it happened the command is
`in_doubt` and a person decides; it is never retried blindly.
"""

from __future__ import annotations

from typing import Any

import msgspec

from edge.clock import Quality, Stamp
from edge.errors import BadInput, Conflict
from edge.wire.commands import ENDED, State
from edge.wire.kinds import KINDS, Kind, public
from edge.wire.orders import Outcome, Verdict

REASON_CHARS = 300  # of what a device says about a failure
OLD_DEVICE_ATTEMPTS = 2  # a device that does not know a command's number is told the same thing twice at most

TRANSITIONS: dict[State, frozenset[State]] = {
    # in doubt: taken back, or out of time, after an attempt that may have reached the device
    State.QUEUED: frozenset({State.SENT, State.EXPIRED, State.CANCELLED, State.SUPERSEDED, State.IN_DOUBT}),
    State.SENT: frozenset({State.QUEUED, State.SUCCEEDED, State.FAILED, State.IN_DOUBT}),
    State.IN_DOUBT: frozenset({State.SUCCEEDED, State.FAILED}),
    **{ended: frozenset() for ended in ENDED},
}


def advance(now: State, to: State) -> State:
    """`to`, if the table allows it. Raises Conflict."""
    if to not in TRANSITIONS[now]:
        raise Conflict(f"A command that is {now.value} cannot become {to.value}.")
    return to


def kind_of(name: str) -> Kind:
    """The rules of a kind. Raises BadInput."""
    try:
        return KINDS[name]
    except KeyError:
        known = ", ".join(KINDS)
        raise BadInput(f"There is no command kind {name!r}.", hint=f"Known kinds: {known}.") from None


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One command as stored. `args` is None once erased; `expires_ms` is on the monotonic clock of `boot_id`.

    `ended_clock`: by which clock `ended_us` is, where nothing had set it (edge/store/boots.py).
    """

    number: int
    id: str
    device_id: str
    kind: str
    state: State
    args: dict[str, Any] | None
    session_id: int | None
    agent: str
    actor: str
    seq: int | None
    attempts: int
    created_us: int
    quality: Quality
    boot_id: str
    expires_ms: int
    expires_us: int
    ended_us: int | None
    reason: str
    resolved_by: str
    duration_s: float | None
    ended_clock: str | None = None

    @property
    def created_ms(self) -> int:
        """When it was accepted, on the monotonic clock of `boot_id`."""
        return self.expires_ms - (self.expires_us - self.created_us) // 1000


def remaining_ms(command: Command, now: Stamp) -> int:
    """What is left of its time to live, negative when over.

    Counted on the monotonic clock; after a reboot it is what wall time of good quality says, else nothing is left.
    """
    if command.boot_id == now.boot_id:
        return command.expires_ms - now.mono_ms
    if command.quality.good and now.quality.good:
        return (command.expires_us - now.at_us) // 1000
    return -1


class Verdicts(msgspec.Struct, frozen=True):
    """What an attempt makes of its command."""

    state: State
    reason: str


def judge(command: Command, outcome: Outcome, now: Stamp, *, drops_repeats: bool) -> Verdicts:
    """The state after an attempt.

    Back to the queue only where no byte left, where the device drops repeats of a number, or where repeating is
    harmless and was not yet tried twice; always within the time to live. A device that cannot know what became of
    a number gives the same answer again, so then only a harmless kind goes on, under a new number.
    """
    if outcome.verdict is Verdict.DONE:
        return Verdicts(State.SUCCEEDED, "")
    if outcome.verdict is Verdict.FAILED:
        return Verdicts(State.FAILED, outcome.reason or "The device refused it.")
    if outcome.verdict is Verdict.NOT_SENT:
        return Verdicts(State.QUEUED, outcome.reason)
    harmless = kind_of(command.kind).repeatable and command.attempts < OLD_DEVICE_ATTEMPTS
    asking_helps = drops_repeats and outcome.verdict is Verdict.UNKNOWN
    if (asking_helps or harmless) and remaining_ms(command, now) > 0:
        return Verdicts(State.QUEUED, outcome.reason)
    return Verdicts(State.IN_DOUBT, outcome.reason or "Nobody can know whether it happened.")


def heard(outcome: Outcome) -> Outcome:
    """The outcome with its reason as it can be kept: a device's own words, printable and short."""
    plain = "".join(letter if letter.isprintable() else " " for letter in outcome.reason[:REASON_CHARS])
    return msgspec.structs.replace(outcome, reason=plain.strip())


def public_args(command: Command) -> dict[str, Any]:
    """The arguments that may be shown."""
    return public(kind_of(command.kind), command.args or {})

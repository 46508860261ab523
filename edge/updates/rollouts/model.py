"""When a wave begins, when all stops, when it is over: a rollout's counts and a clock in, what to do out.

The hub judges the devices of its site with this, the centre those of many. `now_s` is any clock that rises while
somebody watches and stands still while nobody does: a hub that was off has not watched, so no device was silent.

A wave stops the rollout when more than `errors_percent` of its devices went wrong, of all it began with, which is
looked at first. The next begins once `success_percent` ended well, and `soak_s` after that. Devices that were taken
back (forgotten, wanted by a newer rollout) count as neither, but a wave with none that ended well never lets the
next begin. A person who lets a stopped rollout go on takes what went wrong so far as settled.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec

from edge.errors import BadInput
from edge.windows import Window
from edge.wire.updates import BAD, GOOD, Plan, RolloutState, Step

UNDER_WAY = frozenset({RolloutState.RUNNING, RolloutState.PAUSED})
OPEN = UNDER_WAY | {RolloutState.SCHEDULED}
"""States of a rollout that may still change anything by itself."""


class Wave(msgspec.Struct, frozen=True, kw_only=True):
    """How one wave stands. `bad` are those that no person has settled; `reached_s`: when enough had ended well."""

    number: int  # from 1
    total: int
    good: int = 0
    already: int = 0  # of the good ones: they ran it before
    bad: int = 0
    settled: int = 0
    withdrawn: int = 0
    began: bool = False
    reached_s: float | None = None
    passed: bool = False  # a person let it pass

    @property
    def open(self) -> int:
        """Devices that have not ended."""
        return self.total - self.good - self.bad - self.settled - self.withdrawn


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What follows: the state from now on and why, waves that have reached their threshold, and one that begins."""

    state: RolloutState
    reason: str = ""
    reached: tuple[int, ...] = ()
    begins: int | None = None


def check_plan(plan: Plan) -> Plan:
    """The plan, if it is one. Raises BadInput."""
    waves = plan.waves
    if waves[-1] != 100 or waves[0] < 0 or any(later <= earlier for earlier, later in itertools.pairwise(waves)):
        raise BadInput("The waves are shares in percent that rise to 100, for example 0, 10, 50, 100.")
    if plan.window:
        Window.parse(plan.window)
    return plan


def split(count: int, shares: Sequence[int]) -> list[int]:
    """How many devices each wave has; a share of 0 is one device, and a wave without any is none."""
    sizes, had = [], 0
    for share in shares:
        upto = min(count, max(1, -(-count * share // 100)))
        if upto > had:
            sizes.append(upto - had)
            had = upto
    return sizes


def wave_of(number: int, counts: Sequence[tuple[Step, bool, int]], **more: object) -> Wave:
    """A wave from how many of its devices are at each step; the flag says that a person has settled them."""
    good = sum(count for step, _, count in counts if step in GOOD)
    already = sum(count for step, _, count in counts if step is Step.ALREADY)
    bad = sum(count for step, settled, count in counts if step in BAD and not settled)
    gone = sum(count for step, settled, count in counts if step in BAD and settled)
    withdrawn = sum(count for step, _, count in counts if step is Step.WITHDRAWN)
    total = sum(count for *_, count in counts)
    plain = Wave(number=number, total=total, good=good, already=already, bad=bad, settled=gone, withdrawn=withdrawn)
    return msgspec.structs.replace(plain, **more)


def too_many_failed(wave: Wave, plan: Plan) -> bool:
    """Whether more went wrong than may: strictly more, of all the wave began with."""
    return wave.began and wave.bad * 100 > plan.errors_percent * wave.total


def enough_went_well(wave: Wave, plan: Plan) -> bool:
    """Whether it reached its threshold, or a person let it pass."""
    counted = wave.total - wave.settled - wave.withdrawn
    return wave.passed or (wave.good > 0 and wave.good * 100 >= plan.success_percent * counted)


def evaluate(state: RolloutState, plan: Plan, waves: Sequence[Wave], now_s: float) -> Verdict:
    """What is to be done now. Asked again with what it led to, and nothing else new, it says: nothing more."""
    if state is not RolloutState.RUNNING:
        return Verdict(state=state)
    stopped = [wave for wave in waves if too_many_failed(wave, plan)]
    if stopped:
        return Verdict(state=RolloutState.PAUSED, reason=failed_reason(stopped[0], plan))
    reached = tuple(
        wave.number for wave in waves if wave.began and wave.reached_s is None and enough_went_well(wave, plan)
    )
    begun = [wave for wave in waves if wave.began]
    behind = waves[len(begun) :]
    if not behind:
        return _at_the_end(plan, waves, reached)
    if not begun:
        return Verdict(state=state, begins=behind[0].number)
    last = begun[-1]
    if enough_went_well(last, plan):
        begins = behind[0].number if now_s >= soaked_s(last, plan, now_s) else None
        return Verdict(state=state, reached=reached, begins=begins)
    if not last.open:
        return Verdict(state=RolloutState.PAUSED, reason=short_reason(last, plan), reached=reached)
    return Verdict(state=state, reached=reached)


def _at_the_end(plan: Plan, waves: Sequence[Wave], reached: tuple[int, ...]) -> Verdict:
    """All waves have begun."""
    if any(wave.open for wave in waves):
        return Verdict(state=RolloutState.RUNNING, reached=reached)
    short = [wave for wave in waves if not enough_went_well(wave, plan)]
    if short:
        return Verdict(state=RolloutState.SHORT, reason=short_reason(short[0], plan), reached=reached)
    return Verdict(state=RolloutState.DONE, reached=reached)


def soaked_s(wave: Wave, plan: Plan, now_s: float) -> float:
    """When the wave behind one that went well begins; where a person let it pass, or nothing was new, at once."""
    if wave.passed or wave.good == wave.already:
        return now_s
    return (now_s if wave.reached_s is None else wave.reached_s) + plan.soak_s


def failed_reason(wave: Wave, plan: Plan) -> str:
    """Why a rollout stopped, in a sentence."""
    wrong = f"{wave.bad} of {wave.total} devices of wave {wave.number} went wrong"
    return f"{wrong}; more than {plan.errors_percent} % stops it."


def short_reason(wave: Wave, plan: Plan) -> str:
    """Why it does not go on, in a sentence."""
    counted = wave.total - wave.settled - wave.withdrawn
    ended = f"Wave {wave.number} has ended, and {wave.good} of {counted} devices well"
    return f"{ended}; {plan.success_percent} % are needed."


def shown_as(wave: Wave, plan: Plan, *, behind_waits: bool) -> str:
    """A wave's state in a word: waiting, open, soaking, done, stopped. `behind_waits`: the next has not begun."""
    if not wave.began:
        return "waiting"
    if too_many_failed(wave, plan):
        return "stopped"
    if enough_went_well(wave, plan):
        return "soaking" if behind_waits else "open" if wave.open else "done"
    return "open" if wave.open else "stopped"

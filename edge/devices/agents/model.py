"""Who may sit at which display, as pure rules.

A technician binds a workstation (a computer's name) to a display; that an agent sits there is a session. Names and
ids are only claimed, so a claim never outranks what is known: a display that somebody else holds changes hands only
from the workstation bound to it, and nobody is ever given "some free display".
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.clock import Stamp
from edge.errors import BadInput
from edge.wire.older import AGENT_CHARS, agent_of

LEASE_S = 12 * 3600.0  # the longest shift; after it a forgotten session no longer keeps the desk
NOTE_EVERY_S = 600.0  # how often activity reaches the disk: a lease may end this much early after a restart
CLAIMS = 1000  # people waiting for a technician; more is a flood, and the oldest go
DEPARTURES = 1000  # agents who have yet to hear that their desk was taken
NAME_CHARS = 128


class How(StrEnum):
    """What seated an agent."""

    DEVICE_ID = "device-id"
    WORKSTATION = "workstation"
    TECHNICIAN = "technician"


class End(StrEnum):
    """What ended a session."""

    TAKEOVER = "takeover"  # the next agent at the same workstation
    MOVED = "moved"  # he links elsewhere
    EXPIRED = "expired"  # his lease ran out
    TECHNICIAN = "technician"  # a person decided


TOLD = frozenset({End.TAKEOVER, End.TECHNICIAN})  # ends that the agent did not bring about and must hear of


class Refusal(StrEnum):
    """Why a link was refused."""

    NO_DISPLAY = "no-display"  # neither the id nor the computer's name leads to a display
    HELD = "held"  # somebody else sits there, and the request is not from the bound workstation
    OFFLINE = "offline"  # the right display, but it gives no sign of life


class Verdict(StrEnum):
    """What a link request comes to once its display is known."""

    SEAT = "seat"
    REFRESH = "refresh"
    TAKE_OVER = "take-over"
    HELD = "held"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """An agent at a display. `yields`: the display's client has started anew, so the next agent may take over."""

    id: int
    agent: str
    name: str
    device_id: str
    how: str
    started_us: int
    active_us: int
    yields: bool = False


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """A session's end: `by` is the agent or person behind it, `at_us` when."""

    session: Session
    why: End
    by: str
    at_us: int


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """An agent who asked for a display that only a technician can give him."""

    agent: str
    name: str
    device_id: str
    computer_name: str
    why: str
    asked_us: int
    count: int


class Linked(msgspec.Struct, frozen=True):
    """The agent sits at `session.device_id`; `earlier` is the session he took over, if any."""

    session: Session
    earlier: Session | None = None


class Refused(msgspec.Struct, frozen=True):
    """He does not; `device_id` is the display that was meant, '' when none was found."""

    why: Refusal
    device_id: str = ""


def agent_key(raw: object) -> str:
    """An agent's id as the hub compares it, see `agent_of`. Raises BadInput for what is none."""
    agent = agent_of(raw)
    if agent is None:
        raise BadInput(f"An agent's id is a number, or a text of 1 to {AGENT_CHARS} printable characters.")
    return agent


def display_name(raw: str) -> str:
    """An agent's name as shown: one line, bounded."""
    return "".join(char for char in raw if char.isprintable()).strip()[:NAME_CHARS]


def computer_key(name: str) -> str:
    """A computer's name as the hub compares it: Windows names differ by more than case."""
    return name.strip().casefold()


def wanted(named: str | None, bound: str | None) -> tuple[str, How] | None:
    """The display a request leads to: the one named by its id, else the one its workstation is bound to.

    `named` is the approved display with exactly that id; `bound` the only display a technician bound to the
    request's computer. None: neither, and then nothing is guessed.
    """
    if named is not None:
        return named, How.DEVICE_ID
    return (bound, How.WORKSTATION) if bound is not None else None


def judge(agent: str, holder: Session | None, *, at_workstation: bool, at_client: bool) -> Verdict:
    """What becomes of `agent`'s request for a display that `holder` holds (None: nobody, or his lease ran out).

    `at_workstation`: a technician bound the request's computer to exactly this display. `at_client`: the request
    does not contradict the computer that the display's client runs on; this counts only while the holder yields.
    """
    if holder is None:
        return Verdict.SEAT
    if holder.agent == agent:
        return Verdict.REFRESH
    return Verdict.TAKE_OVER if at_workstation or (holder.yields and at_client) else Verdict.HELD


def is_restart(recorded: str, computer_name: str) -> bool:
    """Whether a client's registration comes from the computer recorded for it, and so may make its desk yield.

    A registration proves little, since everybody with the shared key can send one. So it ends no session: the
    agent keeps the desk, his next link or picture takes the yielding back, and only a request that names this very
    display, and no other computer, can take over meanwhile. One from another computer changes nothing.
    """
    return bool(recorded) and computer_key(recorded) == computer_key(computer_name)


def idle_s(session: Session, now: Stamp) -> float:
    """Seconds since the session's stored activity by the wall clock, 0 when that clock cannot be trusted."""
    return max(0.0, (now.at_us - session.active_us) / 1_000_000) if now.quality.good else 0.0

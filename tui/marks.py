"""How a state looks: a mark, a word and a colour. The word alone says it all; the rest is for speed."""

from __future__ import annotations

from typing import NamedTuple

from edge.wire.assets import AssetView
from edge.wire.commands import State
from edge.wire.flashing import FlashState
from edge.wire.updates import RolloutState, Step
from edge.wire.views import DeviceView, PortView


class Mark(NamedTuple):
    """`style` is the name of a colour in tui/looks.py."""

    glyph: str
    word: str
    style: str


COMMANDS = {
    State.QUEUED: Mark("○", "queued", "quiet"),
    State.SENT: Mark("◐", "sent", "busy"),
    State.SUCCEEDED: Mark("●", "done", "good"),
    State.FAILED: Mark("✗", "failed", "bad"),
    State.IN_DOUBT: Mark("▲", "in doubt", "warn"),
    State.EXPIRED: Mark("◌", "expired", "quiet"),
    State.CANCELLED: Mark("◌", "cancelled", "quiet"),
    State.SUPERSEDED: Mark("◌", "superseded", "quiet"),
}

PORTS = {
    "online": Mark("●", "online", "good"),
    "opening": Mark("◐", "opening", "busy"),
    "detecting": Mark("◐", "detecting", "busy"),
    "absent": Mark("○", "absent", "quiet"),
    "failed": Mark("✗", "failed", "bad"),
}

ASSETS = {
    "running": Mark("●", "running", "good"),
    "stopped": Mark("■", "stopped", "bad"),
    "planned": Mark("○", "planned", "quiet"),
    "unknown": Mark("?", "unknown", "warn"),
    "silent": Mark("◌", "silent", "warn"),
    "chatter": Mark("▲", "chatters", "warn"),
}

STEPS = {
    Step.WAITING: Mark("○", "waiting", "quiet"),
    Step.OFFERED: Mark("◐", "offered", "busy"),
    Step.DOWNLOADING: Mark("◐", "downloading", "busy"),
    Step.VERIFIED: Mark("◐", "verified", "busy"),
    Step.STAGED: Mark("◐", "switching", "busy"),
    Step.TESTING: Mark("◐", "testing", "busy"),
    Step.DELAYED: Mark("○", "delayed", "warn"),
    Step.CONFIRMED: Mark("●", "confirmed", "good"),
    Step.ALREADY: Mark("●", "ran it already", "good"),
    Step.FAILED: Mark("✗", "failed", "bad"),
    Step.REJECTED: Mark("✗", "rejected", "bad"),
    Step.ROLLED_BACK: Mark("✗", "rolled back", "bad"),
    Step.TIMED_OUT: Mark("✗", "timed out", "bad"),
    Step.WITHDRAWN: Mark("◌", "withdrawn", "quiet"),
}

ROLLOUTS = {
    RolloutState.SCHEDULED: Mark("○", "scheduled", "quiet"),
    RolloutState.RUNNING: Mark("◐", "running", "busy"),
    RolloutState.PAUSED: Mark("▲", "paused", "warn"),
    RolloutState.ABORTED: Mark("◌", "aborted", "quiet"),
    RolloutState.DONE: Mark("●", "done", "good"),
    RolloutState.SHORT: Mark("✗", "fell short", "bad"),
}

WAVES = {
    "waiting": Mark("○", "waiting", "quiet"),
    "open": Mark("◐", "open", "busy"),
    "soaking": Mark("◐", "soaking", "busy"),
    "done": Mark("●", "done", "good"),
    "stopped": Mark("▲", "stopped", "warn"),
}

JOBS = {
    "running": Mark("◐", "at work", "busy"),
    "done": Mark("●", "done", "good"),
    "failed": Mark("✗", "failed", "bad"),
    "cancelled": Mark("◌", "cancelled", "quiet"),
}


def of_wave(state: str) -> Mark:
    """A wave; a state unknown here by its own word."""
    return WAVES.get(state, Mark("?", state, "warn"))


def of_job(state: FlashState | str) -> Mark:
    """Work at a board."""
    return JOBS.get(str(state), Mark("?", str(state), "warn"))


def of_asset(view: AssetView, heard_s: float | None) -> Mark:
    """A machine's state. What is unknown says why: its logger is silent, or its input changes oftener than any
    machine; `heard_s` is how long ago that logger was heard."""
    if view.chatter:
        return ASSETS["chatter"]
    if view.state == "unknown" and heard_s is not None and heard_s > view.silent_s:
        return ASSETS["silent"]
    return ASSETS.get(view.state, Mark("?", view.state, "warn"))


def of_device(view: DeviceView) -> Mark:
    """A device: waiting for approval, online, or offline."""
    if view.state == "pending":
        return Mark("▲", "pending", "warn")
    return Mark("●", "online", "good") if view.online else Mark("○", "offline", "bad")


def of_command(state: State) -> Mark:
    """A command's state."""
    return COMMANDS[state]


def of_port(view: PortView) -> Mark:
    """A port's state; one this terminal does not know is shown by its own word. What a technician's work has for a
    while has not failed."""
    if view.owner == "lent":
        return Mark("◐", "lent", "busy")
    return PORTS.get(view.state, Mark("?", view.state, "warn"))

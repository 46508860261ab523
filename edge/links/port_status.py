"""What a port's owner tells of it: where it stands, what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec

from edge.clock import Clock, iso
from edge.errors import Busy, LinkError, OutpostError
from edge.links.boot_text import Stranger
from edge.links.ports import PortFacts
from edge.wire.views import PortView

HUB, IGNORED, ABSENT_OWNER, MONITOR, LENT = "hub", "ignored", "absent", "monitor", "lent"


TAKEN = frozenset({IGNORED, MONITOR, LENT})  # owners by a technician's will


class PortState(StrEnum):
    """Where a port stands."""

    ABSENT = "absent"
    OPENING = "opening"
    DETECTING = "detecting"
    ONLINE = "online"
    FAILED = "failed"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One state of a port, with what a person needs to know of it."""

    state: PortState
    owner: str = HUB
    profile: str = ""
    baud: int = 0
    device: str | None = None
    detail: str = ""
    hint: str = ""


ABSENT = Note(
    state=PortState.ABSENT,
    owner=ABSENT_OWNER,
    detail="nothing is plugged in here",
    hint="Plug the device in; the hub takes it up by itself.",
)
RELEASED = Note(
    state=PortState.FAILED,
    owner=IGNORED,
    detail="given up by a technician",
    hint="`own` it again when the other program is done.",
)
WATCHED = Note(
    state=PortState.FAILED,
    owner=MONITOR,
    detail="a technician watches the raw line",
    hint="Close the monitor and `own` the port to use it again.",
)


def lent_to(what: str) -> Note:
    """A port that a technician's work has for a while; `what` is that work, as in "setting up its WiFi"."""
    hint = "The hub takes the port again by itself when that is done."
    return Note(state=PortState.FAILED, owner=LENT, detail=what, hint=hint)


def failure(error: Exception) -> Note:
    """What an error means for a person."""
    if isinstance(error, Stranger):
        return _failed(error, IGNORED)
    if isinstance(error, Busy):
        holder = error.detail.partition(" is held by ")[2]
        return _failed(error, holder or "another program")
    if isinstance(error, OutpostError):
        return _failed(error, HUB)
    return _failed(
        LinkError(f"the hub's own fault: {type(error).__name__}: {error}", hint="Please report it."), HUB
    )


def _failed(error: OutpostError, owner: str) -> Note:
    return Note(state=PortState.FAILED, owner=owner, detail=error.detail, hint=error.advice)


class PortStatus:
    """The present note on one port; tells each change."""

    def __init__(self, path: str, clock: Clock, tell: Callable[[PortView], None]) -> None:
        self._clock, self._tell = clock, tell
        self.facts = PortFacts(path=path, real=path)
        self.note = ABSENT
        self._since = iso(clock.now().at_us)

    def show(self, note: Note) -> None:
        """Take a new note; `since` moves only when something changed."""
        if note != self.note:
            self.note, self._since = note, iso(self._clock.now().at_us)
            self._tell(self.view())

    def view(self) -> PortView:
        """As it is now."""
        note, facts = self.note, self.facts
        return PortView(
            path=facts.path,
            by_id=facts.by_id,
            by_path=facts.by_path,
            description=facts.usb.description,
            owner=note.owner,
            state=note.state.value,
            profile=note.profile,
            baud=note.baud,
            device=note.device,
            detail=note.detail,
            hint=note.hint,
            since=self._since,
        )

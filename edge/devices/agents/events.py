"""What happens at the desks, told on the bus after the commit that made it true."""

from __future__ import annotations

from edge.bus import Event


class AgentSeated(Event, frozen=True):
    """`agent` sits at a display now; `session_id` is the generation his pictures are bound to."""

    device_id: str
    agent: str
    session_id: int
    how: str


class AgentLeft(Event, frozen=True):
    """`agent` no longer sits at a display. `why` is an End; `by` names who took over or ended it."""

    device_id: str
    agent: str
    session_id: int
    why: str
    by: str


class ClaimMade(Event, frozen=True):
    """`agent` asked for a display that only a technician can give him."""

    agent: str


class ClaimSettled(Event, frozen=True):
    """What `agent` asked for is settled: he has been seated, or a technician let it go."""

    agent: str


class WorkstationBound(Event, frozen=True):
    """A technician changed at which computer a display stands."""

    device_id: str
    computer_name: str
    bound: bool

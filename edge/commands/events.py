"""What is told of commands."""

from __future__ import annotations

from edge.bus import Event
from edge.commands.model import Command


class CommandChanged(Event, frozen=True, kw_only=True):
    """A command is new, or its state is: here it is as it is now."""

    command: Command

"""Every message that travels between the parts of the terminal."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class SiteChanged(Message):
    """What is known of the site changed since the last one; at most four a second, however much happens."""


@dataclass
class Tick(Message):
    """A second has passed: ages go up."""


@dataclass
class ActionAsked(Message):
    """A key hint or a row was chosen with the mouse or Enter; `action` is an id of tui/actions.py."""

    action: str


@dataclass
class FilterChanged(Message):
    """The technician types a filter."""

    text: str


@dataclass
class PauseChanged(Message):
    """A tail stopped following, or follows again."""

    paused: bool

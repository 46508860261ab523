"""Boards over USB, as hub and people speak of it: what shall be done, how far it is, what was found
(docs/flashing.md).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from edge.wire.views import Request, View

PATH_CHARS = 255


class Work(StrEnum):
    """What can be done with a board."""

    IDENTIFY = "identify"  # look only
    WHOLE = "whole"  # MicroPython, an empty file system and the app, all new
    APP = "app"  # the app; MicroPython and files stay
    ERASE = "erase"  # all of the flash
    RECOVER = "recover"  # find a board that does not answer; with an image and an app, make it whole
    FACTORY_RESET = "factory-reset"  # it forgets its settings, and keeps its app


class FlashState(StrEnum):
    """How a job stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class NewFlash(Request, frozen=True, kw_only=True):
    """Do something with the board at a serial port.

    `image` is a board image's id (`whole`, `recover`), `artifact` an app's (`whole`, `app`, `recover`; none: no
    app). `erase`: every byte of the flash first, which takes longer. `keep_settings`: WiFi, hub, name, wiring and
    what the board remembers of commands stay. `baud`: the first rate to try, 0 for the usual one.
    """

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=PATH_CHARS)]
    what: Work
    image: str = ""
    artifact: str = ""
    erase: bool = False
    keep_settings: bool = True
    baud: Annotated[int, msgspec.Meta(ge=0, le=4_000_000)] = 0


class BoardView(View, frozen=True, kw_only=True):
    """What was found out about a board; empty, 0 and null where it was not."""

    chip: str = ""  # as artifacts name it: esp32, esp32c3 ...
    model: str = ""  # as the chip's maker does
    mac: str = ""
    flash_bytes: int = 0
    download_mode: bool | None = None  # it waited for firmware when it was looked at
    micropython: str = ""  # the release that answers
    device: str = ""  # the id by which the hub knows it, when our firmware answers
    kind: str = ""
    firmware: str = ""  # the app's version
    app: str = ""  # the artifact that runs


class FlashView(View, frozen=True, kw_only=True):
    """One job. `step` is what it does now, and `ask` what a person has to do now, both in a sentence. `log` is what
    has been done so far."""

    id: str
    path: str
    what: Work
    state: FlashState
    percent: int
    step: str
    ask: str
    log: list[str]
    board: BoardView
    reason: str
    hint: str
    started_at: str
    started_by: str
    ended_at: str | None


class BoardImageView(View, frozen=True, kw_only=True):
    """A MicroPython (or another whole firmware) that boards can be given over USB. `kind`: `esp-combined`, or
    `esp-image` for a board that has its bootloader already. `slots`: whether it can be updated over the air."""

    id: str  # SHA-256
    name: str
    kind: str
    chip: str
    size: int
    slots: bool
    added_at: str
    added_by: str

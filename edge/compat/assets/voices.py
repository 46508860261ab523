"""Which logger speaks, where its id does not say: both sketches were given the same one, ESP32_001.

A *voice* is a logger as it was heard: its id with where it speaks from and which firmware it has. Two loggers with
one id must never be taken for one, or a machine would run by what another does. One that got another address from
its router must not become two. So it goes by what cannot change at once:

1. The same place, which is the same MAC, or the same address where a MAC is not known, is the same voice. With
   another firmware it is that too if it registers, as it does at its start; in between its firmware cannot change.
2. Another place with another MAC, or another firmware, is another logger.
3. Another place, and nothing else that tells them apart: if the one known has been silent for longer than it ever
   is, it has moved. Until then what the newcomer says waits. If the known one speaks meanwhile, they are two.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

import msgspec

NEVER_HEARD = ""  # the address of a logger that was added by a person; the first with its id is it
SILENT_S = 75.0  # two heartbeats of 30 s missed, and what a slow answer may cost


class Voice(msgspec.Struct):
    """A logger that is known. `heard_s`: when last, monotonic; `alias`: what the registry knows it by."""

    alias: str
    address: str
    mac: str = ""
    firmware: str = ""
    heard_s: float = 0.0


class Caller(msgspec.Struct, frozen=True):
    """Who asks now. `registers`: it says that it has just started. `firmware`: '' where it does not say."""

    address: str
    mac: str = ""
    firmware: str = ""
    registers: bool = False


class Verdict(Enum):
    """Who it is."""

    KNOWN = auto()  # this voice
    MOVED = auto()  # this voice, from another place
    ANOTHER = auto()  # none of those known
    WAIT = auto()  # to be seen
    EITHER = auto()  # one of several at one place, and nothing tells which


def judge(voices: Sequence[Voice], caller: Caller, now_s: float, since_s: float) -> tuple[Verdict, Voice | None]:
    """Who calls, of the voices with the id that it claims. `since_s`: when this caller was first heard."""
    here = [voice for voice in voices if _same_place(voice, caller)]
    if here:
        return _of_those_here(here, caller)
    if not voices or _is_a_stranger(voices, caller):
        return Verdict.ANOTHER, None
    alike = [voice for voice in voices if _may_be_one_board(voice, caller)]
    silent = [voice for voice in alike if now_s - voice.heard_s > SILENT_S]
    if silent:
        return (Verdict.MOVED, silent[0]) if len(silent) == 1 else (Verdict.ANOTHER, None)
    if all(voice.heard_s > since_s for voice in alike):
        return Verdict.ANOTHER, None
    return Verdict.WAIT, None


def _of_those_here(here: list[Voice], caller: Caller) -> tuple[Verdict, Voice | None]:
    same = [voice for voice in here if _same_firmware(voice, caller)]
    if len(same) == 1:
        return Verdict.KNOWN, same[0]
    if same:
        return Verdict.EITHER, None
    if caller.registers and len(here) == 1:
        return Verdict.KNOWN, here[0]
    return Verdict.ANOTHER, None


def _is_a_stranger(voices: Sequence[Voice], caller: Caller) -> bool:
    return not any(_may_be_one_board(voice, caller) for voice in voices)


def _may_be_one_board(voice: Voice, caller: Caller) -> bool:
    return (not voice.mac or not caller.mac) and _same_firmware(voice, caller)


def _same_place(voice: Voice, caller: Caller) -> bool:
    if voice.mac and caller.mac:
        return voice.mac == caller.mac
    return voice.address in (caller.address, NEVER_HEARD)


def _same_firmware(voice: Voice, caller: Caller) -> bool:
    return not voice.firmware or not caller.firmware or voice.firmware == caller.firmware

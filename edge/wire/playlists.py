"""Playlists and schedules: what takes turns, and who shows what on which days and hours (docs/content.md)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from edge.wire.layouts import Title, Word

ENTRIES_MAX = 200  # of a playlist
RULES_MAX = 50  # of a schedule

HoursOfDay = Annotated[str, msgspec.Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$(?!\n)")]
Days = Annotated[tuple[Annotated[int, msgspec.Meta(ge=1, le=7)], ...], msgspec.Meta(max_length=7)]  # 1: Monday


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A layout or a picture for so many seconds, on these days (none: all) and in these hours (none: all) alone."""

    layout: Annotated[str, msgspec.Meta(pattern=r"^([a-z0-9][a-z0-9_.-]{0,63})?$(?!\n)")] = ""
    picture: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$(?!\n)")] = ""
    seconds: Annotated[int, msgspec.Meta(ge=5, le=86_400)] = 60
    days: Days = ()
    hours: HoursOfDay = ""


class Playlist(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries in turn, counted from midnight, so that all panels with it show the same at the same time."""

    entries: Annotated[tuple[Entry, ...], msgspec.Meta(max_length=ENTRIES_MAX)] = ()


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A playlist, a layout or a picture for these days and hours."""

    playlist: Annotated[str, msgspec.Meta(pattern=r"^([a-z0-9][a-z0-9_.-]{0,63})?$(?!\n)")] = ""
    layout: Annotated[str, msgspec.Meta(pattern=r"^([a-z0-9][a-z0-9_.-]{0,63})?$(?!\n)")] = ""
    picture: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$(?!\n)")] = ""
    days: Days = ()
    hours: HoursOfDay = ""


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What devices show: the first rule whose days and hours it is. A device's own schedule goes before those of
    its groups, and of these the first by name. `devices` by id or name, `groups` by name.

    `refresh_s`: how often what stands on a panel is drawn anew at most; e-paper lasts longer the less it is drawn.
    Turns and rules begin on time all the same, but for who sleeps: he wakes so often, and when a rule ends.
    """

    devices: Annotated[tuple[Word, ...], msgspec.Meta(max_length=500)] = ()
    groups: Annotated[tuple[Title, ...], msgspec.Meta(max_length=50)] = ()
    rules: Annotated[tuple[Rule, ...], msgspec.Meta(max_length=RULES_MAX)] = ()
    refresh_s: Annotated[int, msgspec.Meta(ge=10, le=86_400)] = 60

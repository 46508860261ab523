"""What a layout is filled with: readings, assets, sources, and where and when it is drawn. Values, no services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from edge.wire.layouts import AssetElement


class ChartWanted(msgspec.Struct, frozen=True, order=True):
    """The readings of a key over the last `hours`. `device` as the layout names it: `self` for the panel's own."""

    device: str
    key: str
    hours: int


class AssetWanted(msgspec.Struct, frozen=True, order=True):
    """What of an asset is shown, and over which time; the state has none."""

    asset: str
    show: Literal["state", "availability", "mtbf", "mttr", "stops"]
    over: Literal["", "day", "shift", "24h", "7d"]


def asset_wanted(element: AssetElement) -> AssetWanted:
    """What `element` asks of its asset."""
    return AssetWanted(element.asset, element.show, "" if element.show == "state" else element.over)


class Datum(msgspec.Struct, frozen=True):
    """The newest reading of a key: a number, true or false, or text, and when it was so."""

    value: float | int | str | bool | None
    at_us: int


class AssetSaid(msgspec.Struct, frozen=True):
    """What is known of an asset. `state`: running, stopped, planned or unknown, `since_us` when that began.

    `figure`: availability as a share of 1, MTBF and MTTR in seconds, stops as a count; None where there is none.
    `coverage`: the share of the time that is known, of 1; None where it does not apply.
    """

    state: str = ""
    since_us: int | None = None
    figure: float | None = None
    coverage: float | None = None
    name: str = ""


class SourceSaid(msgspec.Struct, frozen=True):
    """What a source last said, by field, units and all, and when; the first field is its main one."""

    values: dict[str, str]
    at_us: int


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """All that a layout may be filled with. Moments are true UTC in microseconds; `zone` is an IANA name.

    Keys are those of `wanted`: where the layout says `self`, so does the key; `device` itself is found, too. What
    is not there is drawn as missing, never as zero. Without `clock_set` moments are right among themselves alone:
    no time of day is told.
    """

    now_us: int
    clock_set: bool = True
    zone: str = "UTC"
    site: str = ""
    device: str = ""
    device_name: str = ""
    values: Mapping[tuple[str, str], Datum] = {}
    charts: Mapping[ChartWanted, tuple[tuple[int, float | None], ...]] = {}
    assets: Mapping[AssetWanted, AssetSaid] = {}
    sources: Mapping[str, SourceSaid] = {}

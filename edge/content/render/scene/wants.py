"""What a layout needs before it can be drawn: asked once, so that only this is looked up."""

from __future__ import annotations

import re

import msgspec

from edge.content.render.scene.given import AssetWanted, ChartWanted, asset_wanted
from edge.wire.layouts import (
    SELF,
    AssetElement,
    ChartElement,
    ClockElement,
    DateElement,
    Layout,
    PictureElement,
    SourceElement,
    TextElement,
    ValueElement,
)

_NAMES_DEVICE = re.compile(r"\{\{|\{name\}")
_OF_TIME = ClockElement | DateElement | AssetElement | ChartElement


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a layout shows of the site. `values`: (device, key); `sources`: (source, field, '' for its first).

    `of_device`: what is drawn depends on which device's panel it is. `each_minute`: it has a clock.
    `of_time`: what it shows needs a clock that was set.
    """

    values: frozenset[tuple[str, str]]
    charts: frozenset[ChartWanted]
    assets: frozenset[AssetWanted]
    sources: frozenset[tuple[str, str]]
    pictures: frozenset[str]
    of_device: bool
    each_minute: bool
    of_time: bool


def wanted(layout: Layout) -> Wanted:
    """What `layout` needs."""
    all_of = layout.elements
    values = frozenset((e.device, e.key) for e in all_of if isinstance(e, ValueElement))
    charts = frozenset(ChartWanted(e.device, e.key, e.hours) for e in all_of if isinstance(e, ChartElement))
    texts = [e.text for e in all_of if isinstance(e, TextElement)]
    own = any(device == SELF for device, _ in values) or any(chart.device == SELF for chart in charts)
    return Wanted(
        values=values,
        charts=charts,
        assets=frozenset(asset_wanted(e) for e in all_of if isinstance(e, AssetElement)),
        sources=frozenset((e.source, e.field) for e in all_of if isinstance(e, SourceElement)),
        pictures=frozenset(e.picture for e in all_of if isinstance(e, PictureElement)),
        of_device=own or any("{name}" in _NAMES_DEVICE.findall(text) for text in texts),
        each_minute=any(isinstance(e, ClockElement) for e in all_of),
        of_time=any(isinstance(e, _OF_TIME) for e in all_of),
    )

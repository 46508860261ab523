"""By which definition an asset's bands are made, as a short mark; another says that they are to be made anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec

from edge.assets.deriving import Asset
from edge.wire.assets import PlannedView

_json = msgspec.json.Encoder(order="sorted").encode


def made_by(asset: Asset) -> str:
    """Of all that decides what readings say of the asset."""
    return _mark(asset.silent_s, asset.wirings)


def laid_by(asset: Asset, planned: Iterable[PlannedView], zone: ZoneInfo) -> str:
    """Of all that decides what follows from that: its threshold, and the planned times that are for it."""
    rules = [
        msgspec.structs.replace(rule, id="", name="", assets=[])
        for rule in planned
        if not rule.assets or asset.id in rule.assets
    ]
    return _mark(asset.short_stop_s, rules, zone.key if any(rule.at is None for rule in rules) else "")


def _mark(*parts: object) -> str:
    return hashlib.blake2b(_json(parts), digest_size=8).hexdigest()

"""What a piece of firmware is called in an address: made and read here alone, so that both always agree."""

from __future__ import annotations

import re

from edge.updates.artifacts.artifacts import Artifacts
from edge.updates.artifacts.model import Artifact
from edge.wire.firmware import Kind

_CHARS = 12  # of its id
_ID = re.compile(rf"[0-9a-f]{{{_CHARS}}}\Z")


def key_of(artifact: Artifact) -> str:
    """`ESP32_OTA_Base_20261121.190000_1a2b3c4d5e6f`."""
    return f"{artifact.target}_{artifact.version}_{artifact.id[:_CHARS]}"


def named_by(artifacts: Artifacts, key: str) -> Artifact | None:
    """The firmware for older boards with this name; None where there is none."""
    number = key.rpartition("_")[2]
    found = artifacts.find(number) if _ID.match(number) else None
    return found if found is not None and is_for_older(found) and key_of(found) == key else None


def is_for_older(artifact: Artifact) -> bool:
    """Whether older boards may have it: a whole image that nobody has signed."""
    return artifact.kind is Kind.ESP_IMAGE and artifact.legacy_only


def newest(artifacts: Artifacts, target: str, chip: str = "") -> Artifact | None:
    """The newest of a kind of firmware, for a chip where one is named."""
    of_kind = (one for one in artifacts.all() if is_for_older(one) and one.target == target)
    return max((one for one in of_kind if chip in ("", one.chip)), key=lambda one: one.version, default=None)

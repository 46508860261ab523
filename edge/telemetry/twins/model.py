"""Desired state as pure rules: what a device shall be, apart from what it is.

What is desired is never changed by what a device reports, so a late or stale report undoes no order. An order
counts as done when the device itself reports the value.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from edge.errors import Rejected, TooLarge
from edge.telemetry.model import Value, parse

DESIRED_KEYS = 256  # of one device; more than any of ours or the older platform's has outputs
DESIRED_BYTES = 8192  # as JSON: a device of ours holds it whole in its memory
REASONS_TOLD = 5  # of a refusal; the rest says the same of other keys

encode = msgspec.json.Encoder(order="sorted").encode


class Twin(msgspec.Struct, frozen=True, kw_only=True):
    """What one device shall be. Version 0: nobody has ever said."""

    device_id: str
    version: int = 0
    desired: dict[str, Value] = {}
    changed_us: int = 0
    changed_by: str = ""


def checked(changes: Mapping[str, object]) -> dict[str, Value | None]:
    """`changes` as they may be made: values as readings have them, None for a key that shall go.

    Raises Rejected naming what cannot be used; then none is.
    """
    if len(changes) > DESIRED_KEYS:
        raise Rejected(f"At most {DESIRED_KEYS} keys are desired of a device.")
    refused = [why for key, value in changes.items() for why in parse({key: 0 if value is None else value})[1]]
    if refused:
        raise Rejected(" ".join(refused[:REASONS_TOLD]))
    return {key: _value(value) for key, value in changes.items()}


def merge(twin: Twin, changes: Mapping[str, Value | None], *, at_us: int, by: str) -> Twin:
    """The twin after `changes`; itself when they change nothing. Raises TooLarge."""
    desired = dict(twin.desired)
    for key, value in changes.items():
        if value is None:
            desired.pop(key, None)
        else:
            desired[key] = value
    if _same(desired, twin.desired):
        return twin
    if len(desired) > DESIRED_KEYS or len(encode(desired)) > DESIRED_BYTES:
        raise TooLarge(
            f"A device's desired state has at most {DESIRED_KEYS} keys and {DESIRED_BYTES} bytes.",
            hint="Take keys away that nobody needs any more: null removes one.",
        )
    return msgspec.structs.replace(twin, version=twin.version + 1, desired=desired, changed_us=at_us, changed_by=by)


def pending(desired: Mapping[str, Value], reported: Mapping[str, Value]) -> list[str]:
    """The desired keys that the device has not reported so."""
    return sorted(key for key, value in desired.items() if key not in reported or reported[key] != value)


def _value(value: object) -> Value | None:
    assert value is None or isinstance(value, int | float | bool | str)  # parse has seen to it
    return value


def _same(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    """Whether both are equal in type too: true is not 1 where it is written."""
    return one == other and all(type(other[key]) is type(value) for key, value in one.items())

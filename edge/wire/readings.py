"""Readings, latest values and desired state as the /v1 API shows them."""

from __future__ import annotations

from edge.wire.views import Json, Request, View


class ReadingView(View, frozen=True, kw_only=True, omit_defaults=True):
    """One reading; or one bucket of them, then `at` is its begin, `value` the mean, and the other three are there.

    `value` is a number, true or false, or text. `quality` tells how good the clock behind `at` was.
    """

    at: str
    key: str
    value: Json
    quality: str = ""
    min: float | None = None
    max: float | None = None
    count: int | None = None


class LatestView(View, frozen=True, kw_only=True):
    """The newest value of a key, by the device's own time, and how old it was when this was written."""

    key: str
    value: Json
    at: str
    age_s: float | None
    quality: str


class NewReadings(Request, frozen=True, kw_only=True):
    """POST /v1/devices/{id}/readings: values by key, now or at a time (ISO 8601 with an offset)."""

    values: dict[str, Json]
    at: str | None = None


class ReadingsTaken(View, frozen=True, kw_only=True):
    """What became of them: how many are on disk, and why the others are not."""

    accepted: int
    refused: list[str]


class TwinView(View, frozen=True, kw_only=True):
    """What a device shall be against what it is: by desired key the reported value, and which of them differ."""

    device: str
    version: int
    desired: dict[str, Json]
    reported: dict[str, Json]
    pending: list[str]  # desired keys whose reported value differs, or is not known
    changed_at: str | None
    changed_by: str


class ChangeTwin(Request, frozen=True, kw_only=True):
    """PATCH /v1/devices/{id}/twin: desired values by key; null takes a key away."""

    desired: dict[str, Json]

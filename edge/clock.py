"""Time as it really is on a Pi: a wall clock of some quality, a monotonic clock, and which boot they belong to.

A Pi without a real-time clock boots in the past, so wall time is a label with a quality; order comes from
sequence numbers and durations from CLOCK_BOOTTIME, which also runs while the machine sleeps and does not start
again when the hub does.
"""

from __future__ import annotations

import functools
import os
import time
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from edge.errors import ConfigError


class Quality(StrEnum):
    """How far wall time can be trusted."""

    NONE = "none"  # nothing has set it in this boot
    RTC = "rtc"  # from a battery-backed clock, right to minutes
    NTP = "ntp"  # disciplined by a time server
    FIXED = "fixed"  # corrected afterwards by a clock.fixed fact

    @property
    def good(self) -> bool:
        """Whether an expiry may be judged by it across a reboot."""
        return self is not Quality.NONE


class Stamp(msgspec.Struct, frozen=True):
    """A moment: `at_us` UTC microseconds since 1970, its quality, the boot, `mono_ms` within that boot."""

    at_us: int
    quality: Quality
    boot_id: str
    mono_ms: int


class Clock(Protocol):
    """Where every part of the hub gets its time from."""

    def now(self) -> Stamp:
        """This moment."""

    def mono_s(self) -> float:
        """Seconds that only ever rise, also over suspend and over a restart of the hub, not over a reboot."""


SYNCHRONISED = Path("/run/systemd/timesync/synchronized")  # timesyncd touches it once NTP has set the clock
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
RTC_TIME = Path("/sys/class/rtc/rtc0/since_epoch")
RTC_SET_S = 1_577_836_800  # 2020: one that tells less was never set
QUALITY_CHECK_S = 5.0  # NTP arrives once a boot; looking more often only costs


class SystemClock:
    """The machine's own clocks."""

    def __init__(self) -> None:
        self._boot_id = _boot_id()
        self._quality = _quality()
        self._checked_s = self.mono_s()

    def now(self) -> Stamp:
        """This moment by the machine's clocks."""
        mono_s = self.mono_s()
        if mono_s - self._checked_s > QUALITY_CHECK_S:
            self._quality, self._checked_s = _quality(), mono_s
        return Stamp(time.time_ns() // 1000, self._quality, self._boot_id, int(mono_s * 1000))

    def mono_s(self) -> float:
        """CLOCK_BOOTTIME in seconds."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


class ManualClock:
    """A clock a test moves by hand."""

    def __init__(self, at_us: int = 1_763_700_000_000_000, quality: Quality = Quality.NTP) -> None:
        self.at_us, self.quality, self.boot_id, self._mono_s = at_us, quality, "boot-1", 100.0

    def now(self) -> Stamp:
        """The moment it was set to."""
        return Stamp(self.at_us, self.quality, self.boot_id, int(self._mono_s * 1000))

    def mono_s(self) -> float:
        """The monotonic time it was moved to."""
        return self._mono_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._mono_s += seconds
        self.at_us += int(seconds * 1_000_000)

    def reboot(self, *, wall_us: int | None = None, quality: Quality | None = None) -> None:
        """Start a new boot, perhaps with another wall time."""
        self.boot_id, self._mono_s = f"boot-{uuid.uuid4().hex[:8]}", 1.0
        self.at_us = self.at_us if wall_us is None else wall_us
        self.quality = self.quality if quality is None else quality


def iso(at_us: int) -> str:
    """UTC microseconds as ISO 8601 with milliseconds and Z, the form of every time on the wire."""
    minute, ms = divmod(at_us // 1000, 60_000)
    return _iso_minute(minute) + _SECONDS[ms // 1000] + _MILLISECONDS[ms % 1000]


_SECONDS = [f"{second:02}." for second in range(60)]
_MILLISECONDS = [f"{ms:03}Z" for ms in range(1000)]


@functools.lru_cache(maxsize=128)
def _iso_minute(minute: int) -> str:
    """A whole minute; cached, since a busy hub writes thousands a second, and a page of history as many."""
    return datetime.fromtimestamp(minute * 60, UTC).isoformat(timespec="minutes")[:16] + ":"


def site_zone(name: str) -> ZoneInfo:
    """The site's time zone: `name` (IANA), or the system's when empty, or UTC. Raises ConfigError."""
    if not name:
        name = os.environ.get("TZ", "").lstrip(":") or _system_zone() or "UTC"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            f"There is no time zone {name!r}.", hint="Use an IANA name such as Asia/Kolkata."
        ) from error


def _system_zone() -> str:
    target = os.path.realpath("/etc/localtime")
    _, found, name = target.partition("/zoneinfo/")
    return name if found else ""


def _boot_id() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return f"process-{uuid.uuid4()}"  # no /proc: a restart of the hub then counts as a reboot


def _quality() -> Quality:
    if SYNCHRONISED.exists():
        return Quality.NTP
    return Quality.RTC if _rtc_runs() else Quality.NONE


def _rtc_runs() -> bool:
    """Whether a real-time clock has kept the time; one without a battery starts in 1970 with every power cut."""
    try:
        return int(RTC_TIME.read_text()) >= RTC_SET_S
    except (OSError, ValueError):
        return Path("/dev/rtc0").exists()  # it cannot be asked here

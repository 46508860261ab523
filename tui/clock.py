"""The terminal's own clock, in one place so that tests can hold it still."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Wall time to show, and seconds that only rise to count ages by."""

    def now(self) -> datetime:
        """This moment, UTC."""
        return datetime.now(UTC)

    def mono_s(self) -> float:
        """Seconds from an arbitrary start."""
        return time.monotonic()

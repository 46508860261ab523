"""Sites as pure rules: their ids, their codes, and how they stand."""

from __future__ import annotations

import re
import secrets
import unicodedata
from enum import StrEnum

import msgspec

from edge.clock import Quality
from edge.errors import BadInput
from edge.wire.sync import SiteReport

CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: what is read out is not taken for something else
CODE_CHARS = 12  # of 5 bits each
CODE_GROUP = 4
CODE_VALID_S = 24 * 3600.0
SLUG_CHARS = 40
AWAY_S = 30.0  # a hub says something every 8 s
BEHIND_S = 10.0  # a hub with rows waiting for less is live: some are always on their way
LONG_AWAY_S = 600.0  # silent for so long, a person should know
LOW_BUFFER_DAYS = 3.0
US = 1_000_000

_report = msgspec.json.Decoder(SiteReport).decode
_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})


class SiteState(StrEnum):
    """How a site stands, as people see it."""

    NEW = "new"
    LIVE = "live"
    CATCHING_UP = "catching-up"
    AWAY = "away"
    REFUSED = "refused"
    REVOKED = "revoked"


class StreamFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A stream as the centre has it; see the table `streams`."""

    stream: str
    next: int
    head: int
    complete_us: int
    moved_us: int

    @property
    def waiting(self) -> int:
        """Rows the hub had at its last word that are not here."""
        return self.head - self.next + 1 if self.head >= self.next else 0


class SiteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a site. `kept_as`: the state its row has (new, active, revoked); `report_us`: when the
    report came, by the centre's clock, 0 when none has; `inbox_since_us`: when the oldest that waits was asked."""

    kept_as: str
    seen_us: int
    alert: str
    report: SiteReport | None
    report_us: int
    streams: list[StreamFacts]
    inbox_waiting: int
    inbox_since_us: int = 0


def slug_of(name: str) -> str:
    """The id a site of this name should have: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:SLUG_CHARS].strip("-") or "site"


def new_code() -> str:
    """A one-time code of 60 random bits, in groups that can be read out."""
    letters = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_CHARS))
    return "-".join(letters[at : at + CODE_GROUP] for at in range(0, CODE_CHARS, CODE_GROUP))


def read_code(text: str) -> str:
    """The code in what somebody typed: hyphens, spaces and case do not matter. Raises BadInput."""
    letters = re.sub(r"[\s-]+", "", text[: 8 * CODE_CHARS]).upper().translate(_ALIKE)
    if len(letters) != CODE_CHARS or set(letters) - set(CODE_ALPHABET):
        raise BadInput(
            f"A code has {CODE_CHARS} letters and digits, such as 7K3M-Q9TX-4WHA.",
            hint="Head office gives one: `outpost site code NAME`.",
        )
    return letters


def read_report(text: str) -> SiteReport | None:
    """What the hub last said of itself; None before its first word, or where another version's cannot be read."""
    try:
        return _report(text)
    except msgspec.DecodeError:
        return None


def state_of(site: SiteFacts, now_us: int) -> SiteState:
    """How the site stands."""
    if site.kept_as == "revoked":
        return SiteState.REVOKED
    if not site.seen_us:
        return SiteState.REFUSED if site.alert else SiteState.NEW
    if now_us - site.seen_us > AWAY_S * US:
        return SiteState.REFUSED if site.alert else SiteState.AWAY
    lag_s = lag_of(site, now_us)
    if lag_s is None or (lag_s > BEHIND_S and any(stream.waiting for stream in site.streams)):
        return SiteState.CATCHING_UP
    return SiteState.LIVE


def lag_of(site: SiteFacts, now_us: int) -> float | None:
    """How far behind what is here is, by the slower stream, in seconds; None while a stream has never been whole.

    Up to when a stream is complete is told by the hub's clock, which may be wrong: so its age is taken by that
    clock at the hub's last report, and what has passed since by the centre's. A clock that nothing has set, or that
    is ahead, tells nothing: then it is the centre's throughout. Where rows wait though none is late by these times,
    it is what has passed since the stream last moved.
    """
    since_us = caught_up_us(site)
    return None if since_us is None else max(0.0, (now_us - since_us) / US)


def caught_up_us(site: SiteFacts) -> int | None:
    """Up to when everything is here, by the centre's clock: what `lag_of` is the age of."""
    report, report_us, behind_us = site.report, site.report_us, 0
    least_us = min([stream.complete_us for stream in site.streams], default=0)
    if not least_us:
        return None
    if report is None or not report_us:
        return least_us
    hub_us = min(report.at_us, report_us) if report.quality != Quality.NONE else report_us
    for stream in site.streams:
        behind_us = max(behind_us, _behind_us(stream, hub_us, report_us))
    return report_us - behind_us


def _behind_us(stream: StreamFacts, hub_us: int, report_us: int) -> int:
    """How far behind a stream was when the hub last reported, by its clock where that says anything."""
    behind_us = hub_us - stream.complete_us
    if behind_us <= 0 and stream.waiting:
        behind_us = report_us - stream.moved_us
    return max(0, behind_us)


def buffer_days(report: SiteReport) -> float | None:
    """How long the hub's space for readings lasts at the present rate; None when nothing comes in."""
    if not report.bytes_per_day or report.bytes_per_day <= 0:
        return None
    return max(0, report.buffer_max_bytes - report.buffer_bytes) / report.bytes_per_day


def alerts_of(site: SiteFacts, now_us: int, inbox_max: int) -> list[str]:
    """What a person should look at, in sentences, the worst first."""
    if site.kept_as == "revoked":
        return []
    found = [site.alert] if site.alert else []
    silent_s = (now_us - site.seen_us) / US
    if site.seen_us and silent_s > LONG_AWAY_S:
        found.append(f"Its hub has not been heard for {duration(silent_s)}.")
    if site.inbox_waiting >= inbox_max:
        found.append(f"{site.inbox_waiting} requests wait for it: no more are taken.")
    if site.report is not None:
        found += _alerts_of(site.report)
    return found


def troubles_of(site: SiteFacts, now_us: int, inbox_max: int) -> list[str]:
    """The same, and behind it what the hub itself last said is wrong there."""
    told = site.report.problems if site.report is not None and site.kept_as != "revoked" else []
    return alerts_of(site, now_us, inbox_max) + told


def duration(seconds: float) -> str:
    """Seconds as people say them: 40 s, 12 min, 5 h, 3 days."""
    for unit, size in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _alerts_of(report: SiteReport) -> list[str]:
    found = []
    days = buffer_days(report)
    if days is not None and days < LOW_BUFFER_DAYS:
        found.append(f"Its space for readings lasts {days:.1f} days more.")
    if report.dead_letters:
        found.append(f"{report.dead_letters} of its rows could not be taken here; they are kept at the hub.")
    if report.quality == Quality.NONE:
        found.append("Its clock is not set: times are corrected once it is.")
    return found

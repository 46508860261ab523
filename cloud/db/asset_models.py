"""The tables of assets: their states over time, made from readings, and what people said of their stops.

What assets there are, and how they are wired, hubs tell as states (kinds `asset` and `asset_rules`).
"""

from __future__ import annotations

from sqlalchemy import Boolean, Float, Index, Integer, SmallInteger, Text
from sqlalchemy import text as _text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.db.models import Big, SiteKeyed

ENDS_STOP = _text("began_us > 0 AND (state = 1 OR anew)")
ASKED_ANYWAY = "state", "anew"  # SQLite looks at them again: not in the index, it would read every band itself
BEGINS_STOP = _text("began_us = at_us")


class AssetMark(SiteKeyed):
    """How far an asset's bands go. `number`: what they know it by, of this asset alone over all sites.

    `upto_us`: up to when they were worked out. How its last wiring stood then: `evidence_us`, the last thing heard,
    0 where nothing was; the `raw` state; `alive_s`, the last sign of life. `look_us`: when to work them out anew
    although nothing comes, null for never. `made_by`: what they were made by, as JSON, '' for an asset
    that nothing tells of any more.
    """

    __tablename__ = "asset_marks"

    asset: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(Big)
    upto_us: Mapped[int] = mapped_column(Big, default=0)
    evidence_us: Mapped[int] = mapped_column(Big, default=0)
    raw: Mapped[int] = mapped_column(SmallInteger, default=0)
    alive_s: Mapped[float | None] = mapped_column(Float(53))
    look_us: Mapped[int | None] = mapped_column(Big)
    made_by: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (Index(None, "tenant_id", "number", unique=True), Index(None, "look_us"))


class AssetBand(SiteKeyed):
    """A state of an asset from `at_us` until its next band, with the sums of all before: `edge.assets.model.Band`.
    `asset`: the number of its mark."""

    __tablename__ = "asset_bands"

    asset: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    at_us: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    state: Mapped[int] = mapped_column(SmallInteger)
    raw: Mapped[int] = mapped_column(SmallInteger)
    past: Mapped[int] = mapped_column(SmallInteger)
    began_us: Mapped[int] = mapped_column(Big)
    stopped_us: Mapped[int] = mapped_column(Big)
    run_us: Mapped[int] = mapped_column(Big)
    stop_us: Mapped[int] = mapped_column(Big)
    planned_us: Mapped[int] = mapped_column(Big)
    stops: Mapped[int] = mapped_column(Integer)
    short_stops: Mapped[int] = mapped_column(Integer)
    ended_stops: Mapped[int] = mapped_column(Integer)
    anew: Mapped[bool] = mapped_column(Boolean)

    __table_args__ = (
        Index(
            "ix_asset_bands_ends",
            "tenant_id",
            "site_id",
            "asset",
            "at_us",
            "began_us",
            "stopped_us",
            *ASKED_ANYWAY,
            sqlite_where=ENDS_STOP,
            postgresql_where=ENDS_STOP,
        ),
        Index(
            "ix_asset_bands_longest",
            "tenant_id",
            "site_id",
            "asset",
            "stopped_us",
            "at_us",
            "began_us",
            *ASKED_ANYWAY,
            sqlite_where=ENDS_STOP,
            postgresql_where=ENDS_STOP,
        ),
        Index(
            "ix_asset_bands_begins",
            "tenant_id",
            "at_us",
            "site_id",
            "asset",
            sqlite_where=BEGINS_STOP,
            postgresql_where=BEGINS_STOP,
        ),
        {"sqlite_with_rowid": False},
    )


class AssetDue(SiteKeyed):
    """Bands that are to be worked out anew: of the assets of a device from `from_us` on; device '': of all assets
    of the site, those included that are defined otherwise by now. `n` grows with each that is added."""

    __tablename__ = "assets_due"

    device: Mapped[str] = mapped_column(Text, primary_key=True)
    from_us: Mapped[int] = mapped_column(Big)
    n: Mapped[int] = mapped_column(Big)


class AssetExplanation(SiteKeyed):
    """What somebody said of a span of an asset's time, from a fact of its hub; the greater `number` was said later.

    `boot_id`, `mono_ms`: the clock that gave `from_us` and `to_us`, where nothing had set it, else ''. `said_us` is
    the fact's own time, and of its quality, boot and monotonic time.
    """

    __tablename__ = "asset_explanations"

    number: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    asset: Mapped[str] = mapped_column(Text)
    from_us: Mapped[int] = mapped_column(Big)
    to_us: Mapped[int] = mapped_column(Big)
    boot_id: Mapped[str] = mapped_column(Text)
    mono_ms: Mapped[int] = mapped_column(Big)
    reason: Mapped[str] = mapped_column(Text)
    reason_name: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    said_us: Mapped[int] = mapped_column(Big)
    said_quality: Mapped[str] = mapped_column(Text)
    said_boot_id: Mapped[str] = mapped_column(Text)
    said_mono_ms: Mapped[int] = mapped_column(Big)

    __table_args__ = (Index(None, "tenant_id", "site_id", "asset", "to_us"),)

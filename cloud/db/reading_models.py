"""The tables of readings: what was measured, by which series, in which boot of the hub, and the rollups."""

from __future__ import annotations

from sqlalchemy import Float, Index, Integer, SmallInteger, Text
from sqlalchemy import text as _text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.db.models import Big, SiteKeyed


class Series(SiteKeyed):
    """What a device measures, by the hub's own number for it within one epoch of its readings."""

    __tablename__ = "series"

    epoch_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    device: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index(None, "tenant_id", "site_id", "device", "key"),)


class Boot(SiteKeyed):
    """The hub's boots by its own numbers: a reading whose time the hub gave names one."""

    __tablename__ = "boots"

    epoch_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    boot_id: Mapped[str] = mapped_column(Text)


class ClockFix(SiteKeyed):
    """When a boot of the hub began (UTC): a row of it whose clock was not set (quality none) is of then plus its
    `mono_ms`. See edge/wire/times.py."""

    __tablename__ = "clock_fixes"

    boot_id: Mapped[str] = mapped_column(Text, primary_key=True)
    began_us: Mapped[int] = mapped_column(Big)
    seq: Mapped[int] = mapped_column(Big)  # of the fact


class Reading(SiteKeyed):
    """A reading: `num` of a number or of true and false (kind 0, 1), `text` of kind 2. Partitioned by month of
    `at_us` on PostgreSQL, without a rowid on SQLite (see the migrations)."""

    __tablename__ = "readings"

    epoch_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    series: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at_us: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    num: Mapped[float | None] = mapped_column(Float(53))
    text: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[int] = mapped_column(SmallInteger)
    quality: Mapped[int] = mapped_column(SmallInteger)
    late_us: Mapped[int] = mapped_column(Big)
    boot: Mapped[int] = mapped_column(Big)
    mono_ms: Mapped[int] = mapped_column(Big)

    __table_args__ = (
        Index(  # those whose time is a label, few: they are asked for by boot and monotonic time
            "ix_readings_unset",
            "tenant_id",
            "site_id",
            "epoch_no",
            "boot",
            "series",
            "mono_ms",
            sqlite_where=_text("quality = 0 AND boot < 0"),
            postgresql_where=_text("quality = 0 AND boot < 0"),
        ),
        {"sqlite_with_rowid": False, "postgresql_partition_by": "RANGE (at_us)"},
    )


class Rollup(SiteKeyed):
    """Numbers of one series by the hour (of the site's zone, see `rollup_offset_us`); they outlive the readings."""

    __tablename__ = "rollups"

    epoch_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    series: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    hour_us: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(Big)
    sum: Mapped[float] = mapped_column(Float(53))
    min: Mapped[float] = mapped_column(Float(53))
    max: Mapped[float] = mapped_column(Float(53))

    __table_args__ = ({"sqlite_with_rowid": False},)


class RollupDue(SiteKeyed):
    """Hours whose rollups are to be made anew: readings came in between these times. `n` only tells rows apart."""

    __tablename__ = "rollups_due"

    n: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    epoch_no: Mapped[int] = mapped_column(Integer)
    from_us: Mapped[int] = mapped_column(Big)
    to_us: Mapped[int] = mapped_column(Big)

"""The central tables. Keys are led by tenant and site, so that the schema distributes by site as it is.

Times are UTC microseconds as the hub wrote them, unless the name says otherwise (`received_us`, `seen_us` and the
like are the centre's own). Nothing here is corrected: a `clock_fixes` row is applied wherever rows are read.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Float,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as _text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
Big = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMES)


class SiteKeyed(Base):
    """Base of what belongs to one site."""

    __abstract__ = True

    tenant_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-2)
    site_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-1)


class Tenant(Base):
    """Somebody whose sites nobody else sees."""

    __tablename__ = "tenants"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text, unique=True)
    created_us: Mapped[int] = mapped_column(Big)


class ApiKey(Base):
    """A key of head office or of an app; only its hash. `sites`: slugs it reaches, between spaces; '' for all."""

    __tablename__ = "keys"

    tenant_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text, default="")
    sites: Mapped[str] = mapped_column(Text, default="")
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    weak: Mapped[bool] = mapped_column(Boolean, default=False)
    created_us: Mapped[int] = mapped_column(Big)
    created_by: Mapped[str] = mapped_column(Text)
    used_us: Mapped[int | None] = mapped_column(Big)  # to the minute
    revoked_us: Mapped[int | None] = mapped_column(Big)


class Audit(Base):
    """One change somebody made at the centre."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Big, Identity(), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(Integer)
    site_id: Mapped[int | None] = mapped_column(Integer)
    at_us: Mapped[int] = mapped_column(Big)
    actor: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text, default="")
    detail: Mapped[str] = mapped_column(Text, default="{}")

    __table_args__ = (
        Index(None, "tenant_id", "id"),
        Index(None, "tenant_id", "site_id", "id"),
        Index("ix_audit_actor", "tenant_id", "actor", "id"),
        Index("ix_audit_what", "tenant_id", "what", "id"),
    )


class Site(Base):
    """A site, and what is known of the hub that owns it. `state`: new, active, revoked.

    `place`, `boot_id`, `run`, `session`: which hub speaks for it. `inbox_last`: the last number given to an item.
    `alert`: what a person has to look at, '' when nothing.
    """

    __tablename__ = "sites"

    tenant_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)  # unique over all tenants
    slug: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    created_us: Mapped[int] = mapped_column(Big)
    created_by: Mapped[str] = mapped_column(Text)
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    code_until_us: Mapped[int] = mapped_column(Big, default=0)
    code_place: Mapped[str] = mapped_column(Text, default="")  # that has used the code
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    place: Mapped[str] = mapped_column(Text, default="")
    boot_id: Mapped[str] = mapped_column(Text, default="")
    run: Mapped[str] = mapped_column(Text, default="")
    session: Mapped[int] = mapped_column(Big, default=0)
    seen_us: Mapped[int] = mapped_column(Big, default=0)
    version: Mapped[str] = mapped_column(Text, default="")
    timezone: Mapped[str] = mapped_column(Text, default="UTC")
    rollup_offset_us: Mapped[int | None] = mapped_column(Big)  # how far its rollups' hours begin behind UTC's
    report: Mapped[str] = mapped_column(Text, default="{}")  # a SiteReport
    report_us: Mapped[int] = mapped_column(Big, default=0)
    inbox_last: Mapped[int] = mapped_column(Big, default=0)
    inbox_acked: Mapped[int] = mapped_column(Big, default=0)
    alert: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (UniqueConstraint("tenant_id", "name"), UniqueConstraint("id"))


class Stream(SiteKeyed):
    """Where a stream stands: `next` is wanted, `hash` is that of the row before it, `high` the highest there is.

    `complete_us`: everything the hub wrote up to then is here. `watched`: of the readings, another number whenever
    others are waited for than before (cloud/sync/projection.py, ReadingsWatch).
    """

    __tablename__ = "streams"

    stream: Mapped[str] = mapped_column(Text, primary_key=True)
    epoch: Mapped[str] = mapped_column(Text, default="")
    epoch_no: Mapped[int] = mapped_column(Integer, default=0)
    next: Mapped[int] = mapped_column(Big, default=1)
    hash: Mapped[bytes] = mapped_column(LargeBinary, default=bytes(16))
    high: Mapped[int] = mapped_column(Big, default=0)
    head: Mapped[int] = mapped_column(Big, default=0)  # by the hub's last word
    complete_us: Mapped[int] = mapped_column(Big, default=0)
    moved_us: Mapped[int] = mapped_column(Big, default=0)
    watched: Mapped[int] = mapped_column(Big, default=0, server_default="0")


class Epoch(SiteKeyed):
    """Every epoch a stream has had here, by number: it begins behind row `base` of what was before."""

    __tablename__ = "epochs"

    stream: Mapped[str] = mapped_column(Text, primary_key=True)
    epoch_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    epoch: Mapped[str] = mapped_column(Text)
    base: Mapped[int] = mapped_column(Big)
    base_hash: Mapped[bytes] = mapped_column(LargeBinary)
    why: Mapped[str] = mapped_column(Text)
    began_us: Mapped[int] = mapped_column(Big)


class Receipt(SiteKeyed):
    """A range of a readings stream that is here, ends included: what comes again is known by it, however late."""

    __tablename__ = "receipts"

    epoch_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(Big)


CHANGES = _text("actor <> ''")  # facts by which somebody changed something


def _of_changes(name: str, *columns: str) -> Index:
    """An index of those facts alone."""
    return Index(name, "tenant_id", *columns, sqlite_where=CHANGES, postgresql_where=CHANGES)


GAPS = _text("kind = 'gap'")  # the few facts that tell of readings lost


class FactRow(SiteKeyed):
    """A fact of a site's ledger. `arrival` is its number here over all sites; `txid` the transaction it came in
    (PostgreSQL), by which a reader knows that nothing before it is still to be committed: the order to read in is
    (txid, arrival). `skipped`: it was not taken, only its hash. `actor`: who changed something, '' for nobody."""

    __tablename__ = "facts"

    seq: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    epoch_no: Mapped[int] = mapped_column(Integer)
    arrival: Mapped[int] = mapped_column(Big)
    txid: Mapped[int] = mapped_column(Big, default=0)
    kind: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    device: Mapped[str] = mapped_column(Text, default="")
    actor: Mapped[str] = mapped_column(Text, default="", server_default="")
    at_us: Mapped[int] = mapped_column(Big)
    quality: Mapped[str] = mapped_column(Text)
    boot_id: Mapped[str] = mapped_column(Text)
    mono_ms: Mapped[int] = mapped_column(Big)
    body: Mapped[str] = mapped_column(Text)
    received_us: Mapped[int] = mapped_column(Big)
    skipped: Mapped[bool] = mapped_column(Boolean, default=False)

    __table_args__ = (
        Index(None, "tenant_id", "arrival"),
        Index(None, "tenant_id", "txid", "arrival"),
        Index(None, "tenant_id", "site_id", "txid", "arrival"),
        _of_changes("ix_facts_changes", "arrival"),
        _of_changes("ix_facts_site_changes", "site_id", "arrival"),
        _of_changes("ix_facts_actor_changes", "actor", "arrival"),
        _of_changes("ix_facts_kind_changes", "kind", "arrival"),
        Index("ix_facts_gaps", "tenant_id", "site_id", "at_us", sqlite_where=GAPS, postgresql_where=GAPS),
    )


class StateRow(SiteKeyed):
    """A hub's view of a thing as it last told it: device, slot, twin, latest … `change` orders all changes here."""

    __tablename__ = "states"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    device: Mapped[str] = mapped_column(Text, default="")
    session: Mapped[int] = mapped_column(Big)
    version: Mapped[int] = mapped_column(Big)
    at_us: Mapped[int] = mapped_column(Big)
    received_us: Mapped[int] = mapped_column(Big)
    change: Mapped[int] = mapped_column(Big)
    txid: Mapped[int] = mapped_column(Big, default=0)
    view: Mapped[str] = mapped_column(Text)  # '' where it is gone

    __table_args__ = (
        Index(None, "tenant_id", "txid", "change"),
        Index(None, "tenant_id", "kind", "device", "site_id", "id"),
    )


class CommandRow(SiteKeyed):
    """A command, from facts of the hub; before the hub has it, from the inbox (`place` centre, handed, site).

    `number` orders acceptance over all sites. `fact_epoch`, `fact_seq`: the ledger epoch's number and the fact that
    last changed it, 0 while none has; `first_epoch`, `first_seq`: the fact that told of it first. `place` centre of
    one in doubt: its hub does not know of it (any more). `tries`: each attempt, as JSON. `change`: its last change
    here that no fact tells of, with the transaction's `txid` as in StateRow, 0 while none has been.
    """

    __tablename__ = "commands"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(Big)
    device: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(Text, default="")
    args: Mapped[str] = mapped_column(Text, default="{}")  # what of them is public
    created_us: Mapped[int] = mapped_column(Big)
    expires_us: Mapped[int] = mapped_column(Big, default=0)
    ended_us: Mapped[int | None] = mapped_column(Big)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    seq: Mapped[int | None] = mapped_column(Big)
    reason: Mapped[str] = mapped_column(Text, default="")
    resolved_by: Mapped[str] = mapped_column(Text, default="")
    duration_s: Mapped[float | None] = mapped_column(Float(53))
    tries: Mapped[str] = mapped_column(Text, default="[]")
    first_epoch: Mapped[int] = mapped_column(Integer, default=0)
    first_seq: Mapped[int] = mapped_column(Big, default=0)
    fact_epoch: Mapped[int] = mapped_column(Integer, default=0)
    fact_seq: Mapped[int] = mapped_column(Big, default=0)
    change: Mapped[int] = mapped_column(Big, default=0)
    txid: Mapped[int] = mapped_column(Big, default=0)

    __table_args__ = (
        Index(None, "tenant_id", "id"),
        Index(None, "tenant_id", "number"),
        Index(None, "tenant_id", "txid", "change"),
        Index(None, "tenant_id", "state", "number"),
        Index(None, "tenant_id", "site_id", "number"),
        Index(None, "tenant_id", "site_id", "device", "number"),
        Index(None, "tenant_id", "device", "number"),
        Index(None, "tenant_id", "kind", "number"),
        Index(None, "tenant_id", "actor", "number"),
        Index(
            "ix_commands_open",
            "tenant_id",
            "site_id",
            "number",
            sqlite_where=_text("state IN ('queued', 'sent')"),
            postgresql_where=_text("state IN ('queued', 'sent')"),
        ),
    )


class Idempotency(Base):
    """The command that an earlier request with this key made."""

    __tablename__ = "idempotency"

    tenant_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    actor: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    site_id: Mapped[int] = mapped_column(Integer)
    command_id: Mapped[str] = mapped_column(Text)
    at_us: Mapped[int] = mapped_column(Big)


class TransactionRow(SiteKeyed):
    """A vend, from facts of the hub."""

    __tablename__ = "transactions"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(Big)
    device: Mapped[str] = mapped_column(Text)
    slot: Mapped[int] = mapped_column(Integer)
    item: Mapped[str] = mapped_column(Text, default="")
    price: Mapped[int] = mapped_column(Big, default=0)
    currency: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    actor: Mapped[str] = mapped_column(Text, default="")
    note: Mapped[str] = mapped_column(Text, default="")
    created_us: Mapped[int] = mapped_column(Big)
    ended_us: Mapped[int | None] = mapped_column(Big)
    resolved_by: Mapped[str] = mapped_column(Text, default="")
    fact_epoch: Mapped[int] = mapped_column(Integer, default=0)
    fact_seq: Mapped[int] = mapped_column(Big, default=0)

    __table_args__ = (Index(None, "tenant_id", "number"),)


class InboxItem(SiteKeyed):
    """Something a hub is asked for. `handed_us`: when it was handed out, `handed_run`: to which start of the hub.
    `harmless`: asking twice does no harm.

    `outcome`: '' while it waits, then applied, refused, expired, cancelled, or lost: handed out to a hub that was
    started anew or restored before it confirmed, so nobody can know.
    """

    __tablename__ = "inbox"

    seq: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)  # emptied when it ends: pictures, names and amounts are kept no longer
    actor: Mapped[str] = mapped_column(Text)
    created_us: Mapped[int] = mapped_column(Big)
    expires_us: Mapped[int | None] = mapped_column(Big)
    handed_us: Mapped[int | None] = mapped_column(Big)
    handed_run: Mapped[str] = mapped_column(Text, default="")
    harmless: Mapped[bool] = mapped_column(Boolean, default=True)
    outcome: Mapped[str] = mapped_column(Text, default="")
    code: Mapped[str] = mapped_column(Text, default="")
    detail: Mapped[str] = mapped_column(Text, default="")
    ended_us: Mapped[int | None] = mapped_column(Big)

    __table_args__ = (
        UniqueConstraint("tenant_id", "site_id", "id"),
        Index(
            "ix_inbox_waiting",
            "tenant_id",
            "site_id",
            "seq",
            sqlite_where=_text("outcome = ''"),
            postgresql_where=_text("outcome = ''"),
        ),
        Index(
            "ix_inbox_expiring",
            "expires_us",
            sqlite_where=_text("outcome = '' AND handed_us IS NULL"),
            postgresql_where=_text("outcome = '' AND handed_us IS NULL"),
        ),
    )


class Counter(Base):
    """Numbers given out where the engine has no sequences (SQLite)."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[int] = mapped_column(Big)

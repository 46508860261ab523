"""The tables of firmware: what there is to run, who may sign it, which devices belong together, and rollouts.

A rollout is evaluated here and carried out by hubs: each of its devices has a row of its own, which the facts of
its hub move on. What a device is doing at this moment its hub tells as a state (kind `firmware`).
"""

from __future__ import annotations

from sqlalchemy import Boolean, Float, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlalchemy import text as _text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.db.models import Base, Big, SiteKeyed

STANDS = _text("state IN ('scheduled', 'running', 'paused')")  # what may still change by itself
OPEN_STEPS = ("waiting", "offered", "downloading", "verified", "staged", "testing", "delayed")
IS_OPEN = _text("step IN ({})".format(", ".join(f"'{step}'" for step in OPEN_STEPS)))


def _open(name: str, *columns: str) -> Index:
    """An index of the devices alone that have not ended."""
    return Index(name, *columns, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)


class TenantKeyed(Base):
    """Base of what belongs to a tenant and to no site."""

    __abstract__ = True

    tenant_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-2)


class FirmwareKey(TenantKeyed):
    """A key whose signatures are trusted here, by its id; `pem` is its public half."""

    __tablename__ = "firmware_keys"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    pem: Mapped[str] = mapped_column(Text)
    created_us: Mapped[int] = mapped_column(Big)
    created_by: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("tenant_id", "name"),)


class Artifact(TenantKeyed):
    """One artifact: what its manifest says, the manifest, and what was looked at when it came (`checks`, JSON)."""

    __tablename__ = "artifacts"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    chip: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    security: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(Big)
    files: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(Text)
    md5: Mapped[str] = mapped_column(Text)
    manifest: Mapped[bytes] = mapped_column(LargeBinary)
    signatures: Mapped[bytes] = mapped_column(LargeBinary)
    legacy_only: Mapped[bool] = mapped_column(Boolean)
    notes: Mapped[str] = mapped_column(Text)
    checks: Mapped[str] = mapped_column(Text)
    created_us: Mapped[int] = mapped_column(Big)
    created_by: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "target", "chip", "version"),
        Index(None, "tenant_id", "created_us", "id"),
    )


class ArtifactPart(TenantKeyed):
    """One file of an artifact, by its path; its bytes are the blob of that hash. `crc32`: for the bundle's zip."""

    __tablename__ = "artifact_files"

    artifact: Mapped[str] = mapped_column(Text, primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    size: Mapped[int] = mapped_column(Big)
    sha256: Mapped[str] = mapped_column(Text)
    crc32: Mapped[int] = mapped_column(Big)

    __table_args__ = (Index(None, "tenant_id", "sha256"),)


class Blob(TenantKeyed):
    """The bytes of a file, known by their hash. `whole`: every piece is here. `touched_us`: when somebody brought
    it last; one that no artifact has is let go of some time later."""

    __tablename__ = "blobs"

    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    size: Mapped[int] = mapped_column(Big)
    touched_us: Mapped[int] = mapped_column(Big)
    whole: Mapped[bool] = mapped_column(Boolean, default=False)

    __table_args__ = (Index(None, "touched_us"),)


class BlobPiece(TenantKeyed):
    """A piece of a blob: so many bytes of it behind each other, all but the last of one length."""

    __tablename__ = "blob_pieces"

    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class DeviceGroup(TenantKeyed):
    """Devices that are named together, of any sites."""

    __tablename__ = "device_groups"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    created_us: Mapped[int] = mapped_column(Big)
    created_by: Mapped[str] = mapped_column(Text)


class GroupMember(SiteKeyed):
    """A device of a group."""

    __tablename__ = "device_group_members"

    device: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)

    __table_args__ = (Index(None, "tenant_id", "name"),)


class Rollout(TenantKeyed):
    """A rollout. `target`, `plan`: as they were asked for, JSON; `sites`: the slugs that whoever made it reached,
    between spaces, '' for all. `begun_by`: who lets it begin, its maker or whoever resumed it
    before. `stopped`: not by a person, but because too few ended well, or nobody trusted has signed what it brings.
    `starts_us`: not before, 0 for at once. `request`: the key under which it was asked for, null for none.
    `change`, `txid`: as of a CommandRow."""

    __tablename__ = "rollouts"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    artifact: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    plan: Mapped[str] = mapped_column(Text)
    sites: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")
    stopped: Mapped[bool] = mapped_column(Boolean, default=False)
    devices: Mapped[int] = mapped_column(Integer, default=0)
    starts_us: Mapped[int] = mapped_column(Big, default=0)
    created_us: Mapped[int] = mapped_column(Big)
    created_by: Mapped[str] = mapped_column(Text)
    begun_by: Mapped[str] = mapped_column(Text)
    started_us: Mapped[int | None] = mapped_column(Big)
    ended_us: Mapped[int | None] = mapped_column(Big)
    request: Mapped[str | None] = mapped_column(Text)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    change: Mapped[int] = mapped_column(Big, default=0)
    txid: Mapped[int] = mapped_column(Big, default=0)

    __table_args__ = (
        UniqueConstraint("tenant_id", "created_by", "request"),
        Index(None, "tenant_id", "created_us", "id"),
        Index(None, "tenant_id", "txid", "change"),
        Index(None, "tenant_id", "artifact"),
        Index("ix_rollouts_stand", "tenant_id", "id", sqlite_where=STANDS, postgresql_where=STANDS),
    )


class RolloutWave(TenantKeyed):
    """One wave of a rollout that has begun. Times ending in `_s` are of the rollouts' own clock. `passed`: a person
    let the next one begin."""

    __tablename__ = "rollout_waves"

    rollout: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    began_us: Mapped[int] = mapped_column(Big)
    reached_s: Mapped[float | None] = mapped_column(Float(53))
    passed: Mapped[bool] = mapped_column(Boolean, default=False)


class RolloutDeviceRow(SiteKeyed):
    """A device of a rollout. `place`: its number in the order of all. `deadline_s`: by the rollouts' clock, null
    while it was not offered; of one that stands still, `left_s` is left. `item`: the inbox item by which its hub
    was told, '' for none. `settled`: a person has taken what went wrong as it is."""

    __tablename__ = "rollout_devices"

    rollout: Mapped[str] = mapped_column(Text, primary_key=True)
    device: Mapped[str] = mapped_column(Text, primary_key=True)
    place: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(Text)
    wave: Mapped[int] = mapped_column(Integer)
    step: Mapped[str] = mapped_column(Text)
    settled: Mapped[bool] = mapped_column(Boolean, default=False)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    reason: Mapped[str] = mapped_column(Text, default="")
    deadline_s: Mapped[float | None] = mapped_column(Float(53))
    left_s: Mapped[float | None] = mapped_column(Float(53))
    changed_us: Mapped[int | None] = mapped_column(Big)
    item: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (
        Index(None, "tenant_id", "rollout", "place", unique=True),
        Index(None, "tenant_id", "rollout", "wave", "step"),
        Index(None, "tenant_id", "site_id", "item"),
        _open("ix_rollout_devices_open", "tenant_id", "site_id", "device"),
        _open("ix_rollout_devices_deadline", "deadline_s"),
    )


class RolloutDue(TenantKeyed):
    """Something came in that a rollout is to be judged by. `n` grows with each."""

    __tablename__ = "rollouts_due"

    rollout: Mapped[str] = mapped_column(Text, primary_key=True)
    n: Mapped[int] = mapped_column(Big)


class RolloutClock(Base):
    """The one clock that rollouts are judged by: it rises while an instance watches, and stands still while none
    does, so that no device counts as silent because nobody listened. `seen_us`: when it was looked at last."""

    __tablename__ = "rollout_clock"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    watched_s: Mapped[float] = mapped_column(Float(53))
    seen_us: Mapped[int] = mapped_column(Big)


class UpdateEnd(SiteKeyed):
    """How an update of a device ended, whoever rolled it out: for statistics."""

    __tablename__ = "update_ends"

    device: Mapped[str] = mapped_column(Text, primary_key=True)
    rollout: Mapped[str] = mapped_column(Text, primary_key=True)
    artifact: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    step: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    ended_us: Mapped[int] = mapped_column(Big)

    __table_args__ = (Index(None, "tenant_id", "ended_us"),)

"""The only SQL for artifacts and trusted keys."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from edge.store.transaction import Row, Transaction
from edge.updates.artifacts.model import Artifact, TrustedKey
from edge.wire.firmware import File, read_manifest

_COLUMNS = (
    "id, manifest, signatures, signers, legacy_only, sha256, md5, notes, checks, created_us, created_by,"
    " kind, target, chip, version, size"
)
_KEY_COLUMNS = "id, name, modulus, created_us, created_by"
CONTENTS = "SELECT DISTINCT sha256, size FROM artifact_files"
CRCS = "SELECT path, crc32 FROM artifact_files WHERE artifact_id = ?"


def load(tx: Transaction) -> list[Artifact]:
    """All of them, oldest first."""
    return [_artifact(row) for row in tx.rows(f"SELECT {_COLUMNS} FROM artifacts ORDER BY created_us, id")]


def exists(tx: Transaction, artifact_id: str) -> bool:
    """Whether it is held: to be asked in the transaction of whatever relies on it."""
    return tx.one("SELECT 1 FROM artifacts WHERE id = ?", (artifact_id,)) is not None


def insert(tx: Transaction, new: Artifact, crcs: Iterable[tuple[File, int]]) -> None:
    """Add one and its fact."""
    tx.execute(
        f"INSERT INTO artifacts({_COLUMNS}) VALUES ({','.join('?' * 16)})",
        (
            new.id,
            new.manifest,
            new.signatures,
            msgspec.json.encode(new.signers).decode(),
            int(new.legacy_only),
            new.sha256,
            new.md5,
            new.notes,
            msgspec.json.encode(new.checks).decode(),
            new.created_us,
            new.created_by,
            new.kind.value,
            new.target,
            new.chip,
            new.version,
            new.size,
        ),
    )
    for file, crc in crcs:
        tx.execute(
            "INSERT INTO artifact_files(artifact_id, path, size, sha256, crc32) VALUES (?, ?, ?, ?, ?)",
            (new.id, file.path, file.size, file.sha256, crc),
        )
    tx.fact("firmware.added", new.id, **_told(new), by=new.created_by)


def sign(tx: Transaction, artifact: Artifact, actor: str) -> None:
    """More signatures of one that is held."""
    signers = msgspec.json.encode(artifact.signers).decode()
    tx.execute(
        "UPDATE artifacts SET signatures = ?, signers = ? WHERE id = ?", (artifact.signatures, signers, artifact.id)
    )
    tx.fact("firmware.signed", artifact.id, signers=artifact.signers, version=artifact.version, by=actor)


def remove(tx: Transaction, artifact: Artifact, actor: str) -> bool:
    """Remove one; False when it was gone."""
    if tx.one("DELETE FROM artifacts WHERE id = ? RETURNING id", (artifact.id,)) is None:
        return False
    tx.execute("DELETE FROM artifact_files WHERE artifact_id = ?", (artifact.id,))
    tx.fact("firmware.removed", artifact.id, **_told(artifact), by=actor)
    return True


def damaged(tx: Transaction, artifact: Artifact, path: str) -> None:
    """A file of it is not what it was."""
    tx.fact("firmware.damaged", artifact.id, path=path, target=artifact.target, version=artifact.version)


def keys(tx: Transaction) -> list[TrustedKey]:
    """Everybody who is trusted, in the order in which they came to be."""
    rows = tx.rows(f"SELECT {_KEY_COLUMNS} FROM firmware_keys ORDER BY created_us, id")
    return [TrustedKey(row[0], row[1], int(row[2], 16), row[3], row[4]) for row in rows]


def trust(tx: Transaction, key: TrustedKey) -> None:
    """Trust somebody."""
    tx.execute(
        f"INSERT INTO firmware_keys({_KEY_COLUMNS}) VALUES (?, ?, ?, ?, ?)",
        (key.id, key.name, f"{key.modulus:x}", key.created_us, key.created_by),
    )
    tx.fact("firmware.key.trusted", key.id, name=key.name, by=key.created_by)


def distrust(tx: Transaction, key: TrustedKey, actor: str) -> bool:
    """Trust somebody no more; False when nobody did."""
    if tx.one("DELETE FROM firmware_keys WHERE id = ? RETURNING id", (key.id,)) is None:
        return False
    tx.fact("firmware.key.removed", key.id, name=key.name, by=actor)
    return True


def _told(artifact: Artifact) -> dict[str, object]:
    """What the ledger says of one."""
    return {
        "what": artifact.kind.value,
        "target": artifact.target,
        "chip": artifact.chip,
        "version": artifact.version,
        "size": artifact.size,
        "legacy_only": artifact.legacy_only,
    }


def _artifact(row: Row) -> Artifact:
    return Artifact(
        id=row[0],
        manifest=row[1],
        read=read_manifest(row[1]),
        signatures=row[2],
        signers=tuple(msgspec.json.decode(row[3], type=list[str])),
        legacy_only=bool(row[4]),
        sha256=row[5],
        md5=row[6],
        notes=row[7],
        checks=tuple(msgspec.json.decode(row[8], type=list[str])),
        created_us=row[9],
        created_by=row[10],
    )

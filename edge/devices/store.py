"""The only SQL for devices, their aliases, presence and what pending ones report."""

from __future__ import annotations

import msgspec

from edge.clock import Quality, Stamp
from edge.devices.model import Device, DeviceState, Presence, Trust
from edge.store.transaction import Row, Transaction

_json = msgspec.json.Encoder(order="sorted").encode
_COLUMNS = (
    "id, name, kind, profile, state, panel, token_hash, epoch, last_seq, facts,"
    " created_us, approved_us, approved_by, link_key, trust, epoch_new, owner"
)
_MARKS = ",".join("?" * len(_COLUMNS.split(",")))


def load(tx: Transaction) -> list[Device]:
    """Every device, forgotten ones too: their commands still name them."""
    aliases: dict[str, list[tuple[str, str]]] = {}
    for system, alias, device_id in tx.rows("SELECT system, alias, device_id FROM device_aliases ORDER BY 1, 2"):
        aliases.setdefault(device_id, []).append((system, alias))
    rows = tx.rows(f"SELECT {_COLUMNS} FROM devices ORDER BY created_us, id")
    return [_device(row, tuple(aliases.get(row[0], ()))) for row in rows]


def save(tx: Transaction, device: Device, fact: str, **body: object) -> None:
    """Insert or replace a device with its aliases, and say in the ledger what became true."""
    tx.execute(
        f"INSERT INTO devices({_COLUMNS}) VALUES ({_MARKS}) "
        "ON CONFLICT(id) DO UPDATE SET name=excluded.name, kind=excluded.kind, profile=excluded.profile,"
        " state=excluded.state, panel=excluded.panel, token_hash=excluded.token_hash, epoch=excluded.epoch,"
        " last_seq=MAX(last_seq, excluded.last_seq), facts=excluded.facts, approved_us=excluded.approved_us,"
        " approved_by=excluded.approved_by, link_key=excluded.link_key, trust=excluded.trust,"
        " epoch_new=excluded.epoch_new, owner=excluded.owner",
        (
            device.id,
            device.name,
            device.kind,
            device.profile,
            device.state.value,
            device.panel,
            device.token_hash,
            device.epoch,
            device.last_seq,
            _json(device.facts).decode(),
            device.created_us,
            device.approved_us,
            device.approved_by,
            device.link_key,
            device.trust.value,
            device.epoch_new,
            device.owner,
        ),
    )
    tx.execute("DELETE FROM device_aliases WHERE device_id = ?", (device.id,))
    for system, alias in device.aliases:
        tx.execute(
            "INSERT INTO device_aliases(system, alias, device_id) VALUES (?,?,?)", (system, alias, device.id)
        )
    tx.fact(fact, device.id, **body)


def save_presence(tx: Transaction, seen: dict[str, Presence]) -> None:
    """Keep the last evidence of each device, for the time after a restart."""
    for device_id, presence in seen.items():
        tx.execute(
            "INSERT OR REPLACE INTO presence(device_id, evidence_us, quality, how) VALUES (?,?,?,?)",
            (device_id, presence.stamp.at_us, presence.stamp.quality.value, presence.how),
        )


def load_presence(tx: Transaction) -> dict[str, Presence]:
    """Evidence from before this start: it tells when, but proves nothing about now."""
    return {
        device_id: Presence(Stamp(at_us, Quality(quality), "", 0), how)
        for device_id, at_us, quality, how in tx.rows("SELECT device_id, evidence_us, quality, how FROM presence")
    }


def report(tx: Transaction, device_id: str, body: str, keep: int) -> None:
    """Keep what a pending device said, the newest `keep` of it."""
    tx.execute(
        "INSERT INTO pending_reports(device_id, at_us, body) VALUES (?,?,?)", (device_id, tx.stamp.at_us, body)
    )
    tx.execute(
        "DELETE FROM pending_reports WHERE device_id = ?1 AND id NOT IN"
        " (SELECT id FROM pending_reports WHERE device_id = ?1 ORDER BY id DESC LIMIT ?2)",
        (device_id, keep),
    )


def drop_reports(tx: Transaction, device_id: str) -> None:
    """Forget what it said while pending."""
    tx.execute("DELETE FROM pending_reports WHERE device_id = ?", (device_id,))


def _device(row: Row, aliases: tuple[tuple[str, str], ...]) -> Device:
    return Device(
        id=row[0],
        name=row[1],
        kind=row[2],
        profile=row[3],
        state=DeviceState(row[4]),
        panel=row[5],
        token_hash=row[6],
        epoch=row[7],
        last_seq=row[8],
        facts=msgspec.json.decode(row[9]),
        aliases=aliases,
        created_us=row[10],
        approved_us=row[11],
        approved_by=row[12],
        link_key=row[13],
        trust=Trust(row[14]),
        epoch_new=bool(row[15]),
        owner=row[16],
    )

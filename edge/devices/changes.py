"""What becomes of a device, as pure values: a device in, the changed one out."""

from __future__ import annotations

import msgspec

from edge.access.model import hash_secret
from edge.devices.model import NAME_CHARS, NATIVE_KINDS, Device, DeviceState, Facts, Trust
from edge.errors import Conflict
from edge.wire.signing import key_from_token


def approved(device: Device, at_us: int, by: str) -> Device:
    """It may be told to act."""
    return msgspec.structs.replace(device, state=DeviceState.APPROVED, approved_us=at_us, approved_by=by)


def forgotten(device: Device) -> Device:
    """Without its approval, its token, its owner, and the names others know it by; a key is kept to know it by."""
    return msgspec.structs.replace(
        device,
        state=DeviceState.FORGOTTEN,
        aliases=(),
        token_hash=None,
        approved_us=None,
        approved_by="",
        owner="",
    )


def left(pending: Device) -> Device:
    """A record that only waited for approval, put away with its key, its token and its names.

    Its trust stays, to tell whose command numbers may be gone on with.
    """
    return msgspec.structs.replace(pending, state=DeviceState.FORGOTTEN, aliases=(), link_key=None, token_hash=None)


def met(device: Device, epoch: str, last_seq: int, panel: str | None, facts: Facts, kind: str = "") -> Device:
    """With what it said in its handshake. Another epoch than before: its flash was erased. Another kind: it runs
    another firmware. Another panel than was known: what it says counts, and what was known is kept to be told;
    None: it said nothing of one."""
    erased = device.approved and device.kind != "display" and device.epoch not in ("", epoch)
    before = {"panel_before": device.panel} if panel and device.panel not in ("", panel) else {}
    return msgspec.structs.replace(
        device,
        epoch=epoch,
        # of a stranger nothing is believed: the number would outlive him, and the real board obey none below it
        last_seq=max(last_seq, device.last_seq) if device.approved or device.trusted else device.last_seq,
        kind=kind if device.profile == "native" and kind in NATIVE_KINDS else device.kind,
        panel=device.panel if panel is None else panel,
        facts={**device.facts, **facts, **before},
        epoch_new=device.epoch_new or erased,
    )


def with_token(device: Device, secret: str) -> Device:
    """With this token; a board with our firmware signs with the key that follows from it."""
    native = device.profile == "native"
    return msgspec.structs.replace(
        device,
        token_hash=hash_secret(secret),
        link_key=key_from_token(secret) if native else None,
        trust=Trust.CONFIRMED if native else Trust.NONE,
    )


def merged(pending: Device, known: Device, *, confirmed: bool) -> Device:
    """`known` with the key and the names of `pending`, the same board, whose flash was erased.

    One whose code was `confirmed` and whose epoch is the same was on a cable before and remembers what it did.
    Raises Conflict unless one is pending with a key and the other an approved board of the same kind.
    """
    if pending.id == known.id or pending.approved or pending.link_key is None:
        raise Conflict(f"{pending.name} is not a board that waits for approval with a new key.")
    if not known.approved or (known.profile, known.kind) != (pending.profile, pending.kind):
        raise Conflict(f"{known.name} is not an approved {pending.kind} with our firmware.")
    remembers = confirmed and pending.epoch == known.epoch != ""
    return msgspec.structs.replace(
        known,
        facts={**known.facts, **without(pending.facts, "same_board_as")},
        aliases=tuple(dict.fromkeys((*known.aliases, *pending.aliases, ("native", pending.id)))),
        last_seq=max(known.last_seq, pending.last_seq if pending.trusted else 0),
        token_hash=None,
        link_key=pending.link_key,
        trust=Trust.PAIRED,
        epoch=pending.epoch or known.epoch,
        epoch_new=known.epoch_new or (not remembers and known.kind != "display"),
    )


def joined(pending: Device, known: Device) -> Device:
    """`known` with the names of `pending`, another link of it, and its token where it has one: the newer one.

    Raises Conflict unless one is pending and the other approved, and both speak the same.
    """
    if pending.id == known.id or pending.approved:
        raise Conflict(f"{pending.name} is not a device that waits for approval.")
    if not known.approved or (known.profile, known.kind) != (pending.profile, pending.kind):
        raise Conflict(f"{known.name} is not an approved {pending.kind} that speaks {pending.profile}.")
    return msgspec.structs.replace(
        known,
        facts={**without(pending.facts, "same_board_as"), **known.facts},
        aliases=tuple(dict.fromkeys((*known.aliases, *pending.aliases))),
        token_hash=pending.token_hash or known.token_hash,
    )


def shown_name(claimed: str) -> str:
    """A name as a device gives it, made fit to be shown: bounded, without what does not print."""
    return "".join(char for char in claimed if char.isprintable()).strip()[:NAME_CHARS]


def without(facts: Facts, name: str) -> Facts:
    """The facts but this one."""
    return {key: value for key, value in facts.items() if key != name}

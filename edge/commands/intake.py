"""What a request for a command must be before it is taken on."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from hashlib import blake2b
from typing import Any, Protocol

import msgspec

from edge.clock import iso
from edge.commands import store as sql
from edge.commands.model import Command
from edge.devices.model import Device
from edge.errors import Conflict, DeviceUnavailable, OutpostError, Rejected
from edge.links.longpoll import GRACE_S
from edge.store.transaction import Transaction
from edge.wire.commands import OPEN
from edge.wire.kinds import Kind

Args = dict[str, Any]

encode_args = msgspec.json.Encoder(order="sorted").encode
"""Arguments as stored and hashed: the same arguments give the same bytes."""


class Preparer(Protocol):
    """Checks and normalises the arguments of a kind when a command is accepted."""

    def __call__(self, args: Mapping[str, Any], device: Device) -> Awaitable[Args]:
        """The arguments as stored. Raises BadInput with what is wrong."""


class Rule(Protocol):
    """What a capability adds to the transactions of its kind's commands: either both happen or neither."""

    def objection(self, device: Device) -> OutpostError | None:
        """What memory says against a new one now; `admit` gets it, unless the same request was answered before."""

    def admit(self, tx: Transaction, command: Command, args: Args, objection: OutpostError | None) -> None:
        """A command is being accepted. Raises the objection, or what the books say and is to be told first."""

    def follow(self, tx: Transaction, command: Command, evidence: str) -> None:
        """A command has changed: here it is as it is after the change, and what its device knows the end by."""


class NoRule:
    """The rule of a kind that nobody adds anything to."""

    def objection(self, device: Device) -> None:
        """Nothing stands against it."""

    def admit(self, tx: Transaction, command: Command, args: Args, objection: OutpostError | None) -> None:
        """Nothing to write."""

    def follow(self, tx: Transaction, command: Command, evidence: str) -> None:
        """Nothing to write."""


NO_RULE = NoRule()


def shortest_ttl_s(kind_s: float, asked_s: float | None) -> float:
    """The time to live of a command: the kind's, which a caller may shorten. Raises Rejected."""
    if asked_s is None:
        return kind_s
    if asked_s <= 0:
        raise Rejected("A time to live is a positive number of seconds.")
    return min(kind_s, asked_s)


def no_args(args: Mapping[str, Any]) -> Args:
    """What a kind without arguments takes. Raises Rejected."""
    if args:
        raise Rejected(f"This kind takes no arguments, but got {', '.join(sorted(args))}.")
    return {}


def request_hash(device_id: str, kind_name: str, args: Mapping[str, Any]) -> bytes:
    """What tells one request from another under the same idempotency key."""
    asked = b"%b %b %b" % (device_id.encode(), kind_name.encode(), encode_args(args))
    return blake2b(asked, digest_size=16).digest()


def earlier_answer(tx: Transaction, actor: str, key: str, asked_hash: bytes) -> Command | None:
    """The command an earlier request with this key made. Raises Rejected when it asked for something else."""
    known = sql.remembered(tx, actor, key)
    if known is None:
        return None
    body_hash, command_id = known
    if body_hash != asked_hash:
        raise other_request()
    return sql.by_id(tx, command_id)


def other_request() -> Rejected:
    """What a caller is told who gives an idempotency key a second time, for something else."""
    return Rejected("This Idempotency-Key was used for another request.", hint="Use a new key for a new request.")


def not_approved(device: Device) -> DeviceUnavailable:
    """What a caller is told when the device may not be told to act."""
    return DeviceUnavailable(
        f"{device.name} is not approved.", hint=f"`outpost device approve {device.id}` approves it."
    )


def unseated(device: Device) -> DeviceUnavailable:
    """What an agent is told who no longer sits at the display he sends to."""
    return DeviceUnavailable(f"The agent no longer sits at {device.name}.", hint="Link to a display anew.")


def not_in_doubt(command: Command) -> Conflict:
    """What a caller is told who settles a command that is not in doubt, or not yet."""
    show = f"`outpost {'transaction' if command.kind == 'vend' else 'command'} show {command.id}`"
    hint = f"{show} says how it stands."
    if command.state in OPEN:
        by = iso(command.expires_us + int(GRACE_S * 1_000_000))
        hint = f"It ends or becomes in doubt by itself, about {by} at the latest; {hint}"
    return Conflict(f"Only a command in doubt is resolved; this one is {command.state.value}.", hint=hint)


def unfit(device: Device, kind: Kind) -> OutpostError | None:
    """Why this device may not be told to do this, or None."""
    if kind.fits and device.kind not in kind.fits:
        return Rejected(f"{device.name} is a {device.kind or 'device'}; {kind.name} is for {', '.join(kind.fits)}.")
    if kind.acts and not device.trusted:
        return DeviceUnavailable(
            f"{device.name} shares a key with this hub that nobody has confirmed; {kind.name} needs that.",
            hint=f"Compare the code it shows: `outpost device approve {device.id} --code CODE`.",
        )
    if kind.name == "vend" and device.epoch_new:
        return DeviceUnavailable(
            f"{device.name} has lost its memory of what it did, so it vends nothing until a person has looked.",
            hint=f"Look at the machine, then `outpost device confirm {device.id}`.",
        )
    return None


def require_fit(device: Device, kind: Kind) -> None:
    """Raise unless this device may be told to do this."""
    objection = unfit(device, kind)
    if objection is not None:
        raise objection


def queue_full(device: Device, limit: int) -> DeviceUnavailable:
    """What a caller is told when too much waits for the device already."""
    return DeviceUnavailable(f"{device.name} already has {limit} open commands.")

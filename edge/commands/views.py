"""Commands as the API shows them."""

from __future__ import annotations

from edge.clock import Stamp, iso
from edge.commands.model import Command, public_args, remaining_ms
from edge.store.boots import Boots
from edge.wire.commands import OPEN
from edge.wire.views import CommandView


def command_view(command: Command, now: Stamp, boots: Boots) -> CommandView:
    """`command` without what is private; `boots` says what its times really are."""
    open_ = command.state in OPEN
    created_us, _ = boots.dated(command.created_us, command.quality, command.boot_id, command.created_ms)
    ended_us = command.ended_us and boots.when(command.ended_us, command.ended_clock)
    return CommandView(
        id=command.id,
        device=command.device_id,
        kind=command.kind,
        state=command.state,
        actor=command.actor,
        agent=command.agent or None,
        created_at=iso(created_us),
        expires_in_s=max(0, remaining_ms(command, now)) / 1000 if open_ else None,
        ended_at=iso(ended_us) if ended_us else None,
        attempts=command.attempts,
        reason=command.reason,
        resolved_by=command.resolved_by,
        duration_s=None if command.duration_s is None else round(command.duration_s, 3),
        seq=command.seq,
        args=public_args(command),
    )

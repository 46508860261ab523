"""Whether a rollout may begin, or go on: somebody who is trusted has signed what it brings, and whoever let it
begin still may.

It is looked up each time and not noted when it changes, so it holds at whichever instance, and whatever changed it.
"""

from __future__ import annotations

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.actors import member_now
from cloud.updates import artifact_store
from cloud.updates.trusted import keys_of
from edge.errors import Rejected
from edge.serving.roles import Role
from edge.updates.signing.signatures import signers
from edge.wire.firmware import read_signatures
from edge.wire.updates import RolloutState

UNTRUSTED = "Nobody who is trusted here has signed this firmware."


async def require_trusted(connection: AsyncConnection, tenant_id: int, artifact: RowMapping) -> None:
    """Raise Rejected for an artifact that no trusted key has signed, unless it is for older devices alone."""
    if not await _trusted(connection, tenant_id, artifact):
        raise Rejected(UNTRUSTED, hint="`outpost firmware trust list` says who is trusted.")


async def forbids(connection: AsyncConnection, rollout: RowMapping) -> str:
    """Why a rollout may not begin, or not go on, in a sentence; '' where it may."""
    artifact = await artifact_store.one(connection, rollout["tenant_id"], rollout["artifact"])
    if artifact is not None and not await _trusted(connection, rollout["tenant_id"], artifact):
        return UNTRUSTED
    if rollout["state"] != RolloutState.SCHEDULED:
        return ""
    who, sites = rollout["begun_by"], frozenset(rollout["sites"].split())
    now = await member_now(connection, rollout["tenant_id"], who)
    if now is None:
        return f"{who} was removed; resume it if it shall begin."
    if now.role < Role.TECHNICIAN or not now.covers(sites):
        return f"{who} may not do this any more; resume it if it shall begin."
    return ""


async def _trusted(connection: AsyncConnection, tenant_id: int, artifact: RowMapping) -> bool:
    if artifact["legacy_only"]:
        return True
    keys = [key for _, key in await keys_of(connection, tenant_id)]
    return bool(signers(bytes(artifact["manifest"]), read_signatures(bytes(artifact["signatures"])), keys))

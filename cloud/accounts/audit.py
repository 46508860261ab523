"""Who changed what at the centre: written in the very transaction that makes the change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts import audit_store as sql
from cloud.accounts.member import Member


async def record(
    connection: AsyncConnection,
    member: Member,
    what: str,
    *,
    at_us: int,
    site_id: int | None = None,
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Note one change: `what` as noun.verb (`site.renamed`), `subject` what it was done to. No secrets in it."""
    await sql.insert_change(
        connection,
        tenant_id=member.tenant_id,
        site_id=site_id,
        at_us=at_us,
        actor=member.actor,
        what=what,
        subject=subject,
        detail=msgspec.json.encode(detail or {}).decode(),
    )

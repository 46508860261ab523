"""What a rollout would be if it began now: nothing of it is kept, and nothing is asked of anybody."""

from __future__ import annotations

import secrets
from collections import Counter

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.updates import artifacts
from cloud.updates.aiming import aim, in_order
from cloud.updates.allowed import require_trusted
from edge.updates.rollouts.model import check_plan, split
from edge.wire.centre import PreviewSite, RolloutPreview
from edge.wire.updates import NewRollout


async def previewed(connection: AsyncConnection, member: Member, wanted: NewRollout, now_us: int) -> RolloutPreview:
    """Its waves, and what each site has of them. Raises as starting it would: NotFound, BadInput, Conflict,
    Rejected."""
    plan = check_plan(wanted.plan)
    artifact = await artifacts.find(connection, member.tenant_id, wanted.artifact)
    await require_trusted(connection, member.tenant_id, artifact)
    found = in_order(await aim(connection, member, wanted.target), secrets.token_hex(6), now_us)
    sizes = split(len(found), plan.waves)
    wave_of = [wave for wave, size in enumerate(sizes) for _ in range(size)]
    heard = [one.online and not one.place.stale(now_us) for one in found]
    there = Counter((one.place.slug, wave) for one, wave in zip(found, wave_of, strict=True))
    hears = Counter(one.place.slug for one, is_heard in zip(found, heard, strict=True) if is_heard)
    sites = []
    for slug in sorted({one.place.slug for one in found}):
        waves = [there[slug, wave] for wave in range(len(sizes))]
        sites.append(PreviewSite(site=slug, devices=sum(waves), heard=hears[slug], waves=waves))
    return RolloutPreview(
        artifact=artifact["id"],
        version=artifact["version"],
        artifact_target=artifact["target"],
        devices=len(found),
        heard=sum(heard),
        waves=sizes,
        sites=sites,
    )

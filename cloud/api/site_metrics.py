"""Metrics of a caller's sites: how far behind, how much waits, how long silent."""

from __future__ import annotations

from collections import Counter

from cloud.accounts.member import Member
from cloud.sites.model import US, SiteFacts, SiteState, lag_of, state_of
from cloud.sites.sites import Sites
from edge.serving.metrics import Sample

SITES_MAX = 1000  # sites with metrics of their own, by name; each has several


async def site_samples(sites: Sites, member: Member, now_us: int) -> list[Sample]:
    """Of the sites that `member` reaches, the first SITES_MAX by name. A label is a site's id."""
    found = {row["slug"]: facts for row, facts in await sites.page(member, behind="", limit=SITES_MAX)}
    states = Counter(state_of(facts, now_us) for facts in found.values())
    return [
        Sample(
            "sites",
            "gauge",
            "Sites by how they stand.",
            {f'{{state="{state}"}}': states[state] for state in SiteState},
        ),
        Sample(
            "site_lag_seconds",
            "gauge",
            "How far behind what is here is.",
            {_label(slug): lag for slug, facts in found.items() if (lag := lag_of(facts, now_us)) is not None},
        ),
        Sample(
            "site_seen_age_seconds",
            "gauge",
            "Since its hub last spoke.",
            {_label(slug): (now_us - facts.seen_us) / US for slug, facts in found.items() if facts.seen_us},
        ),
        Sample("site_backlog_rows", "gauge", "Rows at the hub that are not here.", _backlogs(found)),
        Sample(
            "site_inbox_waiting",
            "gauge",
            "Requests that wait for its hub.",
            {_label(slug): facts.inbox_waiting for slug, facts in found.items()},
        ),
        Sample(
            "site_dead_letters",
            "gauge",
            "Rows of its hub that could not be taken.",
            {_label(slug): facts.report.dead_letters for slug, facts in found.items() if facts.report},
        ),
    ]


def _backlogs(found: dict[str, SiteFacts]) -> dict[str, float]:
    return {
        f'{{site="{slug}",stream="{stream.stream}"}}': stream.waiting
        for slug, facts in found.items()
        for stream in facts.streams
    }


def _label(slug: str) -> str:
    return f'{{site="{slug}"}}'

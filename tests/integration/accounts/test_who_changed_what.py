"""/v1/audit: what was changed at the centre and at hubs in one list, each change once however it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic import command
from sqlalchemy import Connection, column, insert, select, table, text

from cloud.db import schema
from cloud.db.database import Database
from cloud.db.models import Audit, FactRow
from edge.serving.roles import Role
from tests.filled_centre import HOUR_US, NOW_US, Filled, fact_rows
from tests.integration.accounts.somebody import second_tenant
from tests.running_centre import RunningCentre, database_of

NORTH, SOUTH = 1, 2
OLDER = table("facts", *(column(each.name) for each in FactRow.__table__.columns if each.name != "actor"))
"""Facts as a version before this one had them."""


class Changes:
    """Writes changes as the centre and hubs leave them; `at` is in hours."""

    def __init__(self, centre: RunningCentre) -> None:
        self.db, self.seq = centre.centre.db, 0

    async def here(self, what: str, at: int, *, actor: str = "user:ann", site: int | None = None) -> None:
        """One at the centre."""
        async with self.db.write() as connection:
            values = {"tenant_id": 1, "site_id": site, "at_us": NOW_US + at * HOUR_US, "actor": actor, "what": what}
            await connection.execute(insert(Audit).values(**values))

    async def there(
        self,
        kind: str,
        at: int,
        *,
        actor: str = "login:pi",
        site: int = NORTH,
        known: int | None = None,
        count: int = 1,
    ) -> None:
        """Some at a hub, `known` here at that hour."""
        async with self.db.write() as connection:
            txid = await self.db.transaction_id(connection)
            arrivals = list(await self.db.numbers(connection, "arrival", count))
            body = msgspec.json.encode({"by": actor, "name": "Till"}).decode()
            known_us = NOW_US + (at if known is None else known) * HOUR_US
            own = {"at_us": NOW_US + at * HOUR_US, "received_us": known_us, "actor": actor, "body": body}
            rows = fact_rows(site, self.seq + 1, arrivals, txid, kind=kind)
            self.seq += count
            await connection.execute(insert(FactRow), [{**row, **own} for row in rows])


async def read(centre: RunningCentre, query: str = "", *, limit: int = 500, key: str = "admin") -> list[Any]:
    """All of them, page after page."""
    found: list[Any] = []
    path = f"/v1/audit?limit={limit}{query}"
    cursor = ""
    while True:
        answer = await centre.get(path + cursor, key=key)
        assert answer.status == 200, answer.body
        found += answer.body["items"]
        if answer.body["next"] is None:
            return found
        cursor = f"&cursor={answer.body['next']}"


def told(rows: list[Any]) -> list[str]:
    """What each says, in short; without what the centre's own start left."""
    return [f"{row['where']} {row['what']}" for row in rows if row["actor"] != "setup"]


async def filled(centre: RunningCentre) -> Changes:
    """Two sites and some changes."""
    made, changes = Filled(centre.centre.db), Changes(centre)
    await made.site(NORTH, "north")
    await made.site(SOUTH, "south")
    await changes.there("device.renamed", 1)
    await changes.here("site.renamed", 2, site=NORTH)
    await changes.there("device.approved", 3, site=SOUTH, actor="key:tech")
    await changes.here("person.added", 4)
    await changes.there("key.created", -300, known=5)  # of a hub that was away
    await made.facts(NORTH, 1_000, 5, kind="command.sent")  # nobody's
    return changes


async def test_both_are_in_one_list_and_may_be_asked_for_by_anything(centre: RunningCentre) -> None:
    changes = await filled(centre)
    whole = [
        "hub key.created",
        "centre person.added",
        "hub device.approved",
        "centre site.renamed",
        "hub device.renamed",
    ]
    for limit in (1, 2, 3, 500):
        assert told(await read(centre, limit=limit)) == whole, limit
    (late, *_) = await read(centre)
    assert (late["site"], late["actor"], late["detail"]) == ("north", "login:pi", {"name": "Till"})
    assert late["at"] < "2026-09-20"
    for query, found in (
        ("&where=hub", [0, 2, 4]),
        ("&where=centre", [1, 3]),
        ("&site=north", [0, 3, 4]),
        ("&site=south", [2]),
        ("&site=nowhere", []),
        ("&actor=login:pi", [0, 4]),
        ("&actor=user:ann", [1, 3]),
        ("&actor=nobody", []),
        ("&what=device.renamed", [4]),
        ("&what=device", [2, 4]),
        ("&what=devic", []),
        ("&what=site", [3]),
        ("&what=device&site=south", [2]),
        ("&what=device&site=nowhere", []),
        ("&what=device&actor=key:tech&site=south&where=hub", [2]),
    ):
        for limit in (1, 500):
            assert told(await read(centre, query, limit=limit)) == [whole[at] for at in found], query
    for query in ("where=there", "cursor=12", "cursor=a.b", "cursor=1.2.3", "site=%00"):
        assert (await centre.get(f"/v1/audit?{query}")).status == 400, query
    first = (await centre.get("/v1/audit?limit=2")).body
    await changes.there("device.forgotten", -900, known=6, count=3)
    await changes.here("key.revoked", 7)
    rest = (await centre.get(f"/v1/audit?limit=500&cursor={first['next']}")).body
    assert told(first["items"] + rest["items"]) == whole  # what came meanwhile stands before


async def test_nobody_sees_changes_of_what_he_does_not_reach(centre: RunningCentre) -> None:
    await filled(centre)
    await second_tenant(centre)
    await centre.add_key("south", Role.ADMIN, sites="south")
    await centre.add_key("two", Role.ADMIN, sites="north south")
    assert await read(centre, key="theirs") == []
    for query in ("", "&actor=key:tech", "&what=device", "&what=device.approved", "&site=south"):
        assert told(await read(centre, query, key="south")) == ["hub device.approved"], query
        assert await read(centre, query, key="theirs") == []
    assert await read(centre, "&site=north", key="south") == []
    assert len(await read(centre, key="two", limit=2)) == 4


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_no_question_looks_through_all_facts(centre: RunningCentre) -> None:
    """What SQLite says it would do: each list is read by an index of changes alone, in its order."""
    await filled(centre)
    rules = "tenant_id = 1 AND actor <> ''"
    order = "ORDER BY arrival DESC LIMIT 50"
    for rule in ("1", "actor = 'a'", "kind = 'a'", "site_id = 1"):
        async with centre.centre.db.read() as connection:
            query = text(f"EXPLAIN QUERY PLAN SELECT body FROM facts WHERE {rules} AND {rule} {order}")
            plan = " / ".join(str(row[3]) for row in await connection.execute(query))
        assert "ix_facts_" in plan, (rule, plan)
        assert "changes" in plan, (rule, plan)
        assert "TEMP B-TREE" not in plan, (rule, plan)


async def test_what_hubs_told_an_older_version_is_found_too(engine: str, tmp_path: Path) -> None:
    facts = [
        ("device.renamed", '{"by":"login:pi"}', "login:pi"),
        ("command.queued", '{"actor":"key:tech","kind":"reboot"}', "key:tech"),
        ("command.queued", '{"actor":"key:app","kind":"vend"}', ""),
        ("slot.corrected", '{"by":"hub"}', ""),
        ("twin.changed", '{"by":"centre:user:ann"}', ""),
        ("device.renamed", '{"by":7}', ""),
        ("reading.lost", "{}", ""),
    ]
    async with database_of(engine, made=False) as url:
        db = Database(url or f"sqlite:///{tmp_path / 'cloud.db'}")
        try:
            async with db.write() as connection:
                await connection.run_sync(_at_step, "0004")
                await connection.execute(text("INSERT INTO tenants(id, name, created_us) VALUES (1, 'main', 0)"))
                rows = fact_rows(NORTH, 1, range(1, len(facts) + 1), 0)
                told = [
                    {**row, "kind": kind, "body": body} for row, (kind, body, _) in zip(rows, facts, strict=True)
                ]
                await connection.execute(insert(OLDER), told)
            await db.prepare()
            async with db.read() as connection:
                found = (await connection.execute(select(FactRow.actor).order_by(FactRow.seq))).scalars().all()
        finally:
            await db.close()
    assert found == [actor for _, _, actor in facts]


def _at_step(connection: Connection, step: str) -> None:
    """The tables as that step left them."""
    command.upgrade(schema._config(connection), step)

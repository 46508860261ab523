"""Hub and centre under everything that goes wrong between them: at the end both have exactly the same records.

The coordinator lets a site work, ruins something, lets it work on, and notes all that was accepted and all that the
files of both sides have ever held. Then everything is mended, and what should be equal is compared. Repeat a run
with SYNC_CHAOS_SEED=<the number it printed>.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.centre_process import CentreProcess
from tests.chaos.sync_books import HubBooks
from tests.chaos.sync_site import Site, a_site
from tests.chaos.sync_troubles import EACH, HEAVY, LIGHT, Trouble, whole
from tests.hub_process import HubProcess
from tests.postgres import PostgresServer
from tests.tools import share

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(7200)]

ROUNDS = share(1, 12)
TROUBLES = share(3, 40)  # of one round
WORK_S = 0.5  # between two troubles, at most
SYNC_S = 60.0  # the longest pause between two tries of a hub that was refused, and some
QUIET_S = 60.0
NEVER_DONE = {"queued", "expired", "cancelled", "superseded"}


@pytest.fixture(params=share(["postgresql"], ["sqlite", "postgresql"]))
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer | None]:
    """A PostgreSQL of this test's own, for it is killed; None for SQLite."""
    if request.param == "sqlite":
        yield None
        return
    own = PostgresServer()
    own.start()
    yield own
    own.close()


async def test_both_sides_end_with_the_same_records(tmp_path: Path, server: PostgresServer | None) -> None:
    first = int(os.environ.get("SYNC_CHAOS_SEED", random.SystemRandom().randrange(10**6)))
    for seed in range(first, first + ROUNDS):
        print(f"SYNC_CHAOS_SEED={seed}", flush=True)
        folder = tmp_path / str(seed)
        folder.mkdir()
        url = await server.new_database() if server is not None else ""
        async with a_site(folder, server, url, seed) as site:
            await ruined(site)
            await settled(site)
            await compared(site)


async def ruined(site: Site) -> None:
    """The site works, and one thing after the other goes wrong."""
    async with site.load.going():
        for trouble in course(site.chance):
            await asyncio.sleep(site.chance.uniform(0, WORK_S))
            began = time.monotonic()
            try:
                await trouble(site)
            except BaseException as error:
                error.add_note(f"in the trouble {trouble.__name__}")
                raise
            print(f"  {trouble.__name__} {time.monotonic() - began:.1f} s", flush=True)
        await asyncio.sleep(WORK_S)


def course(chance: random.Random) -> list[Trouble]:
    """Which troubles, in which order: each kind once at least where there is time for that."""
    heavy = chance.sample(HEAVY, min(len(HEAVY), max(1, TROUBLES // 3)))
    light = [chance.choice(LIGHT) for _ in range(TROUBLES - len(heavy))]
    if len(EACH) <= TROUBLES:
        light[: len(EACH)] = EACH
    chosen = [*heavy, *light][:TROUBLES]
    chance.shuffle(chosen)
    return chosen


async def settled(site: Site) -> None:
    """Everything is mended, what was captured comes once more, and all has been told."""
    site.line.mend()
    await site.line.replay(50)
    await site.synced(SYNC_S)
    await site.hub.stop()  # what its stop writes has to arrive too
    await site.start_hub()
    await site.synced(SYNC_S)


async def compared(site: Site) -> None:
    """What the hub has, what it ever had, and what the centre has."""
    assert site.load.readings, "no reading got through"
    deadline = time.monotonic() + QUIET_S
    while True:  # facts are still made: what expires is told
        books = await site.look()
        facts = await site.books.facts()
        if set(books.facts) <= set(facts) <= set(site.seen) or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.2)
    missing = sorted((seq, site.seen[seq, mark]) for seq, mark in set(books.facts) - set(facts))
    assert not missing, f"facts that are not at the centre: {missing[:10]} of {len(missing)}"
    strange = set(facts) - set(site.seen)
    assert not strange, f"facts the hub never had: {sorted(strange)[:5]} of {len(strange)}"
    assert max(facts.values()) == 1
    told = {subject for _, subject in site.seen.values()}
    given = {id_ for id_, where in site.load.given.items() if where == "hub"}
    assert given <= told, f"commands that were accepted and never written down: {sorted(given - told)[:5]}"
    await same_readings(site, books)
    await same_states(site, books)
    motors_agree(site)
    await chains_hold(site)


async def same_readings(site: Site, books: HubBooks) -> None:
    """Every reading that was accepted is there, once; none that was not measured is."""
    there = await site.books.readings()
    twice = {reading: count for reading, count in there.items() if count > 1}
    assert not twice, f"readings that are there twice: {list(twice.items())[:5]} of {len(twice)}"
    lost = site.load.readings - set(there) - site.let_go
    assert not lost, f"accepted readings that are lost: {sorted(lost)[:5]} of {len(lost)}"
    assert set(books.readings) <= set(there)
    assert not set(there) - site.measured - set(books.readings), "readings nobody measured"


async def same_states(site: Site, books: HubBooks) -> None:
    """Commands and vends are in the same state at both; the centre has none that nobody ever gave.

    What went on under a file that was replaced is known to the centre alone: there it may have ended otherwise than
    the hub can know.
    """
    lost = {subject for fact, (_, subject) in site.seen.items() if fact not in books.facts}
    for path in ("/v1/commands", "/v1/transactions"):
        deadline = time.monotonic() + QUIET_S
        while True:
            hub, centre = await states(site.hub, path), await states(site.centre, path)
            differ = {
                id_: (state, centre.get(id_))
                for id_, state in hub.items()
                if centre.get(id_) != state and not (id_ in lost and id_ in centre)
            }
            if not differ or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.2)
        assert not differ, f"{path}: at the hub, at the centre: {list(differ.items())[:5]} of {len(differ)}"
        known = {subject for _, subject in site.seen.values()}
        strange = {centre[id_] for id_ in set(centre) - set(hub) - known}  # given there, never taken to the hub
        assert strange <= NEVER_DONE, f"{path}: the centre made up {strange}"


async def states(side: HubProcess | CentreProcess, path: str) -> dict[str, str]:
    """Id to state, over all pages."""
    found: dict[str, str] = {}
    cursor: str | None = ""
    async with side.session() as session:
        while cursor is not None:
            async with session.get(path, params={"limit": "500", "cursor": cursor}) as response:
                assert response.status == 200, await response.text()
                page = await response.json()
            found |= {item["id"]: item["state"] for item in page["items"]}
            cursor = page["next"]
    return found


def motors_agree(site: Site) -> None:
    """No order is sent twice, and no motor has turned more often than it was ordered to."""
    sent = Counter(subject for kind, subject in site.seen.values() if kind == "command.sent")
    vends = {subject for kind, subject in site.seen.values() if kind == "vend.started"}
    twice = {id_: count for id_, count in sent.items() if id_ in vends and count > 1}
    assert not twice, f"sent twice: {twice}"
    assert not set(site.load.vends) - vends, "an accepted order was never written down"
    turned = sum(sum(machine.turns.values()) for machine in site.load.machines.values())
    assert turned <= len(vends & set(sent)), "a motor turned without an order"


async def chains_hold(site: Site) -> None:
    """Both sides verify the chain, and the files are whole."""
    async with site.centre.session() as session, session.get(f"/v1/sites/{site.slug}/chain") as response:
        assert response.status == 200, await response.text()
        chain = await response.json()
    assert chain["whole"], chain
    await site.hub.stop()
    assert all(whole(site.data / name) for name in ("hub.db", "readings.db"))
    with contextlib.suppress(aiohttp.ClientError):
        await site.look()

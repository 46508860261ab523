"""A hub whose files were put back goes on behind the last common row: nothing is lost, nothing is there twice."""

from __future__ import annotations

import msgspec

from edge.wire.sync import BeginEpoch
from tests.fakes.sync_hub import SyncHub
from tests.integration.centre.hubs import chain_of, enrolled, facts_of, held, readings_of
from tests.running_centre import RunningCentre


def work(hub: SyncHub, count: int, word: str) -> None:
    """Facts and readings that no other history has."""
    for number in range(count):
        hub.fact(name=f"{word} {number}")
        hub.reading(float(number), key=word)


async def test_an_old_card_put_back_goes_on_behind_the_last_common_row(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    work(hub, 20, "common")
    old = hub.copied()
    work(hub, 15, "lost")
    await hub.catch_up()
    work(old, 9, "after")
    await old.catch_up()
    assert set(await facts_of(centre, hub)) == {*hub.facts, *old.facts}
    assert len(await facts_of(centre, hub)) == 20 + 15 + 9
    assert sorted(await readings_of(centre, hub)) == sorted({*held(hub), *held(old)})
    assert await chain_of(centre, hub) == {"facts": 44, "epochs": 2, "whole": True, "problem": ""}


async def test_a_card_put_back_twice_is_never_sent_twice(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    work(hub, 10, "common")
    first = hub.copied()
    work(hub, 10, "a")
    second = hub.copied()
    await hub.catch_up()
    work(first, 5, "b")
    await first.catch_up()
    work(second, 3, "c")
    await second.catch_up()
    assert set(await facts_of(centre, hub)) == {*hub.facts, *first.facts, *second.facts}
    rows = await readings_of(centre, hub)
    assert len(rows) == len(set(rows))
    assert set(rows) == {*held(hub), *held(first), *held(second)}
    assert (await chain_of(centre, hub))["whole"]


async def test_ranges_beyond_a_hole_count_for_the_new_epoch(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    work(hub, 30, "common")
    old = hub.copied()
    work(hub, 10, "lost")
    await hub.hello()
    await hub.send_readings(1, 10)
    await hub.send_readings(21, 40)
    await old.catch_up()
    rows = await readings_of(centre, hub)
    assert len(rows) == len(set(rows)) == 40
    assert set(rows) == {*held(hub), *held(old)}


async def test_a_lost_answer_to_a_new_epoch_is_asked_for_again(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    work(hub, 4, "common")
    await hub.catch_up()
    first = await hub.begin_epoch("readings", 3)
    began = BeginEpoch(stream="readings", epoch=hub.epochs["readings"], base=3, hash=hub.digest(3), why="restored")
    assert (await hub.ask("epoch", msgspec.json.encode(began))).body == first.body
    elsewhere = msgspec.structs.replace(began, base=2, hash=hub.digest(2))
    assert (await hub.ask("epoch", msgspec.json.encode(elsewhere))).code == "conflict"
    await hub.begin_epoch("readings", 4)
    assert (await hub.ask("epoch", msgspec.json.encode(began))).code == "conflict", "an old name is no new one"


async def test_an_epoch_behind_a_row_that_is_not_here_is_refused(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    work(hub, 4, "common")
    await hub.catch_up()
    for stream in ("ledger", "readings"):
        assert (await hub.begin_epoch(stream, 3, "00" * 16)).code == "forked"
        assert (await hub.begin_epoch(stream, 9, "00" * 16)).code == "forked"
    assert (await hub.begin_epoch("events", 0)).code == "bad-input"
    assert (await hub.begin_epoch("ledger", 3, "no hash")).code == "bad-input"
    assert (await hub.begin_epoch("ledger", -1, "")).code == "bad-input"


async def test_rows_the_hub_let_go_of_are_not_wanted_again(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    await hub.hello()
    assert (await hub.begin_epoch("readings", 1000, "")).body["next"] == 1001


async def test_only_rows_that_are_just_the_same_are_the_same(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    work(hub, 5, "common")
    await hub.catch_up()
    fact = [(seq, hub.facts[seq - 1][8].hex()) for seq in (1, 5)]
    assert await hub.compare("ledger", *fact, (1, fact[1][1]), (6, fact[1][1])) == [True, True, False, False]
    digests = [(seq, hub.digest(seq)) for seq in (2, 3)]
    assert await hub.compare("readings", *digests, (2, hub.digest(3))) == [True, True, False]
    many = msgspec.json.encode({"stream": "ledger", "points": [(1, "00")] * 65})
    assert (await hub.ask("compare", many)).code == "bad-input"
    for places in ([], [("d\0", "k", 1)]):
        one = msgspec.json.encode({"stream": "readings", "points": [(1, "00")], "places": places})
        assert (await hub.ask("compare", one)).code == "bad-input", places

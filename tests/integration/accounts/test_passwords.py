"""Passwords: set with a code that is good once, changed with the old one, and every other login ends."""

from __future__ import annotations

import asyncio

from sqlalchemy import update

from cloud.accounts.person import CODE_S
from cloud.db.people_models import Person
from edge.errors import OutpostError
from tests.integration.accounts.somebody import PASSWORD, Somebody, add, come_in
from tests.running_centre import RunningCentre

NEW = "N3w-password"


async def used(centre: RunningCentre, code: str, password: str = NEW, *, address: str = "192.0.2.1") -> str:
    """Set a password with a code: the username, or the code of what was wrong."""
    try:
        return await centre.centre.accounts.people.set_by_code(code, password, address=address)
    except OutpostError as error:
        return error.code


async def test_a_code_sets_a_password_once(centre: RunningCentre) -> None:
    made = (await centre.ask("POST", "/v1/people", {"email": "ann@example.com", "role": "viewer"})).body
    assert await Somebody(centre).log_in("ann", "") == 401
    assert await used(centre, made["code"], "weak") == "bad-input"
    assert await used(centre, f" {made['code'].lower()} ") == "ann"
    assert await used(centre, made["code"]) == "not-found"
    first, second = await come_in(centre, "ann", NEW), await come_in(centre, "ann", NEW)
    code = (await centre.ask("POST", "/v1/people/ann/reset")).body["code"]
    again = (await centre.ask("POST", "/v1/people/ann/reset")).body["code"]
    assert await used(centre, code) == "not-found"  # a newer one was made
    assert await first.is_in()
    both = await asyncio.gather(*(used(centre, again, f"Passw0rd-{number}") for number in range(2)))
    assert sorted(both) == ["ann", "not-found"]
    assert (await first.is_in(), await second.is_in()) == (False, False)
    told = str((await centre.get("/v1/audit")).body)
    assert again not in told
    assert "'actor': 'user:ann', 'what': 'person.password_set'" in told


async def test_a_code_is_good_for_a_day_and_guessing_it_is_slow(centre: RunningCentre) -> None:
    await add(centre, "ann@example.com")
    code = (await centre.ask("POST", "/v1/people/ann/reset")).body["code"]
    async with centre.centre.db.write() as connection:
        ended = centre.centre.clock.now().at_us
        await connection.execute(update(Person).values(reset_until_us=ended))
    assert await used(centre, code) == "not-found"
    left_us = CODE_S * 1_000_000
    async with centre.centre.db.write() as connection:
        await connection.execute(update(Person).values(reset_until_us=ended + left_us))
    guesses = [await used(centre, f"GUESS{number}", address="192.0.2.9") for number in range(8)]
    assert guesses.count("not-found") == 5
    assert guesses[-1] == "rate-limited"
    assert await used(centre, code, address="192.0.2.9") == "rate-limited"
    assert await used(centre, code) == "ann"  # nobody elsewhere is kept out


async def test_one_changes_ones_own_password_with_the_old_one(centre: RunningCentre) -> None:
    await add(centre, "ann@example.com")
    here, there = await come_in(centre, "ann"), await come_in(centre, "ann")
    path = "/v1/me/password"
    assert (await here.ask("POST", path, {"old": "wrong", "new": NEW})).status == 422
    assert (await here.ask("POST", path, {"old": PASSWORD, "new": "weak"})).status == 422
    assert (await centre.ask("POST", path, {"old": PASSWORD, "new": NEW})).status == 403
    assert (await here.ask("POST", path, {"old": PASSWORD, "new": NEW})).status == 204
    assert (await here.is_in(), await there.is_in()) == (True, False)
    assert await Somebody(centre).log_in("ann") == 401
    guesses = [(await here.ask("POST", path, {"old": f"guess {n}", "new": NEW})).status for n in range(7)]
    assert guesses[-1] == 429
    assert (await centre.ask("PUT", "/v1/people/ann/password", {"password": PASSWORD})).status == 204
    assert not await here.is_in()

"""Accounts: what a person, and whoever guesses, would notice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge.access.accounts import model as rules
from edge.access.accounts.accounts import NotActive, WrongLogin
from edge.access.accounts.model import SignUp
from edge.access.accounts.throttle import PER_PLACE
from edge.access.accounts.tokens import TokenRefused
from edge.errors import Busy, Conflict, Forbidden, NotFound, RateLimited
from tests.unit.access.accounts.account_site import GOOD, HERE, THERE, AccountSite, account_site

DAY_S = 86_400


async def test_a_login_gives_tokens_that_say_who_it_is(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        user = await site.user()
        for name in ("ann@example.com", " ANN@Example.com ", "Ann"):
            pair = await site.accounts.log_in(name, GOOD, HERE)
            assert site.accounts.user_of(pair.access) == user
        with pytest.raises(TokenRefused):
            site.accounts.user_of(pair.refresh)
        with pytest.raises(TokenRefused):
            await site.accounts.refresh(pair.access)


async def test_a_wrong_password_and_an_unknown_name_are_told_alike(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        await site.user()
        told = set()
        for name in ("ann@example.com", "nobody@example.com", "", "x" * 10_000, "\x00\ud800"):
            with pytest.raises(WrongLogin) as caught:
                await site.accounts.log_in(name, "Wr0ng-one", HERE + name[:3])
            told.add(caught.value.detail)
        assert len(told) == 1


@pytest.mark.parametrize("policy", SignUp)
async def test_who_may_sign_up_is_the_sites_choice(tmp_path: Path, policy: SignUp) -> None:
    async with account_site(tmp_path, policy=policy) as site:
        if policy is SignUp.CLOSED:
            with pytest.raises(Forbidden, match="closed"):
                await site.accounts.sign_up("a@b.co", "ann", GOOD, address=HERE)
            assert site.accounts.all() == []
            return
        user = await site.accounts.sign_up("A@B.co", "ann", GOOD, " Ann\n Lee ", address=HERE)
        assert (user.email, user.full_name, user.approved) == ("a@b.co", "Ann Lee", policy is SignUp.OPEN)
        if policy is SignUp.APPROVE:
            with pytest.raises(WrongLogin):
                await site.accounts.log_in("ann", "Wr0ng-one", HERE)  # that it waits is told to its owner only
            with pytest.raises(NotActive) as waits:
                await site.accounts.log_in("ann", GOOD, HERE)
            assert waits.value.waits
            await site.accounts.approve(user, actor="tess")
        await site.accounts.log_in("ann", GOOD, HERE)


async def test_strangers_fill_no_more_than_the_waiting_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.access.accounts.accounts.WAITING_MAX", 2)
    async with account_site(tmp_path, policy=SignUp.APPROVE) as site:
        for number in range(2):
            await site.accounts.sign_up(f"a{number}@b.co", f"ann{number}", GOOD, address=HERE)
        with pytest.raises(Busy):
            await site.accounts.sign_up("c@b.co", "carl", GOOD, address=HERE)
        await site.user("bob")  # an administrator makes them still


async def waiting_from(site: AccountSite, address: str, count: int) -> int:
    """How many of so many sign-ups at once from an address were taken."""
    names = [f"from-{address.replace('.', '-')}-{number + len(site.accounts.all())}" for number in range(count)]
    asked = [site.accounts.sign_up(f"{name}@b.co", name, GOOD, address=address) for name in names]
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(error) for error in told if isinstance(error, Exception)} <= {Busy, RateLimited}
    return sum(not isinstance(user, BaseException) for user in told)


async def test_one_address_leaves_room_in_the_waiting_room_for_others_however_fast_it_asks(tmp_path: Path) -> None:
    async with account_site(tmp_path, policy=SignUp.APPROVE) as site:
        assert await waiting_from(site, HERE, 20) == rules.WAITING_PER_ADDRESS
        await site.accounts.sign_up("honest@b.co", "honest", GOOD, address=THERE)
        await site.accounts.approve(site.accounts.get("from-192-0-2-1-0"), actor="tess")
    async with account_site(tmp_path, policy=SignUp.APPROVE) as site:  # a restart forgets nothing of it
        assert await waiting_from(site, HERE, 5) == 1


async def test_when_nobody_looks_through_the_waiting_the_oldest_makes_room_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.access.accounts.accounts.WAITING_MAX", 8)
    async with account_site(tmp_path, policy=SignUp.APPROVE) as site:
        taken = await asyncio.gather(*(waiting_from(site, f"192.0.2.{n}", 2) for n in range(8)))  # at once
        assert sum(taken) == 8
        site.clock.advance(DAY_S - 60)
        with pytest.raises(Busy):
            await site.accounts.sign_up("honest@b.co", "honest", GOOD, address="198.51.100.7")
        site.clock.advance(120)
        honest = await site.accounts.sign_up("honest@b.co", "honest", GOOD, address="198.51.100.7")
        assert len(site.accounts.all()) == 8
        assert site.accounts.find("honest") == honest
        await site.accounts.approve(honest, actor="tess")
    async with account_site(tmp_path) as site:
        assert len(site.accounts.all()) == 8
        assert [user.origin for user in site.accounts.all() if user.approved] == [""]


async def test_nobody_takes_anothers_address_or_name(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        await site.user("ann")
        bob = await site.user("bob")
        for email, username in (("ANN@example.com", "carl"), ("c@example.com", "ANN")):
            with pytest.raises(Conflict):
                await site.accounts.sign_up(email, username, GOOD, address=HERE)
        with pytest.raises(Conflict):
            await site.accounts.change(bob, username="Ann")
        both = await asyncio.gather(
            *(site.accounts.sign_up("d@example.com", f"dan{n}", GOOD, address=HERE) for n in range(5)),
            return_exceptions=True,
        )
        assert sum(isinstance(result, Conflict) for result in both) == 4


async def test_every_change_is_a_fact_without_address_or_password(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        await changes(site)
        told = await site.facts()
    kinds = [kind for kind, _, _ in told]
    assert kinds == [
        "user.created", "user.changed", "user.disabled", "user.enabled", "user.reset_made", "user.password_set",
        "user.deleted",
    ]  # fmt: skip
    for _, _, body in told:
        for private in ("ann@example.com", "new@example.com", "Ann Lee", GOOD, "argon2"):
            assert private not in body


async def changes(site: AccountSite) -> None:
    """One of each change."""
    user = await site.user()
    user = await site.accounts.change(user, email="new@example.com", full_name="Ann Lee", preferences='{"a":1}')
    user = await site.accounts.set_disabled(user, True, actor="tess")
    user = await site.accounts.set_disabled(user, False, actor="tess")
    await site.resets.make(user, actor="tess")
    await site.accounts.set_password(user, "An0ther-one", actor="tess")
    await site.accounts.delete(user, actor="tess")
    with pytest.raises(NotFound):
        await site.accounts.approve(user, actor="tess")


async def test_guesses_at_the_same_time_count_each(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        await site.user()
        guesses = [site.accounts.log_in("ann", f"Wr0ng-{number}", HERE) for number in range(30)]
        told = [type(error) for error in await asyncio.gather(*guesses, return_exceptions=True)]
        assert told.count(WrongLogin) == 5
        assert told.count(RateLimited) == 25
        await site.accounts.log_in("ann", GOOD, THERE)


async def test_a_guesser_gains_nothing_by_using_address_and_username_in_turn(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        user = await site.user()
        names = ["ann", "ann@example.com", "ANN", " Ann@Example.com", user.id]
        guesses = [site.accounts.log_in(name, "Wr0ng-one", HERE) for name in names * 4]
        told = [type(error) for error in await asyncio.gather(*guesses, return_exceptions=True)]
        assert (told.count(WrongLogin), told.count(RateLimited)) == (PER_PLACE, 20 - PER_PLACE)
        with pytest.raises(WrongLogin):  # another name is another matter
            await site.accounts.log_in("nobody", "Wr0ng-one", HERE)

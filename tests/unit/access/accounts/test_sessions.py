"""Logins: what a thief with a copied token, and a Pi that boots in the past, would notice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge.access.accounts.accounts import LoggedOut, NotActive, UserGone, WrongLogin
from edge.access.accounts.model import ACCESS_S, REFRESH_S, SESSIONS_PER_USER
from edge.access.accounts.tokens import TokenInvalid
from edge.clock import ManualClock, Quality
from edge.errors import Unauthenticated
from tests.unit.access.accounts.account_site import GOOD, HERE, account_site

DAY_S = 86_400


async def test_a_refresh_token_is_good_once_and_used_again_ends_the_login(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        user = await site.user()
        first, other = [await site.accounts.log_in("ann", GOOD, HERE) for _ in range(2)]
        second = await site.accounts.refresh(first.refresh)
        third = await site.accounts.refresh(second.refresh)
        with pytest.raises(TokenInvalid):
            await site.accounts.refresh(first.refresh)  # the thief, or the robbed
        for pair in (first, second, third):
            with pytest.raises(TokenInvalid):
                site.accounts.user_of(pair.access)
            with pytest.raises(TokenInvalid):
                await site.accounts.refresh(pair.refresh)
        assert site.accounts.user_of(other.access) == user  # another login is another matter
        assert [kind for kind, _, _ in await site.facts()][-1] == "user.session_ended"


async def test_of_two_refreshes_at_once_one_at_most_wins(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        await site.user()
        pair = await site.accounts.log_in("ann", GOOD, HERE)
        results = await asyncio.gather(
            *(site.accounts.refresh(pair.refresh) for _ in range(4)), return_exceptions=True
        )
        assert sum(not isinstance(result, BaseException) for result in results) == 1
        assert site.accounts.sessions_of(pair.user.id) == []


async def test_logging_out_ends_all_logins_and_may_be_said_twice(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        user = await site.user()
        told = site.bus.subscribe(only=(LoggedOut,))
        pairs = [await site.accounts.log_in("ann", GOOD, HERE) for _ in range(3)]
        site.clock.advance(ACCESS_S + 1)  # however old the token is
        assert await site.accounts.log_out(pairs[0].access) == 3
        assert await site.accounts.log_out(pairs[0].access) == 0
        assert await site.accounts.log_out("no.such.token") == 0
        assert await told.get() == LoggedOut(user_id=user.id)
        for pair in pairs:
            with pytest.raises(TokenInvalid):
                await site.accounts.refresh(pair.refresh)


@pytest.mark.parametrize("how", ["password", "disabled", "deleted"])
async def test_logins_end_at_once_when_the_account_changes(tmp_path: Path, how: str) -> None:
    async with account_site(tmp_path) as site:
        user, bob = await site.user(), await site.user("bob")
        pair, bobs = [await site.accounts.log_in(name, GOOD, HERE) for name in ("ann", "bob")]
        if how == "password":
            await site.accounts.set_password(user, "An0ther-one", actor="tess")
        elif how == "disabled":
            await site.accounts.set_disabled(user, True, actor="tess")
        else:
            gone = site.bus.subscribe(only=(UserGone,))
            await site.accounts.delete(user, actor="tess")
            assert await gone.get() == UserGone(user_id=user.id)
        with pytest.raises(Unauthenticated):
            site.accounts.user_of(pair.access)
        with pytest.raises(Unauthenticated):
            await site.accounts.refresh(pair.refresh)
        with pytest.raises(NotActive if how == "disabled" else WrongLogin):
            await site.accounts.log_in("ann", GOOD, HERE)
        assert site.accounts.user_of(bobs.access) == bob
        if how == "password":
            await site.accounts.log_in("ann", "An0ther-one", HERE)


async def test_a_login_that_races_a_new_password_is_none(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        user = await site.user()
        results = await asyncio.gather(
            site.accounts.set_password(user, "An0ther-one", actor="tess"),
            *(site.accounts.log_in("ann", GOOD, f"{HERE}{n}") for n in range(8)),
            return_exceptions=True,
        )
        pairs = [result for result in results[1:] if not isinstance(result, BaseException)]
        for pair in pairs:
            with pytest.raises(TokenInvalid):
                site.accounts.user_of(pair.access)
        assert site.accounts.sessions_of(user.id) == []


async def test_the_oldest_of_too_many_logins_ends(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        user = await site.user()
        pairs = []
        for _ in range(SESSIONS_PER_USER + 3):
            pairs.append(await site.accounts.log_in("ann", GOOD, HERE))
            site.clock.advance(0.001)
        assert len(site.accounts.sessions_of(user.id)) == SESSIONS_PER_USER
        with pytest.raises(TokenInvalid):
            site.accounts.user_of(pairs[2].access)
        site.accounts.user_of(pairs[3].access)
        rows = await site.store.hub.read("SELECT COUNT(*) FROM user_sessions")
        assert rows[0][0] == SESSIONS_PER_USER


# --- time


async def test_tokens_last_as_long_as_they_say(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        await site.user()
        pair = await site.accounts.log_in("ann", GOOD, HERE)
        site.clock.advance(ACCESS_S - 1)
        site.accounts.user_of(pair.access)
        site.clock.advance(2)
        with pytest.raises(TokenInvalid):
            site.accounts.user_of(pair.access)
        site.clock.advance(REFRESH_S - ACCESS_S - 10)
        pair = await site.accounts.refresh(pair.refresh)
        site.clock.advance(REFRESH_S + 1)
        with pytest.raises(TokenInvalid):
            await site.accounts.refresh(pair.refresh)
        assert site.accounts.sessions_of(pair.user.id) == []


@pytest.mark.parametrize("years", [-50, 5])
async def test_the_clock_being_set_neither_kills_a_token_nor_makes_it_live_for_ever(
    tmp_path: Path, years: int
) -> None:
    async with account_site(tmp_path, ManualClock(quality=Quality.NONE)) as site:
        await site.user()
        pair = await site.accounts.log_in("ann", GOOD, HERE)
        site.clock.at_us += years * 365 * DAY_S * 1_000_000
        site.clock.quality = Quality.NTP
        site.accounts.user_of(pair.access)
        site.clock.advance(ACCESS_S + 1)
        with pytest.raises(TokenInvalid):
            site.accounts.user_of(pair.access)
        pair = await site.accounts.refresh(pair.refresh)
        site.accounts.user_of(pair.access)


async def test_over_a_reboot_with_a_good_clock_tokens_keep_their_age(tmp_path: Path) -> None:
    clock = ManualClock()
    async with account_site(tmp_path, clock) as site:
        await site.user()
        pair = await site.accounts.log_in("ann", GOOD, HERE)
    clock.advance(600)
    clock.reboot()
    async with account_site(tmp_path, clock) as site:
        site.accounts.user_of(pair.access)
        clock.advance(ACCESS_S - 600 + 1)
        with pytest.raises(TokenInvalid):
            site.accounts.user_of(pair.access)
        clock.advance(REFRESH_S - ACCESS_S - 60)
        renewed = await site.accounts.refresh(pair.refresh)
    clock.advance(REFRESH_S + 1)
    clock.reboot()
    async with account_site(tmp_path, clock) as site:
        with pytest.raises(TokenInvalid):
            await site.accounts.refresh(renewed.refresh)


async def test_a_pi_that_always_boots_in_1970_lets_a_login_die_after_a_week_of_reboots(tmp_path: Path) -> None:
    clock = ManualClock(at_us=1_000_000, quality=Quality.NONE)
    async with account_site(tmp_path, clock) as site:
        await site.user()
        pair = await site.accounts.log_in("ann", GOOD, HERE)
    for _ in range(6):
        clock.reboot(wall_us=1_000_000)
        async with account_site(tmp_path, clock) as site:
            with pytest.raises(TokenInvalid):
                site.accounts.user_of(pair.access)  # nobody can know how long it was off
            assert len(site.accounts.sessions_of(pair.user.id)) == 1
    clock.reboot(wall_us=1_000_000)
    async with account_site(tmp_path, clock) as site:
        with pytest.raises(TokenInvalid):
            await site.accounts.refresh(pair.refresh)


async def test_a_restart_of_the_hub_alone_changes_nothing(tmp_path: Path) -> None:
    clock = ManualClock(quality=Quality.NONE)
    async with account_site(tmp_path, clock) as site:
        user = await site.user()
        pair = await site.accounts.log_in("ann", GOOD, HERE)
    clock.advance(60)
    async with account_site(tmp_path, clock) as site:
        assert site.accounts.user_of(pair.access) == user
        await site.accounts.refresh(pair.refresh)


# --- reset codes

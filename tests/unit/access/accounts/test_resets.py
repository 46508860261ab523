"""Codes to set a new password with: good once, for an hour, and not to be guessed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge.access.accounts import model as rules
from edge.access.accounts.model import WrongPart
from edge.access.accounts.resets import NoSuchCode
from edge.access.accounts.tokens import TokenInvalid
from edge.clock import ManualClock, Quality
from edge.errors import RateLimited
from tests.unit.access.accounts.account_site import GOOD, HERE, THERE, account_site


async def test_a_reset_code_sets_a_password_once_and_ends_every_login(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        user = await site.user()
        pair = await site.accounts.log_in("ann", GOOD, HERE)
        first = await site.resets.make(user, actor="tess")
        code = await site.resets.make(user, actor="tess")
        with pytest.raises(NoSuchCode):
            await site.resets.use(first, "An0ther-one", HERE)
        assert (await site.resets.owner(f" {code.lower()} ", HERE)).id == user.id
        with pytest.raises(WrongPart) as weak:
            await site.resets.use(code, "weak", HERE)
        assert weak.value.field == "new_password"
        used = await asyncio.gather(
            *(site.resets.use(code, "An0ther-one", HERE) for _ in range(3)), return_exceptions=True
        )
        assert sum(result is None for result in used) == 1
        with pytest.raises(TokenInvalid):
            site.accounts.user_of(pair.access)
        await site.accounts.log_in("ann", "An0ther-one", HERE)
        assert code not in str(await site.facts())


async def test_a_reset_code_is_over_after_an_hour_and_after_a_reboot_of_unknown_length(tmp_path: Path) -> None:
    clock = ManualClock(quality=Quality.NONE)
    async with account_site(tmp_path, clock) as site:
        user = await site.user()
        code = await site.resets.make(user, actor="tess")
        clock.advance(rules.RESET_S + 1)
        with pytest.raises(NoSuchCode):
            await site.resets.owner(code, HERE)
        code = await site.resets.make(user, actor="tess")
    clock.reboot()
    async with account_site(tmp_path, clock) as site:
        with pytest.raises(NoSuchCode):
            await site.resets.owner(code, HERE)


async def test_guessing_codes_is_slowed_for_the_guesser_alone(tmp_path: Path) -> None:
    async with account_site(tmp_path) as site:
        code = await site.resets.make(await site.user(), actor="tess")
        guesses = [site.resets.owner("AAAABBBB", HERE) for _ in range(100)]
        told = [type(error) for error in await asyncio.gather(*guesses, return_exceptions=True)]
        assert set(told) <= {NoSuchCode, RateLimited}
        with pytest.raises(RateLimited):
            await site.resets.owner(code, HERE)
        await site.resets.use(code, "An0ther-one", THERE)


# --- the ledger

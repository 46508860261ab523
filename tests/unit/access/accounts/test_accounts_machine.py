"""Logins against a model of them: whatever is tried in whatever order, a token works just when it should."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.access.accounts.model import ACCESS_S, REFRESH_S, TokenPair
from edge.access.accounts.tokens import TokenInvalid
from edge.clock import ManualClock
from tests.tools import share
from tests.unit.access.accounts.account_site import GOOD, HERE, AccountSite, account_site

STEPS = st.one_of(
    st.just(("login", 0)),
    st.tuples(st.just("refresh"), st.integers(0, 9)),
    st.tuples(st.just("logout"), st.integers(0, 9)),
    st.tuples(st.just("advance"), st.sampled_from([1, ACCESS_S - 1, ACCESS_S + 1, REFRESH_S // 2, REFRESH_S + 1])),
    st.just(("restart", 0)),
)


@dataclass
class Login:
    """What the model knows of one login."""

    current: str
    since_s: float
    alive: bool = True
    accesses: list[tuple[str, float]] = field(default_factory=list)


class Model:
    """What should be so."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.logins: list[Login] = []
        self.refreshes: list[tuple[str, Login]] = []

    def took(self, pair: TokenPair, login: Login) -> None:
        """A pair of tokens was given out."""
        login.current, login.since_s = pair.refresh, self.clock.mono_s()
        login.accesses.append((pair.access, self.clock.mono_s()))
        self.refreshes.append((pair.refresh, login))

    async def step(self, site: AccountSite, what: str, which: int) -> None:
        """Do one thing, and say what came of it."""
        if what == "login":
            login = Login("", 0.0)
            self.logins.append(login)
            self.took(await site.accounts.log_in("ann", GOOD, HERE), login)
        elif what == "refresh" and self.refreshes:
            token, login = self.refreshes[which % len(self.refreshes)]
            good = login.alive and login.current == token and self.clock.mono_s() - login.since_s < REFRESH_S
            try:
                pair = await site.accounts.refresh(token)
            except TokenInvalid:
                assert not good
                login.alive = False
                return
            assert good
            self.took(pair, login)
        elif what == "logout" and self.logins:
            login = self.logins[which % len(self.logins)]
            ended = await site.accounts.log_out(login.accesses[0][0])
            alive = [one for one in self.logins if one.alive]
            assert ended == (len(alive) if login.alive else 0)
            for one in alive if login.alive else []:
                one.alive = False

    def restarted(self) -> None:
        """Logins that are too old are not taken up again."""
        for login in self.logins:
            login.alive = login.alive and self.clock.mono_s() - login.since_s < REFRESH_S

    def check(self, site: AccountSite) -> None:
        """Every access token ever given works just when it should."""
        for login in self.logins:
            for token, made_s in login.accesses:
                should = login.alive and self.clock.mono_s() - made_s < ACCESS_S
                does = False
                with contextlib.suppress(TokenInvalid):
                    does = site.accounts.user_of(token).username == "ann"
                assert does == should


@settings(max_examples=share(12, 500))
@given(st.lists(STEPS, max_size=15))
def test_a_token_works_just_when_it_should(steps: list[tuple[str, int]]) -> None:
    async def played() -> None:
        clock = ManualClock()
        model = Model(clock)
        with tempfile.TemporaryDirectory() as folder:
            async with contextlib.AsyncExitStack() as stack:
                site = await stack.enter_async_context(account_site(Path(folder), clock))
                await site.user()
                for what, which in steps:
                    if what == "advance":
                        clock.advance(which)
                    elif what == "restart":
                        await stack.aclose()
                        site = await stack.enter_async_context(account_site(Path(folder), clock))
                        model.restarted()
                    else:
                        await model.step(site, what, which)
                    model.check(site)

    asyncio.run(played())

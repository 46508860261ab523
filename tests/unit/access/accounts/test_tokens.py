"""Tokens: only those this hub has signed, in the one way it signs."""

from __future__ import annotations

import base64
import json

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.access.accounts.model import Session
from edge.access.accounts.tokens import TokenInvalid, Tokens, is_fresh
from edge.clock import ManualClock, Quality

CLOCK = ManualClock()
SECRET = b"s" * 32
SESSION = Session(id="5e55", user_id="abc", refresh_id="r1", created_us=0, since=CLOCK.now())
TOKENS = Tokens(SECRET)


def test_a_token_says_what_the_old_apps_read() -> None:
    claims = jwt.decode(
        TOKENS.access(SESSION, CLOCK.now()), SECRET, algorithms=["HS256"], options={"verify_exp": False}
    )
    assert claims["sub"] == "abc"
    assert claims["type"] == "access"
    assert claims["exp"] == CLOCK.at_us // 1_000_000 + 1800
    refresh = TOKENS.read(TOKENS.refresh(SESSION, CLOCK.now()))
    assert (refresh["type"], refresh["jti"]) == ("refresh", "r1")
    assert TOKENS.access(SESSION, CLOCK.now()) != TOKENS.access(SESSION, CLOCK.now())


def forged() -> list[str]:
    """What others may send."""
    good = TOKENS.access(SESSION, CLOCK.now())
    head, body, mark = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    none = jwt.encode(claims, None, algorithm="none")
    bare = {name: value for name, value in claims.items() if name != "sid"}
    return [
        "", ".", "..", "a.b.c", good[:-2], good + "x", f"{head}.{body}.", none, good * 20,
        jwt.encode(claims, b"x" * 32, algorithm="HS256"),
        jwt.encode(claims, SECRET * 2, algorithm="HS512"),
        jwt.encode(bare, SECRET, algorithm="HS256"),
        f"{head}.{base64.urlsafe_b64encode(json.dumps({**claims, 'sub': 'other'}).encode()).decode()}.{mark}",
        "\ud800.\ud800.\ud800", "é.é.é",
    ]  # fmt: skip


def test_what_is_not_signed_by_this_hub_is_worth_nothing() -> None:
    for token in forged():
        with pytest.raises(TokenInvalid):
            TOKENS.read(token)


@given(st.text(max_size=200))
def test_any_text_is_refused_without_a_fault(text: str) -> None:
    with pytest.raises(TokenInvalid):
        TOKENS.read(text)


def test_a_token_from_the_future_of_this_boot_is_not_fresh() -> None:
    clock = ManualClock()
    claims = TOKENS.read(TOKENS.access(SESSION, clock.now()))
    assert is_fresh(claims, clock.now())
    clock._mono_s -= 50
    assert not is_fresh(claims, clock.now())


def test_after_a_reboot_only_a_good_clock_on_both_sides_counts() -> None:
    for before in Quality:
        for after in Quality:
            clock = ManualClock(quality=before)
            claims = TOKENS.read(TOKENS.access(SESSION, clock.now()))
            clock.reboot(quality=after)
            assert is_fresh(claims, clock.now()) == (before.good and after.good)


def test_a_signature_is_checked_once_for_so_many_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.access.accounts.tokens.TOKENS_KEPT", 3)
    tokens, made = Tokens(SECRET), [TOKENS.access(SESSION, CLOCK.now()) for _ in range(10)]
    for token in made:
        assert tokens.read(token) == tokens.read(token)
    assert len(tokens._known) == 3
    for token in forged():
        with pytest.raises(TokenInvalid):
            tokens.read(token)
    assert list(tokens._known) == made[-3:]

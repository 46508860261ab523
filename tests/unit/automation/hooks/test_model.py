"""Webhooks' rules: who hears of what, and a signature anybody can check."""

from __future__ import annotations

import hashlib
import hmac

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.automation.hooks.model import (
    EVENTS,
    KINDS,
    MESSAGE_BYTES,
    Hook,
    Message,
    check_events,
    check_secret,
    new_secret,
    signature,
)
from edge.errors import BadInput


def hook(*events: str, devices: frozenset[str] = frozenset(), enabled: bool = True) -> Hook:
    """A hook that wants these."""
    return Hook(
        id="hook_1", name="h", url="https://example.com/", events=events, devices=devices, secret="s" * 16,
        enabled=enabled, created_us=0, created_by="test",
    )  # fmt: skip


def test_a_group_takes_in_all_its_kinds_and_a_kind_itself_alone() -> None:
    assert all(hook("command").wants(kind, "d") for kind in KINDS if kind.startswith("command."))
    assert [kind for kind in KINDS if hook("command.failed").wants(kind, "d")] == ["command.failed"]
    assert not hook("command").wants("vend.failed", "d")
    assert not hook("command", enabled=False).wants("command.failed", "d")
    assert [hook("vend", devices=frozenset({"d"})).wants("vend.failed", who) for who in ("d", "e", "")] == [
        True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("events", [[], ["commands"], ["command", "x" * 1000], [""]])
def test_an_event_that_does_not_exist_is_refused_with_those_that_do(events: list[str]) -> None:
    with pytest.raises(BadInput) as refused:
        check_events(events)
    assert all(event in refused.value.advice for event in EVENTS)


@pytest.mark.parametrize("secret", ["short", "x" * 300, "with a\nline break", "ümlaute-sind-kein-ascii"])
def test_a_weak_or_odd_secret_is_refused(secret: str) -> None:
    with pytest.raises(BadInput):
        check_secret(secret)


def test_a_secret_that_is_made_is_one_that_may_be_given() -> None:
    assert check_secret(new_secret()) != new_secret()


@given(st.binary(max_size=500), st.integers(0, 2**40), st.lists(st.text("ab", min_size=1), min_size=1, max_size=2))
def test_a_receiver_checks_the_very_bytes_it_got(body: bytes, at_s: int, signing: list[str]) -> None:
    headers = signature(body, at_s, signing)
    stamp, *marks = headers["X-Outpost-Signature"].split(",")
    assert stamp == f"t={at_s}"
    for secret, mark in zip(signing, marks, strict=True):
        expected = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(mark, f"v1={expected}")
    old = hmac.new(signing[0].encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Webhook-Signature"] == f"sha256={old}"


@given(st.integers(0, 3 * MESSAGE_BYTES))
def test_no_message_is_larger_than_receivers_take_and_it_says_what_it_left_out(size: int) -> None:
    text = "x" * size
    body = Message(id="dlv_1", event="vend.failed", at="", site="s", data={"id": "cmd_1", "text": text}).body()
    assert len(body) <= MESSAGE_BYTES
    assert msgspec.json.decode(body)["data"] in ({"id": "cmd_1", "text": text}, {"id": "cmd_1", "left_out": True})
    assert b"left_out" not in body or size > MESSAGE_BYTES - 200

"""Sessions: every number once, nobody else's signature, and a recorded hello that changes nothing."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.api.field import sessions
from edge.api.field.refusals import BadSignature, NewSession
from edge.api.field.sessions import WINDOW, Session, Sessions, Window
from edge.wire import signing
from edge.wire.field import DeviceHello

KEY, OTHER_KEY = bytes(range(32)), bytes(32)
TARGET = "/v1/device/poll?wait=25&desired=0"


def hello(nonce: int = 1, device: str = "dev-1") -> DeviceHello:
    return DeviceHello(
        device=device,
        chip="A4CF12000001",
        kind="sensor",
        fw="1",
        epoch="e",
        hwm=0,
        boot=1,
        uptime_ms=nonce,
        nonce=f"{nonce:032x}",
    )


def opened(
    all_of_them: Sessions, nonce: int = 1, *, device: str = "dev-1", key: bytes = KEY, now_s: float = 0
) -> Session:
    return all_of_them.open(device, key, hello(nonce, device), approved=True, now_s=now_s)


def ask(
    all_of_them: Sessions,
    session: Session,
    counter: int | str,
    *,
    key: bytes = b"",
    target: str = TARGET,
    body: bytes = b"{}",
) -> str:
    """How a request is taken: '' when it is, else the refusal's code."""
    mac = signing.request_mac(key or session.key, "POST", TARGET, int(counter), b"{}")
    try:
        all_of_them.verified(session.id, str(counter), mac, method="POST", target=target, body=body)
    except (BadSignature, NewSession) as error:
        return error.code
    return ""


@given(st.lists(st.integers(min_value=-2, max_value=3 * WINDOW), max_size=200))
def test_each_number_is_taken_once_and_never_far_behind_the_highest(numbers: list[int]) -> None:
    window, used, highest = Window(), set[int](), 0
    for number in numbers:
        fits = number >= 1 and number not in used and number > highest - WINDOW
        assert window.take(number) is fits
        if fits:
            used.add(number)
            highest = max(highest, number)


@given(st.data())
def test_a_request_with_any_bit_turned_is_refused_and_uses_no_number(data: st.DataObject) -> None:
    every = Sessions()
    session = opened(every)
    body, counter = b'{"first":7}', 5
    mac = signing.request_mac(session.key, "POST", TARGET, counter, body)
    parts = [b"POST", TARGET.encode(), str(counter).encode(), mac.encode(), body, session.id.encode()]
    which = data.draw(st.integers(0, len(parts) - 1))
    at = data.draw(st.integers(0, 8 * len(parts[which]) - 1))
    turned = bytearray(parts[which])
    turned[at // 8] ^= 1 << at % 8
    parts[which] = bytes(turned)
    method, target, number, sign, changed, session_id = (part.decode("latin-1") for part in parts)
    try:
        every.verified(session_id, number, sign, method=method, target=target, body=changed.encode("latin-1"))
    except (BadSignature, NewSession):
        pass
    else:
        raise AssertionError("it was taken")
    assert every.verified(session.id, "5", mac, method="POST", target=TARGET, body=body) == (session, 5)


def test_a_request_that_is_repeated_is_refused() -> None:
    every = Sessions()
    session = opened(every)
    assert [ask(every, session, number) for number in (1, 2, 1, 2, 70, 3, 7)] == [
        "", "", "bad-signature", "bad-signature", "", "bad-signature", "",
    ]  # fmt: skip


def test_numbers_that_are_none_are_refused() -> None:
    every = Sessions()
    session = opened(every)
    mac = signing.request_mac(session.key, "POST", TARGET, 1, b"")
    for counter in ("", "-1", "+1", "1.0", "٣", "0x1", "1" * 30, "1 "):
        try:
            every.verified(session.id, counter, mac, method="POST", target=TARGET, body=b"")
        except BadSignature:
            continue
        raise AssertionError(counter)
    assert ask(every, session, 0) == "bad-signature"


def test_another_devices_key_signs_nothing() -> None:
    every = Sessions()
    ours, other = opened(every), opened(every, 2, device="dev-2", key=OTHER_KEY)
    assert ask(every, ours, 1, key=other.key) == "bad-signature"
    assert ask(every, ours, 1) == ""


def test_a_recorded_hello_does_not_end_the_session_in_use() -> None:
    every = Sessions()
    live = opened(every, 1)
    assert every.use(live)
    assert not every.use(live)
    for nonce in range(2, 50):
        opened(every, nonce)
    with pytest.raises(BadSignature):
        opened(every, 1)
    assert every.of("dev-1") is live
    assert ask(every, live, 1) == ""


def test_hellos_that_were_recorded_do_not_push_out_the_devices_own() -> None:
    every = Sessions()
    every.use(opened(every, 50))
    with pytest.raises(BadSignature):
        opened(every, 40)
    fresh = opened(every, 100)
    for nonce in range(51, 70):
        with contextlib.suppress(BadSignature):
            opened(every, nonce)
    assert ask(every, fresh, 1) == ""
    assert every.use(fresh)


def test_the_first_request_of_a_new_session_ends_the_former() -> None:
    every = Sessions()
    former, new = opened(every, 1), opened(every, 2)
    every.use(former)
    assert every.use(new)
    assert ask(every, former, 1) == "new-session"
    assert ask(every, new, 1) == ""


def test_a_hello_that_comes_again_gets_the_same_session() -> None:
    every = Sessions()
    assert opened(every, 1) is opened(every, 1)


def test_hellos_without_end_take_no_room_without_end(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sessions, "CANDIDATES_MAX", 50)
    every = Sessions()
    live = opened(every, 0, device="dev-live")
    every.use(live)
    for number in range(500):
        opened(every, number, device=f"dev-{number % 100}")
    assert len(every) <= 51
    assert ask(every, live, 1) == ""


def test_a_session_that_nobody_used_ends() -> None:
    every = Sessions()
    session = opened(every, now_s=0)
    opened(every, 2, device="dev-2", now_s=sessions.CANDIDATE_S)
    assert ask(every, session, 1) == "new-session"

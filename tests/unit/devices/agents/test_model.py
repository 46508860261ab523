"""The rules of the desks as values."""

from __future__ import annotations

import pytest

from edge.devices.agents.model import (
    How,
    Session,
    Verdict,
    agent_key,
    computer_key,
    display_name,
    is_restart,
    judge,
    wanted,
)
from edge.errors import BadInput


def session(agent: str = "24", *, yields: bool = False) -> Session:
    return Session(
        id=7, agent=agent, name="Ann", device_id="d1", how="device-id", started_us=0, active_us=0, yields=yields
    )


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (24, "24"),
        ("24", "24"),
        (24.0, "24"),
        (" 24 ", "24"),
        ("012", "012"),
        ("12abc", "12abc"),
        ("Ann.Lee@Example.COM", "ann.lee@example.com"),
        ("Ann", "Ann"),
    ],
)
def test_an_agents_id_is_an_opaque_text(raw: object, key: str) -> None:
    assert agent_key(raw) == key


@pytest.mark.parametrize("raw", [None, "", "  ", True, [], {}, "x" * 129, "a\nb", float("nan").hex, ["24"]])
def test_what_is_no_id_is_refused(raw: object) -> None:
    with pytest.raises(BadInput):
        agent_key(raw)


def test_names_are_one_bounded_line() -> None:
    assert display_name("  Ann\x1b[31m\nLee ") == "Ann[31mLee"
    assert len(display_name("x" * 1000)) == 128


def test_an_exact_id_comes_before_the_workstation() -> None:
    assert wanted("d1", "d2") == ("d1", How.DEVICE_ID)
    assert wanted(None, "d2") == ("d2", How.WORKSTATION)
    assert wanted(None, None) is None


@pytest.mark.parametrize(
    ("holder", "at_workstation", "at_client", "verdict"),
    [
        (None, False, False, Verdict.SEAT),
        (session("24"), False, False, Verdict.REFRESH),
        (session("25"), False, False, Verdict.HELD),
        (session("25"), False, True, Verdict.HELD),
        (session("25"), True, False, Verdict.TAKE_OVER),
        (session("25", yields=True), False, False, Verdict.HELD),
        (session("25", yields=True), False, True, Verdict.TAKE_OVER),
    ],
)
def test_a_held_display_changes_hands_only_from_its_workstation(
    holder: Session | None, at_workstation: bool, at_client: bool, verdict: Verdict
) -> None:
    assert judge("24", holder, at_workstation=at_workstation, at_client=at_client) is verdict


def test_a_registration_from_another_computer_is_no_restart() -> None:
    assert is_restart("DESKTOP-1", "desktop-1 ")
    assert not is_restart("DESKTOP-1", "DESKTOP-2")
    assert not is_restart("", "")
    assert computer_key(" Kasse ") == "kasse"

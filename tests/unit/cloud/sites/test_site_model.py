"""Sites as pure rules."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.sites.model import (
    CODE_ALPHABET,
    SiteFacts,
    SiteState,
    StreamFacts,
    alerts_of,
    buffer_days,
    duration,
    lag_of,
    new_code,
    read_code,
    slug_of,
    state_of,
)
from edge.errors import BadInput
from edge.wire.sync import SiteReport

NOW = 1_763_700_000_000_000
S = 1_000_000


def report(**more: object) -> SiteReport:
    """What a hub says of itself when all is well."""
    values: dict[str, object] = {
        "at_us": NOW,
        "quality": "ntp",
        "ledger_head": 10,
        "readings_head": 10,
        "dead_letters": 0,
        "buffer_bytes": 0,
        "buffer_max_bytes": 1000,
        "bytes_per_day": None,
        "devices": 1,
        "online": 1,
        "problems": [],
    }
    return SiteReport(**(values | more))  # type: ignore[arg-type]  # the values above have their types


def stream(name: str = "ledger", *, waiting: int = 0, complete_us: int = NOW) -> StreamFacts:
    """A stream of ten rows."""
    return StreamFacts(stream=name, next=11 - waiting, head=10, complete_us=complete_us, moved_us=NOW)


def site(**more: object) -> SiteFacts:
    """A site whose hub was heard just now, and that has everything."""
    values: dict[str, object] = {
        "kept_as": "active",
        "seen_us": NOW,
        "alert": "",
        "report": report(),
        "report_us": NOW,
        "streams": [stream(), stream("readings")],
        "inbox_waiting": 0,
    }
    return SiteFacts(**(values | more))  # type: ignore[arg-type]  # the values above have their types


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (site(), SiteState.LIVE),
        (site(kept_as="new", seen_us=0, streams=[], report=None), SiteState.NEW),
        (site(kept_as="revoked"), SiteState.REVOKED),
        (site(seen_us=NOW - 31 * S), SiteState.AWAY),
        (site(seen_us=NOW - 29 * S), SiteState.LIVE),
        (site(seen_us=NOW - 31 * S, alert="Another hub speaks for it."), SiteState.REFUSED),
        (site(alert="Another hub tried to speak for it."), SiteState.LIVE),
        (site(streams=[stream(), stream("readings", waiting=5, complete_us=NOW - 60 * S)]), SiteState.CATCHING_UP),
        (site(streams=[stream(), stream("readings", waiting=5, complete_us=NOW - 2 * S)]), SiteState.LIVE),
        (site(streams=[stream(), stream("readings", complete_us=NOW - 60 * S)]), SiteState.LIVE),
        (site(streams=[stream(), stream("readings", complete_us=0)]), SiteState.CATCHING_UP),
        (site(streams=[]), SiteState.CATCHING_UP),
    ],
)
def test_how_a_site_stands(facts: SiteFacts, state: SiteState) -> None:
    assert state_of(facts, NOW) is state


def test_lag_is_that_of_the_slower_stream() -> None:
    slower = site(streams=[stream(complete_us=NOW - 3 * S), stream("readings", complete_us=NOW - 7 * S)])
    assert lag_of(slower, NOW) == 7.0


def test_lag_grows_while_the_hub_is_away() -> None:
    assert lag_of(site(), NOW + 3600 * S) == 3600.0


def test_a_wrong_clock_at_the_hub_does_not_change_the_lag() -> None:
    """It is two weeks behind: what it was told 5 s before its report is 5 s behind, not two weeks."""
    then = NOW - 14 * 86400 * S
    streams = [stream(complete_us=then - 5 * S), stream("readings", complete_us=then)]
    assert lag_of(site(report=report(at_us=then), streams=streams), NOW + 2 * S) == 7.0


def test_a_clock_that_is_ahead_or_was_never_set_does_not_either() -> None:
    ahead = site(report=report(at_us=NOW + 14 * 86400 * S))
    assert lag_of(ahead, NOW + S) == 1.0
    unset = [stream(complete_us=NOW - 3600 * S, waiting=9), stream("readings", complete_us=NOW)]
    assert lag_of(site(report=report(at_us=1, quality="none"), streams=unset), NOW) == 3600.0


def test_rows_that_wait_are_late_whatever_a_clock_says() -> None:
    """The hub's clock was a day ahead and has been put right: by it, all up to tomorrow is here."""
    stuck = msgspec.structs.replace(stream(waiting=4, complete_us=NOW + 86400 * S), moved_us=NOW - 50 * S)
    assert lag_of(site(streams=[stuck, stream("readings")]), NOW + S) == 51.0


def test_there_is_no_lag_of_what_was_never_whole() -> None:
    assert lag_of(site(streams=[stream(complete_us=0), stream("readings")]), NOW) is None
    assert lag_of(site(streams=[]), NOW) is None


def test_alerts_name_what_a_person_has_to_do() -> None:
    assert alerts_of(site(), NOW, 1000) == []
    wrong = site(
        seen_us=NOW - 3 * 3600 * S,
        alert="A second hub was refused.",
        inbox_waiting=1000,
        report=report(dead_letters=2, quality="none", buffer_bytes=900, bytes_per_day=100.0),
    )
    assert alerts_of(wrong, NOW, 1000) == [
        "A second hub was refused.",
        "Its hub has not been heard for 3 h.",
        "1000 requests wait for it: no more are taken.",
        "Its space for readings lasts 1.0 days more.",
        "2 of its rows could not be taken here; they are kept at the hub.",
        "Its clock is not set: times are corrected once it is.",
    ]
    assert alerts_of(site(kept_as="revoked", alert="x"), NOW, 1000) == []


def test_a_full_buffer_lasts_no_day() -> None:
    assert buffer_days(report(buffer_bytes=2000, bytes_per_day=10.0)) == 0.0
    assert buffer_days(report(bytes_per_day=None)) is None
    assert buffer_days(report(bytes_per_day=0.0)) is None


def test_a_code_is_read_as_it_is_said() -> None:
    code = new_code()
    letters = code.replace("-", "")
    assert read_code(code) == letters
    assert read_code(f"  {code.lower().replace('-', ' ')} ") == letters
    assert read_code("oOiIlL-ABCDEF") == "001111ABCDEF"
    for wrong in ("", "ABC", code + "A", "ABCD-EFGH-JKM!", "U" * 12):
        with pytest.raises(BadInput):
            read_code(wrong)


def test_codes_have_sixty_bits() -> None:
    assert len(set(CODE_ALPHABET)) == 32
    assert len({new_code() for _ in range(100)}) == 100


@given(st.text())
def test_any_name_has_a_slug(name: str) -> None:
    slug = slug_of(name)
    assert slug
    assert slug == slug_of(slug)
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_slugs_are_what_people_expect() -> None:
    assert slug_of("Chennai / Depot 4") == "chennai-depot-4"
    assert slug_of("Zürich, Straße") == "zurich-strasse"
    assert slug_of("東京") == "site"


@pytest.mark.parametrize(
    ("seconds", "text"), [(1, "1 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (3 * 86400, "3 days")]
)
def test_durations_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text

"""Which pages may vend without a key: a listed computer, and in its browser only a page that belongs here."""

from __future__ import annotations

import pytest

from edge.compat.vending.pages import Pages
from edge.errors import ConfigError
from edge.wire.older import slot_of

HUB = "192.168.1.5:5000"


def test_nobody_is_listed_by_default():
    assert not Pages(()).trusts("127.0.0.1", HUB, "")
    assert not Pages(()).trusts("192.168.1.20", HUB, "http://192.168.1.5:5000")


@pytest.mark.parametrize("entry", ["192.168.1.20", "192.168.1.0/24", "::ffff:192.168.1.20/128", "0.0.0.0/0"])
def test_a_listed_computer_may(entry):
    allowed = Pages((entry,)).trusts("192.168.1.20", HUB, "")
    assert allowed == (not entry.startswith("::"))


def test_an_address_of_both_worlds_is_one_address():
    assert Pages(("192.168.1.20",)).trusts("::ffff:192.168.1.20", HUB, "")
    assert Pages(("fe80::/10",)).trusts("fe80::1%eth0", HUB, "")
    assert not Pages(("192.168.1.20",)).trusts("192.168.1.21", HUB, "")
    assert not Pages(("192.168.1.20",)).trusts(None, HUB, "")


@pytest.mark.parametrize(
    ("host", "origin", "may"),
    [
        (HUB, "", True),  # no browser
        (HUB, "http://192.168.1.5:5000", True),  # a page that the hub's own address serves, through a proxy
        ("hub.local:5000", "http://hub.local:5000", True),
        ("vending:5000", "http://vending:5000", True),
        (HUB, "http://192.168.1.20:8080", True),  # served by the listed computer itself
        (HUB, "http://shop.example", True),  # listed
        (HUB, "https://shop.example", False),  # not as listed
        (HUB, "http://evil.example", False),  # any page that happens to be open there
        ("evil.example:5000", "http://evil.example:5000", False),  # its name was turned to the hub's address
        (HUB, "null", False),
        (HUB, "file://", False),
    ],
)
def test_a_browser_may_for_a_page_that_belongs_here_alone(host, origin, may):
    assert Pages(("192.168.1.20", "http://shop.example")).trusts("192.168.1.20", host, origin) is may


def test_a_wrong_entry_is_told_when_the_hub_starts():
    with pytest.raises(ConfigError, match="neither an address"):
        Pages(("the kiosk",))


@pytest.mark.parametrize(
    ("wanted", "slot"),
    [("A1", 1), ("a3", 3), ("B1", 4), ("B2", 5), ("3", 3), (3, 3)],
)
def test_slots_by_number_and_by_shelf(wanted, slot):
    assert slot_of(wanted) == slot


@pytest.mark.parametrize("wanted", ["B3", "C1", "9", "", "²", 0, 6, True, 3.0, None, [3]])
def test_a_slot_that_no_machine_has_is_none(wanted):
    assert slot_of(wanted) is None

"""All that an old machine calls itself is one machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.compat.vending.ids import mac_of, machine_id, old_id


@pytest.mark.parametrize(
    "claimed",
    [
        "ESP32_6CC8404FE03C",
        "esp32_6cc8404fe03c",
        "6C:C8:40:4F:E0:3C",
        "6c-c8-40-4f-e0-3c",
        "6CC8404FE03C",
        "ESP32_6C:C8:40:4F:E0:3C",
        "ESP32_USB_3ce04f40c86c",
        "esp32_usb_3CE04F40C86C",
    ],
)
def test_every_form_of_its_mac_names_the_same_machine(claimed):
    assert machine_id(claimed) == "6CC8404FE03C"


@pytest.mark.parametrize(
    "claimed", ["ESP32_USB_VENDING", "ESP32_test", "kiosk", "ESP32_USB_4f40c86c", "", "ESP32_"]
)
def test_what_holds_no_mac_stays_as_it_is(claimed):
    assert mac_of(claimed) is None
    assert machine_id(claimed) == claimed


@given(st.binary(min_size=6, max_size=6).filter(lambda mac: mac[-1] or mac[-2]))
def test_fuses_printed_without_leading_zeros_are_the_mac_in_the_other_order(mac):
    fuses = f"{int.from_bytes(mac, 'little'):x}"
    expected = mac.hex().upper() if len(fuses) >= 9 else None
    assert mac_of(f"ESP32_USB_{fuses}") == expected


def test_the_old_page_reads_the_id_that_machines_register_by():
    assert old_id("6CC8404FE03C") == "ESP32_6CC8404FE03C"
    assert old_id("kiosk") == "kiosk"

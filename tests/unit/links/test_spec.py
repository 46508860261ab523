"""How a serial port is named on the command line."""

from __future__ import annotations

import pytest

from edge.errors import ConfigError
from edge.links.spec import PortSpec, Profile, parse

BY_ID = "/dev/serial/by-id/usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0042-if00-port0"
BY_PATH = "/dev/serial/by-path/platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.3:1.0-port0"


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("/dev/ttyUSB0", PortSpec("/dev/ttyUSB0")),
        ("/dev/ttyUSB0@9600", PortSpec("/dev/ttyUSB0", None, 9600)),
        (f"{BY_ID}=native", PortSpec(BY_ID, Profile.NATIVE)),
        ("/dev/ttyUSB0=vending", PortSpec("/dev/ttyUSB0", Profile.VENDING)),
        (f" {BY_PATH}=nic-display@115200 ", PortSpec(BY_PATH, Profile.NIC_DISPLAY, 115200)),
    ],
)
def test_forms(text, spec):
    assert parse(text) == spec


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/dev/ttyUSB0=display", "known are native, nic-display, vending"),
        ("/dev/ttyUSB0=", "no such profile"),
        ("/dev/ttyUSB0@", "a baud from 300 to 4000000"),
        ("/dev/ttyUSB0@fast", "a baud from 300 to 4000000"),
        ("/dev/ttyUSB0@9999999", "a baud from 300 to 4000000"),
        ("ttyUSB0", "such as /dev/ttyUSB0"),
        ("/dev/ttyUSB0@9600=native", "not of that form"),
        ("", "not of that form"),
    ],
)
def test_what_cannot_be_used_says_why(text, says):
    with pytest.raises(ConfigError, match=says):
        parse(text)

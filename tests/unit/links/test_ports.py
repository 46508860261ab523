"""Which ports there are, and what a device behind one is called."""

from __future__ import annotations

import asyncio

import pytest

from edge.links.ports import PortFacts, PortWatcher, facts_of, settled_facts, sight
from edge.links.serial_port import UsbFacts


@pytest.fixture
def dev(tmp_path):
    """A /dev with one USB port, its links, and a configured link that leads nowhere yet."""
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "ttyS0").touch()
    for kind, name in [("by-id", "usb-1a86_USB_Serial-if00-port0"), ("by-path", "pci-0:1.3:1.0-port0")]:
        folder = tmp_path / "serial" / kind
        folder.mkdir(parents=True)
        (folder / name).symlink_to(tmp_path / "ttyUSB0")
    return tmp_path


def test_usb_ports_appear_and_disappear(dev):
    watcher = PortWatcher([], scan=True, dev=dev)
    assert list(watcher.look()) == [str(dev / "ttyUSB0")]
    (dev / "ttyACM0").touch()
    (dev / "ttyUSB0").unlink()
    assert list(watcher.look()) == [str(dev / "ttyACM0")]


def test_a_configured_path_is_there_or_not_but_always_known(dev):
    path = str(dev / "desk-3")
    watcher = PortWatcher([path], scan=False, dev=dev)
    assert watcher.look() == {path: None}
    (dev / "desk-3").symlink_to(dev / "ttyUSB0")
    assert watcher.look()[path].real == str(dev / "ttyUSB0")


def test_a_port_made_anew_under_its_old_name_is_another_sighting(dev):
    before = sight(str(dev / "ttyUSB0"))
    (dev / "ttyUSB0").rename(dev / "gone")  # its inode stays in use, as an open port's does
    (dev / "ttyUSB0").touch()
    assert sight(str(dev / "ttyUSB0")) != before


def test_facts_name_the_links(dev):
    facts = facts_of(str(dev / "serial" / "by-id" / "usb-1a86_USB_Serial-if00-port0"), dev=dev)
    assert facts.real == str(dev / "ttyUSB0")
    assert facts.by_path.endswith("by-path/pci-0:1.3:1.0-port0")
    assert facts.identity == "usb-pci-0:1.3:1.0-port0"


@pytest.mark.parametrize(
    ("usb", "by_path", "identity"),
    [
        (UsbFacts(0x10C4, 0xEA60, "A50285BI"), "/dev/serial/by-path/p", "usb-10c4-ea60-A50285BI"),
        (UsbFacts(0x10C4, 0xEA60, "0001"), "/dev/serial/by-path/p", "usb-p"),
        (UsbFacts(0x1A86, 0x7523, ""), "/dev/serial/by-path/p", "usb-p"),
        (UsbFacts(), "", "port-run-outpost-desk-3"),
    ],
)
def test_identity_is_a_serial_number_that_tells_apart_else_the_socket_else_the_path(usb, by_path, identity):
    facts = PortFacts(path="/run/outpost/desk-3", real="/dev/ttyUSB0", by_path=by_path, usb=usb)
    assert facts.identity == identity


async def test_a_usb_port_waits_for_the_links_that_name_it(dev, monkeypatch):
    link = dev / "serial" / "by-path" / "pci-0:1.3:1.0-port0"
    link.unlink()
    monkeypatch.setattr("edge.links.ports.usb_facts", lambda real: UsbFacts(0x1A86, 0x7523))
    asking = asyncio.create_task(settled_facts(str(dev / "ttyUSB0"), dev))
    done, _ = await asyncio.wait({asking}, timeout=0.1)
    assert not done
    link.symlink_to(dev / "ttyUSB0")
    assert (await asking).identity == "usb-pci-0:1.3:1.0-port0"

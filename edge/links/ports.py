"""Which serial ports there are, now: USB ports that appear, and configured paths, there or not.

Python has no inotify, so names are looked at twice a second; a look is one directory and a stat per port.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import msgspec

from edge.links.serial_port import UsbFacts, usb_facts

DEV = Path("/dev")
USB_NAMES = ("ttyUSB", "ttyACM")
LOOK_S = 0.5  # a port is noticed within this; shorter only costs
UDEV_S, UDEV_LOOK_S = 1.0, 0.05  # udev makes a USB port's links some 100 ms after the kernel makes the port

DUD_SERIALS = frozenset({"", "0", "0000", "0001", "1", "00000000", "12345678", "0123456789", "123456789ABCDEF"})
"""Serial numbers that every bridge of a batch has: they tell nothing apart."""


class Sighting(msgspec.Struct, frozen=True):
    """What a path leads to. A replug changes it even under the same name: the node is made anew."""

    real: str
    node: tuple[int, int]  # device number, inode


class PortFacts(msgspec.Struct, frozen=True):
    """What is known of a port before a byte is exchanged."""

    path: str  # as configured, else the real one
    real: str
    by_id: str = ""
    by_path: str = ""
    usb: UsbFacts = UsbFacts()

    @property
    def identity(self) -> str:
        """The best name for a device that cannot tell its own: USB serial number, else socket, else path."""
        if self.usb.vid is not None and self.usb.serial_number not in DUD_SERIALS:
            return f"usb-{self.usb.vid:04x}-{self.usb.pid or 0:04x}-{self.usb.serial_number}"
        if self.by_path:
            return f"usb-{Path(self.by_path).name}"
        return f"port-{self.path.strip('/').replace('/', '-')}"


def sight(path: str) -> Sighting | None:
    """What `path` leads to, None when there is nothing."""
    real = os.path.realpath(path)
    try:
        node = Path(real).stat()
    except OSError:
        return None
    return Sighting(real, (node.st_rdev, node.st_ino))


def facts_of(path: str, dev: Path = DEV) -> PortFacts:
    """Everything that can be known without opening it. Blocks for ms."""
    real = os.path.realpath(path)
    return PortFacts(
        path=path,
        real=real,
        by_id=_link_to(real, dev / "serial" / "by-id"),
        by_path=_link_to(real, dev / "serial" / "by-path"),
        usb=usb_facts(real),
    )


async def settled_facts(path: str, dev: Path = DEV) -> PortFacts:
    """`facts_of`, once udev has made a USB port's links: without them its name would be another for a moment."""
    ends_s = asyncio.get_running_loop().time() + UDEV_S
    while True:
        facts = await asyncio.to_thread(facts_of, path, dev)
        if facts.by_path or facts.usb.vid is None or asyncio.get_running_loop().time() > ends_s:
            return facts
        await asyncio.sleep(UDEV_LOOK_S)


class PortWatcher:
    """Looks at configured paths and, if told to, at every USB serial port."""

    def __init__(self, configured: Iterable[str], *, scan: bool, dev: Path = DEV) -> None:
        self._configured = tuple(configured)
        self._scan, self._dev = scan, dev

    def look(self) -> dict[str, Sighting | None]:
        """Path to what is there now: every USB port by its real name, and configured paths, there or not."""
        found = {path: sight(path) for path in self._usb_ports()}
        return {path: sighting for path, sighting in found.items() if sighting} | {
            path: sight(path) for path in self._configured
        }

    async def looks(self) -> AsyncIterator[dict[str, Sighting | None]]:
        """A look now, and one every `LOOK_S`."""
        while True:
            yield self.look()
            await asyncio.sleep(LOOK_S)

    def _usb_ports(self) -> list[str]:
        if not self._scan:
            return []
        with os.scandir(self._dev) as entries:
            return sorted(entry.path for entry in entries if entry.name.startswith(USB_NAMES))


def _link_to(real: str, directory: Path) -> str:
    """The link in `directory` that leads to `real`, empty when there is none. CH340s share one: the last has it."""
    try:
        links = sorted(directory.iterdir())
    except OSError:
        return ""
    return next((str(link) for link in links if os.path.realpath(link) == real), "")

"""How a board gets its WiFi and its hub: over the cable, over BLE, on the page of its own network.

All ways lead here. A WiFi is kept once the board was in it, with all that came with it in one commit; then the
board starts anew. What asks (`spoken`, `join`, `scan`) does so in the main loop.
"""

import gc
import sys

from outpost import VERSION, config
from outpost.improv_serial import Cable
from outpost.joining import Joining, Try  # noqa: F401  (for the types)
from outpost.window import OPEN_MS, Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.clock import Clock
    from outpost.device import Device
    from outpost.improv_ble import Peripheral  # noqa: F401  (for the types)
    from outpost.log import Log
    from outpost.port import BleRadio, Port  # noqa: F401  (for the types)
    from outpost.portal import Portal  # noqa: F401  (for the types)

NETWORKS_MAX = 20  # of a scan, the strongest
PREFIX = "ESP32-OTA-Setup-"  # of the board's own network; the end of its chip id follows
OPENING_MS = 10000
AT_CABLE_MS = 60000  # after the last word over the cable
OFF = "off"
HTTP = 80


class Setup:
    """One board's. `say` prints a line at the console."""

    def __init__(self, port: "Port", clock: "Clock", log: "Log", device: "Device", chip: str) -> None:
        self.port = port
        self.clock = clock
        self.log = log
        self.settings = device.settings
        self.can_identify = device.can_identify
        self.is_new = not device.settings["wifi_ssid"]
        self.network = PREFIX + chip[-6:]
        self.cable = Cable(self)
        self.portal = None  # type: Portal | None
        self.ble = None  # type: Peripheral | None
        self._device = device
        self._chip = chip
        self._radio = None  # type: BleRadio | None
        self._joining = Joining(port, clock, log, self.store)
        self._at_cable_until_ms = 0
        self._password = str(device.settings["portal_password"])
        self._window = Window(is_new=self.is_new, has_password=bool(self._password))

    # What can be asked of it

    @property
    def trusted(self) -> bool:
        """Whether whoever comes over the air may change settings now."""
        return self._window.trusted

    @property
    def until_text(self) -> str:
        """For how long it is open, at most."""
        return "%d minutes" % (OPEN_MS // 60000)

    def in_network(self) -> bool:
        """Whether it is in the WiFi that it was given."""
        if self._joining.joined:
            return True
        return not self.is_new and not self._joining.busy and self.port.network_up()

    def name(self) -> str:
        """What people call it."""
        return str(self.settings["name"]) or self._chip

    def hostname(self) -> str:
        """What networks call it."""
        return str(self.settings["hostname"]) or "outpost-" + self._chip[-6:].lower()

    def info(self) -> "list[str]":
        """Firmware, its version, the chip, the name, and the system under it."""
        system = ".".join([str(number) for number in sys.implementation.version[:3]])
        return ["Outpost", VERSION, self.port.chip_kind.upper(), self.name(), "MicroPython", system]

    def urls(self) -> "list[str]":
        """Where to look next: its own page, else its hub; perhaps nowhere."""
        number, address = self._device.page_number(), self.port.address()
        if number and address:
            return ["http://%s%s/" % (address, "" if number == HTTP else ":%d" % number)]
        url = str(self.settings["hub_url"])
        return [url] if url else []

    def identify(self) -> None:
        """Let somebody see which board it is."""
        self._device.identify()

    def scan(self) -> "list[tuple[str, int, str]] | None":
        """The networks it hears, the strongest first; None when the radio can't tell now. Takes two seconds."""
        if self._joining.busy:
            return None
        self.port.feed_watchdog()
        try:
            heard = self.port.scan_networks()
        except OSError as error:
            self.log.info("no scan: %s" % error)
            return None
        found = {}  # type: dict[str, tuple[str, int, str]]
        for network in heard:  # of several with one name the strongest
            if network[0] and (network[0] not in found or found[network[0]][1] < network[1]):
                found[network[0]] = network
        return sorted(found.values(), key=lambda network: -network[1])[:NETWORKS_MAX]

    def join(self, changes: "dict[str, object]") -> "Try | None":
        """Try the WiFi in `changes`, and store them all if it is the right one; None: not now."""
        return self._joining.begin(changes)

    def store(self, changes: "dict[str, object]") -> bool:
        """Keep settings; whether they are on flash."""
        try:
            config.store(self.port, **changes)
        except (OSError, ValueError, KeyError) as error:
            self.log.error("settings could not be stored: %r" % error)
            return False
        self.settings.update(changes)
        return True

    def restart_soon(self) -> None:
        """What was stored is to be used."""
        self._joining.restart_soon()

    def spoken(self) -> None:
        """Whoever sets it up has just said something."""
        self._joining.spoken()

    def at_cable(self) -> None:
        """And he has a cable: so there is no need for a network of the board's own."""
        self.spoken()
        self._at_cable_until_ms = self.clock.ms() + AT_CABLE_MS

    def status(self) -> str:
        """For the console and screens: the board's own network while it is open."""
        return self.network if self.portal is not None else ""

    @property
    def somebody_sets_it_up(self) -> bool:
        """Whether its own network is open for a person: to a new board, or because somebody at it wants so."""
        return self.portal is not None and (self.is_new or self._window.somebody_is_here)

    def command(self, words: "list[str]") -> str:
        """`portal`, typed at the console."""
        if words == [OFF]:
            self._window.close()
            return "closed"
        if words:
            return "portal, or: portal off"
        self._window.ask(self.clock.ms())
        return "opening"

    # The main loop's

    def tick(self, *, cable: bool) -> bool:
        """A round. `cable`: a hub is at the other end of it. Whether the board is to start anew now."""
        self.cable.tick()
        self._joining.tick()
        now = self.clock.ms()
        cable = cable or now < self._at_cable_until_ms
        pressed = self._window.tick(now, up=self.in_network(), cable=cable, held=self.port.button())
        if pressed and self.ble is not None:
            self.ble.authorize()
        if self._window.open != (self.portal is not None):
            if self._window.open:
                self._open()
            else:
                self._close()
        try:
            self._serve()
        except MemoryError:
            self.log.error("no memory to be set up over the air just now")
            gc.collect()
        return self._joining.restart_due()

    def _serve(self) -> None:
        if self.portal is not None:
            self.portal.service()
        if self.ble is not None and self._radio is not None:
            self.ble.tick()
            self._radio.service()

    def _open(self) -> None:
        """Network and BLE. A board that has no room for them goes on without."""
        self._device.make_room(True)
        gc.collect()
        self.port.hold_joining(OPENING_MS)  # a radio that is joining hears nobody else
        found = self.scan() or []
        try:
            from outpost.portal import Portal

            self.portal = Portal(self, self._password, found)
        except (OSError, MemoryError) as error:
            self.log.error("the board's own network can't be opened: %r" % error)
            self._window.close()
            self._device.make_room(False)
            return
        self._device.say("to set it up, join the WiFi %s and look at %s" % (self.network, self.portal.url))
        if self.settings["ble"] and self.port.has_ble():
            gc.collect()
            try:
                self._open_ble()
            except (OSError, MemoryError) as error:
                self.log.info("no Bluetooth: %r" % error)

    def _open_ble(self) -> None:
        from outpost.improv_ble import Peripheral

        peripheral = Peripheral(self, self.clock)
        if self._window.somebody_is_here:
            peripheral.authorize()
        self._radio = self.port.bluetooth(peripheral, self.name())
        self.ble = peripheral

    def _close(self) -> None:
        if self._radio is not None:
            self._radio.close()
        self._radio = self.ble = None
        if self.portal is not None:
            self.portal.close()
            self.portal = None
        self._device.make_room(False)
        self.log.info("the board's own network is closed")

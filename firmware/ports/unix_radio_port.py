"""What a stand-in has to do with a network: the one it is in, those it can be given, and one of its own."""

from outpost import config
from outpost.port import Port
from ports.unix_files import exists
from ports.unix_radio import LOOPBACK, Light, Radio

NO_SEARCH = "-"
ENODEV = 19


class RadioPort(Port):
    """`network` is as ports/unix.py has it; an empty one is none, unless there is a radio."""

    served_on = LOOPBACK  # a page of a virtual board is for this machine alone

    def __init__(self, flash: str, network: str) -> None:
        beside = flash.rsplit("/", 1)[0] if "/" in flash else "."
        self.network, _, number = network.partition(":")
        self.discovery_port = int(number or self.discovery_port)
        self._radio = Radio(beside)
        self._lamp = Light(beside)
        self._button = beside + "/button"
        self._in_force = None  # type: tuple[str, str] | None

    def network_up(self) -> bool:
        """Like a board in and out of its WiFi's reach: not while there is a file `no-network` in its folder. With a
        radio, in the WiFi of its settings; without one, always.
        """
        if exists(self.files + "/no-network"):
            return False
        if not self._radio.there():
            return bool(self.network)
        return not self._radio.trying() and self._radio.admits(*self._wifi())

    def address(self) -> str:
        return LOOPBACK if self.network_up() or self._radio.joined() else ""

    def broadcasts(self) -> "list[str]":
        return [] if self.network in ("", NO_SEARCH) else [self.network]

    def has_radio(self) -> bool:
        return self._radio.there()

    def scan_networks(self) -> "list[tuple[str, int, str]]":
        return self._radio.scan()

    def try_join(self, ssid: str, password: str) -> None:
        self._radio.begin(ssid, password)

    def joined(self) -> bool:
        return self._radio.joined()

    def end_try(self) -> None:
        self._radio.end()

    def open_access_point(self, name: str, password: str, pause_ms: int) -> str:
        if not self.portal_http:
            raise OSError(ENODEV)
        return self._radio.open_own(name, password)

    def close_access_point(self) -> None:
        self._radio.close_own()

    def button(self) -> bool:
        return exists(self._button)

    def light(self, level: int) -> None:
        self._lamp.set(level)

    def _wifi(self) -> "tuple[str, str]":
        """As it was set when the board started."""
        if self._in_force is None:
            settings = config.load(self)
            self._in_force = (str(settings["wifi_ssid"]), str(settings["wifi_password"]))
        return self._in_force

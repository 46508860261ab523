"""The ESP32's radio: in the WiFi of its settings, in one that is tried, and as a network of its own."""

import errno
import time

import network

from outpost.backoff import Backoff
from outpost.port import BleRadio, Port
from outpost.wifi import Wifi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.improv_ble import Peripheral

WIFI_PAUSE_MS_MAX = 30000  # between two tries to join: so soon it is back after the access point is
ACCESS_POINT_ADDRESS = "4.3.2.1"  # looks like one of the internet: phones that pass over private ones open the page
ACCESS_POINT_CLIENTS = 4
OPEN, WPA2 = 0, 3  # as network.WLAN counts them
SECURITY = {
    0: "NO",
    1: "WEP",
    2: "WPA",
    3: "WPA2",
    4: "WPA/WPA2",
    5: "WPA2 EAP",
    6: "WPA3",
    7: "WPA2/WPA3",
    8: "WAPI",
}


class RadioPort(Port):
    """The part of a board that has to do with its radio."""

    def __init__(self) -> None:
        self._radio = None  # type: network.WLAN | None
        self._wifi = None  # type: Wifi | None
        self._wifi_ms = 0
        self._wifi_ticks = time.ticks_ms()
        self._trying = False  # another network than that of the settings
        self._access_point = None  # type: network.WLAN | None

    def join(self, settings: "dict[str, object]") -> None:
        """Take the radio for the network the settings name; `network_up` then keeps it in there.

        Its power saving is off: it would hold back a command by up to a third of a second.
        """
        network.hostname(str(settings["hostname"]) or "outpost-" + self.chip[-6:].lower())
        self._radio = network.WLAN(network.STA_IF)
        self._radio.active(True)
        self._radio.config(reconnects=0, pm=network.WLAN.PM_NONE)
        backoff = Backoff(self, cap_ms=WIFI_PAUSE_MS_MAX)
        self._wifi = Wifi(self._radio, str(settings["wifi_ssid"]), str(settings["wifi_password"]), backoff)
        self._wifi_ticks = time.ticks_ms()

    def network_up(self) -> bool:
        return self._wifi is not None and not self._trying and self._wifi.up(self._wifi_now())

    def _wifi_now(self) -> int:
        now = time.ticks_ms()
        self._wifi_ms += time.ticks_diff(now, self._wifi_ticks)
        self._wifi_ticks = now
        return self._wifi_ms

    def broadcasts(self) -> "list[str]":
        """Both: some networks pass one of them on, some the other."""
        if self._radio is None:
            return []
        address, mask = [[int(part) for part in text.split(".")] for text in self._radio.ifconfig()[:2]]
        directed = ".".join([str(a | ~m & 0xFF) for a, m in zip(address, mask)])
        return [directed, "255.255.255.255"]

    def address(self) -> str:
        if self._radio is None or not self._radio.isconnected():
            return ""
        return str(self._radio.ifconfig()[0])

    def signal_dbm(self) -> "int | None":
        if self._radio is None or not self._radio.isconnected():
            return None
        try:
            return int(self._radio.status("rssi"))
        except (OSError, TypeError):
            return None  # it has just gone

    # Setting it up

    def has_radio(self) -> bool:
        return True

    def scan_networks(self) -> "list[tuple[str, int, str]]":
        station = self._station()
        was_on = station.active()
        station.active(True)
        try:
            heard = station.scan()
        except (OSError, RuntimeError):  # it is in the middle of joining
            raise OSError(errno.EAGAIN)
        finally:
            if not was_on:
                station.active(False)
        found = []
        for name, _, _, dbm, security, _ in heard:
            try:
                found.append((name.decode(), dbm, SECURITY.get(security, "WPA2")))
            except ValueError:
                pass  # a name that nobody could type
        return found

    def try_join(self, ssid: str, password: str) -> None:
        station = self._station()
        if self._wifi is not None:
            self._wifi.leave(self._wifi_now())
        self._trying = True
        station.active(True)
        station.config(reconnects=-1)  # it tries again by itself until `end_try`
        station.connect(ssid, password)

    def joined(self) -> bool:
        return self._trying and self._station().isconnected()

    def end_try(self) -> None:
        self._trying = False
        station = self._station()
        try:
            station.disconnect()
            station.active(False)
            if self._wifi is not None:
                station.active(True)
                station.config(reconnects=0, pm=network.WLAN.PM_NONE)
        except OSError:
            pass  # it was off

    def hold_joining(self, ms: int) -> None:
        if self._wifi is not None and not self._trying:
            self._wifi.hold(self._wifi_now(), ms)

    def open_access_point(self, name: str, password: str, pause_ms: int) -> str:
        """AUTH_OPEN or WPA2. Its DHCP names the board itself as the name server."""
        if self._wifi is not None:
            self._wifi.pause_ms = pause_ms
        point = network.WLAN(network.AP_IF)
        point.active(True)
        if password:
            point.config(ssid=name, security=WPA2, key=password, max_clients=ACCESS_POINT_CLIENTS)
        else:
            point.config(ssid=name, security=OPEN, max_clients=ACCESS_POINT_CLIENTS)
        point.ifconfig((ACCESS_POINT_ADDRESS, "255.255.255.0", ACCESS_POINT_ADDRESS, ACCESS_POINT_ADDRESS))
        self._access_point = point
        return ACCESS_POINT_ADDRESS

    def close_access_point(self) -> None:
        if self._wifi is not None:
            self._wifi.pause_ms = 0
        if self._access_point is not None:
            self._access_point.active(False)
            self._access_point = None

    def has_ble(self) -> bool:
        try:
            import bluetooth  # noqa: F401  (a build or a chip without it has no such module)
        except ImportError:
            return False
        return True

    def bluetooth(self, peripheral: "Peripheral", name: str) -> BleRadio:
        from ports.esp32_ble import Radio

        return Radio(peripheral, name)

    def _station(self) -> "network.WLAN":
        if self._radio is None:
            self._radio = network.WLAN(network.STA_IF)
        return self._radio

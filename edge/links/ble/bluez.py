"""Bluetooth as Linux has it: BlueZ over the system bus, by bleak. The only file that imports bleak.

It is imported when Bluetooth is first used: a hub without it starts as fast as before. Every way in which it fails
becomes a LinkError with a sentence that says what to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from edge.errors import LinkError

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.args.bluez import BlueZScannerArgs, OrPattern

Mode = Literal["passive", "active"]
WANTED = (b"\xd2\xfc", b"\x77\x46")  # service data of BTHome and of Improv, as a passive scan names them
FIND_S = 20.0  # a board that offers itself is heard within seconds
CONNECT_S = 30.0  # connecting and asking for its services, over a poor link too
GATT_S = 15.0  # one read or write

NO_ADAPTER = "this machine has no Bluetooth adapter"
START_BLUEZ = "Install and start it: `sudo apt install bluez && sudo systemctl enable --now bluetooth`."


log = logging.getLogger(__name__)


class Advert(msgspec.Struct, frozen=True):
    """One advertisement. `service_data` is by the whole UUID, in small letters; `rssi` is in dBm."""

    address: str
    name: str
    rssi: int
    service_data: Mapping[str, bytes]


class NoBluetooth(LinkError):
    """Bluetooth cannot be used on this machine as it is."""

    code = "no-bluetooth"
    hint = "Plug an adapter in, or give the board its WiFi over the cable or its own page."


OnAdvert = Callable[[Advert], None]
OnValue = Callable[[bytes], None]


@contextlib.asynccontextmanager
async def scanning(on_advert: OnAdvert, mode: Mode) -> AsyncIterator[None]:
    """Hear advertisements while the block lasts. Raises NoBluetooth, LinkError."""
    with _explained():
        from bleak import BleakScanner
        from bleak.backends.device import BLEDevice
        from bleak.backends.scanner import AdvertisementData

        def heard(device: BLEDevice, said: AdvertisementData) -> None:
            on_advert(Advert(device.address.upper(), said.local_name or "", said.rssi, said.service_data))

        scanner = BleakScanner(heard, scanning_mode=mode, bluez=_arguments(mode))
        await scanner.start()
    try:
        yield
    finally:
        with contextlib.suppress(LinkError), _explained():
            async with asyncio.timeout(GATT_S):
                await scanner.stop()


class Gatt:
    """A connection to one board: its characteristics by UUID. Made by `connected`."""

    def __init__(self, client: BleakClient, gone: asyncio.Event) -> None:
        self._client, self._gone = client, gone

    @property
    def over(self) -> bool:
        """Whether the board has gone."""
        return self._gone.is_set()

    async def read(self, uuid: str) -> bytes:
        """A characteristic's value. Raises LinkError."""
        with _explained():
            async with asyncio.timeout(GATT_S):
                return bytes(await self._client.read_gatt_char(uuid))

    async def write(self, uuid: str, data: bytes) -> None:
        """Write a characteristic and wait for the board's word that it has it. Raises LinkError."""
        with _explained():
            async with asyncio.timeout(GATT_S):
                await self._client.write_gatt_char(uuid, data, response=True)

    async def follow(self, uuid: str, on_value: OnValue) -> None:
        """Be told each new value of a characteristic, until the connection ends. Raises LinkError."""
        with _explained():
            async with asyncio.timeout(GATT_S):
                await self._client.start_notify(uuid, lambda _, value: on_value(bytes(value)))


@contextlib.asynccontextmanager
async def connected(address: str) -> AsyncIterator[Gatt]:
    """A connection to the board with this address, while the block lasts. Raises NoBluetooth, LinkError."""
    gone = asyncio.Event()
    with _explained():
        from bleak import BleakClient, BleakScanner

        device = await BleakScanner.find_device_by_address(address, timeout=FIND_S)
        if device is None:
            raise LinkError(
                f"no board with the address {address} is heard",
                hint="Bring it nearer, and check that it has power.",
            )
        client = BleakClient(device, disconnected_callback=lambda _: gone.set(), timeout=CONNECT_S)
        await client.connect()
    try:
        yield Gatt(client, gone)
    finally:
        with contextlib.suppress(LinkError), _explained():
            async with asyncio.timeout(GATT_S):
                await client.disconnect()


def _arguments(mode: Mode) -> BlueZScannerArgs:
    from bleak.args.bluez import BlueZScannerArgs
    from bleak.assigned_numbers import AdvertisementDataType

    if mode == "active":
        return BlueZScannerArgs()
    kind = AdvertisementDataType.SERVICE_DATA_UUID16
    patterns: list[OrPattern | tuple[int, AdvertisementDataType, bytes]] = [(0, kind, begins) for begins in WANTED]
    return BlueZScannerArgs(or_patterns=patterns)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn whatever bleak and the bus raise into a LinkError."""
    try:
        yield
    except LinkError:
        raise
    except TimeoutError as error:
        raise LinkError("Bluetooth did not answer in time", hint="Bring the board nearer and try again.") from error
    except (OSError, EOFError) as error:
        raise NoBluetooth(f"the system's message bus cannot be reached: {error}", hint=START_BLUEZ) from error
    except Exception as error:  # a fault in there must not end the hub
        raise _explain(error) from error


def _explain(error: Exception) -> LinkError:
    """What an error of bleak or of the bus means."""
    from bleak.exc import BleakBluetoothNotAvailableError, BleakDBusError, BleakDeviceNotFoundError, BleakError
    from dbus_fast.errors import AuthError, DBusError

    if isinstance(error, BleakBluetoothNotAvailableError):
        return _unavailable(error)
    if isinstance(error, BleakDBusError):
        return _refused(error.dbus_error, error.dbus_error_details or "")
    if isinstance(error, DBusError):
        return _refused(error.type, error.text)
    if isinstance(error, AuthError):
        return NoBluetooth("the system's message bus does not let this user in", hint=START_BLUEZ)
    if isinstance(error, BleakDeviceNotFoundError):
        return LinkError("the board went away while it was being connected", hint="Bring it nearer and try again.")
    if not isinstance(error, BleakError):
        log.error("Bluetooth: a fault within its library", exc_info=error)
    what = str(error) or type(error).__name__
    return LinkError(f"Bluetooth: {what}", hint="Try again; if it stays, `sudo systemctl restart bluetooth`.")


def _unavailable(error: Exception) -> NoBluetooth:
    from bleak.exc import BleakBluetoothNotAvailableError
    from bleak.exc import BleakBluetoothNotAvailableReason as Reason

    assert isinstance(error, BleakBluetoothNotAvailableError)
    if error.reason is Reason.NO_BLUETOOTH:
        return NoBluetooth(NO_ADAPTER)
    if error.reason is Reason.POWERED_OFF:
        return NoBluetooth(
            "Bluetooth is switched off", hint="`sudo rfkill unblock bluetooth && bluetoothctl power on`"
        )
    if error.reason is Reason.NO_BLE_CENTRAL_ROLE:
        return NoBluetooth("the Bluetooth adapter does not know Bluetooth Low Energy")
    return NoBluetooth(f"Bluetooth may not be used: {error}", hint=START_BLUEZ)


def _refused(name: str, details: str) -> LinkError:
    """What an error that came over the bus means."""
    last = name.rpartition(".")[2]
    if last in ("ServiceUnknown", "NameHasNoOwner", "NoReply"):
        return NoBluetooth("the Bluetooth service (BlueZ) does not run", hint=START_BLUEZ)
    if last in ("AccessDenied", "AuthFailed"):
        hint = (
            "Add the hub's user to the group bluetooth: `sudo usermod -aG bluetooth outpost`; start the hub anew."
        )
        return NoBluetooth("this user may not use Bluetooth", hint=hint)
    if last == "NotReady":
        return NoBluetooth("the Bluetooth adapter is not ready", hint="Is it switched on? `bluetoothctl power on`")
    return LinkError(f"Bluetooth: {details or name}", hint="Bring the board nearer and try again.")

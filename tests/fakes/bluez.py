"""BlueZ's part of the system bus, on a private one: an adapter, sensors that advertise, a board that speaks Improv.

`bus` starts a real dbus-daemon; FakeBlueZ takes the name org.bluez there and answers as BlueZ does, message by
message, so that the order is its own too: a device counts as connected before the answer to Connect has left.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from edge.wire import improv
from edge.wire.improv import BoardState, Command, ErrorCode, Result
from tests.fakes.improv_board import INFO, NETWORKS, URL, result_bytes
from tests.tools import needs_tool

CONFIG = """<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
"""
ADAPTER = "/org/bluez/hci0"
NAME = "org.bluez"
DEVICE, CHARACTERISTIC = "org.bluez.Device1", "org.bluez.GattCharacteristic1"
UNKNOWN = "org.freedesktop.DBus.Error.UnknownMethod"
AGAIN_S = 0.05  # how often the board advertises
Properties = dict[str, Variant]


@contextlib.asynccontextmanager
async def bus(folder: Path) -> AsyncIterator[str]:
    """A message bus of its own; its address."""
    socket, config = folder / "bus", folder / "bus.conf"
    config.write_text(CONFIG.format(socket=socket))
    daemon = await asyncio.create_subprocess_exec(
        needs_tool("dbus-daemon"), "--config-file", str(config), "--nofork", "--nopidfile", stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(60):
            while not socket.exists():  # noqa: ASYNC110 - another program makes it
                await asyncio.sleep(0.01)
        yield f"unix:path={socket}"
    finally:
        daemon.terminate()
        await daemon.wait()


class FakeBlueZ:
    """`passive`: whether it knows passive scans. `adapter`: whether one is plugged in."""

    def __init__(self, address: str, *, passive: bool = True, adapter: bool = True) -> None:
        self._address, self._passive = address, passive
        self._objects: dict[str, dict[str, Properties]] = {}
        self._bus: MessageBus
        self._said: dict[str, tuple[str, str, bytes]] = {}
        self._boards: dict[str, ImprovGatt] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.scans: set[str] = set()  # who scans, and how
        self.has_adapter = adapter

    async def __aenter__(self) -> FakeBlueZ:
        self._bus = await MessageBus(bus_address=self._address).connect()
        self._bus.add_message_handler(self._handle)
        await self._bus.request_name(NAME)
        if self.has_adapter:
            self.plug()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        self._bus.disconnect()
        await self._bus.wait_for_disconnect()

    def plug(self) -> None:
        """Plug the adapter in."""
        self.has_adapter = True
        properties = {
            "Address": Variant("s", "00:1A:7D:DA:71:13"),
            "Powered": Variant("b", True),
            "Discovering": Variant("b", False),
            "Roles": Variant("as", ["central", "peripheral"]),
        }
        self._add(ADAPTER, {"org.bluez.Adapter1": properties})

    def unplug(self) -> None:
        """Pull it out: everything it knew goes with it."""
        self.has_adapter = False
        self.scans.clear()
        for path in sorted(self._objects, reverse=True):
            self._remove(path)

    def advertise(self, address: str, name: str, uuid: str, data: bytes, rssi: int = -60) -> None:
        """Something says something; nobody hears it unless there is a scan."""
        if not self.scans or not self.has_adapter:
            return
        path = _path(address)
        said = {"RSSI": Variant("n", rssi), "ServiceData": Variant("a{sv}", {uuid: Variant("ay", data)})}
        if path in self._objects:
            self._change(path, DEVICE, said)
            return
        fixed = {
            "Address": Variant("s", address),
            "AddressType": Variant("s", "public"),
            "Name": Variant("s", name),
            "Alias": Variant("s", name),
            "Adapter": Variant("o", ADAPTER),
            "UUIDs": Variant("as", [uuid]),
            **{
                flag: Variant("b", False)
                for flag in ("Paired", "Connected", "Trusted", "Blocked", "ServicesResolved")
            },
        }
        self._add(path, {DEVICE: {**fixed, **said}})

    def keep_saying(self, address: str, name: str, uuid: str, data: bytes) -> None:
        """A sensor says this again and again, as sensors do, until it says something else."""
        if address not in self._said:
            self._spawn(self._repeat(address))
        self._said[address] = (name, uuid, data)

    def switch_on(self, board: ImprovGatt) -> None:
        """A board that wants its WiFi advertises itself from now on."""
        self._boards[_path(board.address)] = board
        self._spawn(self._keep_advertising(board))

    # -- what the bus says

    def _handle(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL or message.destination in (None, ""):
            return None
        member, path = message.member or "", message.path or ""
        if member == "GetManagedObjects":
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self._objects])
        if path not in self._objects:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownObject", "no such object")
        if path == ADAPTER:
            return self._adapter(message, member)
        if member in ("Connect", "Disconnect"):
            return self._link(message, path, connected=member == "Connect")
        return self._gatt(message, member, path)

    def _adapter(self, message: Message, member: str) -> Message:
        sender = message.sender or ""
        if member in ("RegisterMonitor", "UnregisterMonitor"):
            if not self._passive:
                return Message.new_error(message, UNKNOWN, "no such method")
            self._scan(f"passive {sender}", begins=member == "RegisterMonitor")
        elif member in ("StartDiscovery", "StopDiscovery"):
            self._scan(f"active {sender}", begins=member == "StartDiscovery")
        elif member != "SetDiscoveryFilter":
            return Message.new_error(message, UNKNOWN, "no such method")
        return Message.new_method_return(message)

    def _scan(self, who: str, *, begins: bool) -> None:
        (self.scans.add if begins else self.scans.discard)(who)

    def _link(self, message: Message, path: str, *, connected: bool) -> Message:
        self._change(path, DEVICE, {"Connected": Variant("b", connected)})
        if connected:
            self._spawn(self._resolve(path))
        else:
            self._change(path, DEVICE, {"ServicesResolved": Variant("b", False)})
        return Message.new_method_return(message)

    async def _resolve(self, path: str) -> None:
        await asyncio.sleep(0.01)
        service = f"{path}/service0010"
        properties = {
            "UUID": Variant("s", improv.SERVICE),
            "Device": Variant("o", path),
            "Primary": Variant("b", True),
        }
        self._add(service, {"org.bluez.GattService1": properties})
        for number, (uuid, flags) in enumerate(CHARACTERISTICS.items()):
            about = {
                "UUID": Variant("s", uuid),
                "Service": Variant("o", service),
                "Value": Variant("ay", b""),
                "Notifying": Variant("b", False),
                "Flags": Variant("as", flags),
                "MTU": Variant("q", 23),
            }
            self._add(f"{service}/char{number + 0x11:04x}", {CHARACTERISTIC: about})
        self._change(path, DEVICE, {"ServicesResolved": Variant("b", True)})

    def _gatt(self, message: Message, member: str, path: str) -> Message:
        board = self._boards[path.partition("/service")[0]]
        uuid = self._objects[path][CHARACTERISTIC]["UUID"].value
        if member == "ReadValue":
            return Message.new_method_return(message, "ay", [board.read(uuid)])
        if member == "WriteValue":
            assert uuid == improv.RPC_COMMAND
            by_uuid = {self._objects[one][CHARACTERISTIC]["UUID"].value: one for one in self._characteristics(path)}
            self._spawn(board.write(bytes(message.body[0]), lambda what, value: self._notify(by_uuid[what], value)))
        return Message.new_method_return(message)

    def _characteristics(self, path: str) -> list[str]:
        return [one for one in self._objects if one.startswith(path.rpartition("/")[0] + "/char")]

    def _notify(self, path: str, value: bytes) -> None:
        self._change(path, CHARACTERISTIC, {"Value": Variant("ay", value)})

    async def _repeat(self, address: str) -> None:
        while True:
            self.advertise(address, *self._said[address])
            await asyncio.sleep(AGAIN_S)

    async def _keep_advertising(self, board: ImprovGatt) -> None:
        while True:
            data = bytes((board.state, 7, 0, 0, 0, 0))
            self.advertise(board.address, board.name, improv.ADVERTISED, data)
            await asyncio.sleep(AGAIN_S)

    # -- objects, and telling of them

    def _add(self, path: str, interfaces: dict[str, Properties]) -> None:
        self._objects[path] = interfaces
        self._signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", "oa{sa{sv}}", [path, interfaces])

    def _remove(self, path: str) -> None:
        gone = list(self._objects.pop(path))
        self._signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", "oas", [path, gone])

    def _change(self, path: str, interface: str, changed: Properties) -> None:
        self._objects[path][interface].update(changed)
        body = [interface, changed, []]
        self._signal(path, "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", body)

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        self._bus.send(Message.new_signal(path, interface, member, signature, body))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


CHARACTERISTICS = {
    improv.STATE: ["read", "notify"],
    improv.ERROR: ["read", "notify"],
    improv.RPC_COMMAND: ["write"],
    improv.RPC_RESULT: ["read", "notify"],
    improv.CAPABILITIES: ["read"],
}
PIECE_BYTES = 20  # of a notification on a link that agreed on nothing larger
Notify = Callable[[str, bytes], None]


class ImprovGatt:
    """A board's service. With `button`, it wants to be touched first: `press` does that."""

    def __init__(
        self, address: str, name: str = "garden", password: str = "correct horse", *, button: bool = False
    ) -> None:
        self.address, self.name, self._password = address, name, password
        self.state = BoardState.NEEDS_AUTHORIZATION if button else BoardState.READY
        self._values = {
            improv.STATE: b"",
            improv.ERROR: b"\0",
            improv.RPC_RESULT: b"",
            improv.CAPABILITIES: b"\x07",
        }
        self._held = b""
        self._notify: Notify | None = None
        self.identified = 0
        self.joined = ""

    def press(self) -> None:
        """Somebody touches it."""
        self._become(BoardState.READY)

    def read(self, uuid: str) -> bytes:
        """A characteristic's value."""
        return bytes((self.state,)) if uuid == improv.STATE else self._values[uuid]

    async def write(self, piece: bytes, notify: Notify) -> None:
        """A piece of a command."""
        assert len(piece) <= PIECE_BYTES
        self._notify = notify
        self._held += piece
        if len(self._held) < 3 or len(self._held) < self._held[1] + 3:
            return
        whole, self._held = self._held, b""
        assert sum(whole[:-1]) & 0xFF == whole[-1]
        self._tell(improv.ERROR, b"\0")
        await self._obey(whole[0], whole[2:-1])

    async def _obey(self, command: int, payload: bytes) -> None:
        if command == Command.IDENTIFY:
            self.identified += 1
        elif command == Command.DEVICE_INFO:
            self._answer(command, *INFO[:3], self.name)
        elif command == Command.SCAN:
            self._answer(command, *(text for network in NETWORKS for text in network))
        elif self.state is BoardState.NEEDS_AUTHORIZATION:
            self._tell(improv.ERROR, bytes((ErrorCode.NOT_AUTHORIZED,)))
        elif command == Command.WIFI:
            self._become(BoardState.PROVISIONING)
            await asyncio.sleep(0.05)
            ssid, rest = payload[1 : 1 + payload[0]], payload[1 + payload[0] :]
            if (ssid.decode(), rest[1:].decode()) != ("Hall", self._password):
                self._tell(improv.ERROR, bytes((ErrorCode.CANNOT_CONNECT,)))
                self._become(BoardState.READY)
                return
            self.joined = ssid.decode()
            self._become(BoardState.PROVISIONED)
            self._answer(command, URL)

    def _become(self, state: BoardState) -> None:
        self.state = state
        self._tell(improv.STATE, bytes((state,)))

    def _answer(self, command: int, *texts: str) -> None:
        inner = result_bytes(Result(command, texts))
        self._values[improv.RPC_RESULT] = whole = inner + bytes((sum(inner) & 0xFF,))
        self._tell(improv.RPC_RESULT, whole[:PIECE_BYTES])  # the rest is there for whoever reads it

    def _tell(self, uuid: str, value: bytes) -> None:
        if uuid == improv.ERROR:
            self._values[uuid] = value
        if self._notify is not None:
            self._notify(uuid, value)


def _path(address: str) -> str:
    return f"{ADAPTER}/dev_{address.replace(':', '_')}"

"""BLE on the ESP32: one Improv service on the air, for `outpost/improv_ble.py`, which knows what it says.

MicroPython calls `_happened` from its scheduler, between any two lines of the main loop: it only keeps what came.
"""

import bluetooth

from outpost.improv_ble import CAPABILITIES, COMMAND, COMMAND_BYTES_MAX, ERROR, RESULT, SERVICE, STATE, Peripheral
from outpost.port import BleRadio

CONNECTED, DISCONNECTED, WRITTEN = 1, 2, 3  # MicroPython's numbers of what happens
ADVERTISE_US = 250000
NAME = 0x09  # of a scan's answer: the complete name
NAME_BYTES_MAX = 29
READ, NOTIFY = bluetooth.FLAG_READ, bluetooth.FLAG_NOTIFY
WRITE = bluetooth.FLAG_WRITE | bluetooth.FLAG_WRITE_NO_RESPONSE
CHARACTERISTICS = (
    (STATE, READ | NOTIFY),
    (ERROR, READ | NOTIFY),
    (COMMAND, WRITE),
    (RESULT, READ | NOTIFY),
    (CAPABILITIES, READ),
)


class Radio(BleRadio):
    """On the air as long as it lives. Making it raises OSError."""

    def __init__(self, peripheral: Peripheral, name: str) -> None:
        self._peripheral = peripheral
        self._client = None  # type: memoryview | None  # the connection's handle, a number in fact
        self._advertised = b""
        self._answer = _named(name)
        self._ble = bluetooth.BLE()
        self._ble.active(True)
        characteristics = tuple([
            (bluetooth.UUID(SERVICE[:-1] + str(number)), flags) for number, flags in CHARACTERISTICS
        ])  # fmt: skip
        ((*handles,),) = self._ble.gatts_register_services(((bluetooth.UUID(SERVICE), characteristics),))
        self._handles = {number: handles[i] for i, (number, _) in enumerate(CHARACTERISTICS)}
        self._ble.gatts_set_buffer(self._handles[COMMAND], COMMAND_BYTES_MAX, True)
        self._ble.gatts_set_buffer(self._handles[RESULT], COMMAND_BYTES_MAX)
        for number in (STATE, ERROR, CAPABILITIES):
            self._ble.gatts_write(self._handles[number], peripheral.values[number])
        self._ble.irq(self._happened)

    def service(self) -> None:
        for number, value in self._peripheral.due():
            handle = self._handles[number]
            self._ble.gatts_write(handle, self._peripheral.values[number])
            if self._client is not None:
                try:
                    self._ble.gatts_notify(self._client, handle, value)  # type: ignore[call-arg,arg-type]  # the stubs forgot the connection
                except OSError:
                    pass  # he has just gone, or can read it
        advertised = self._peripheral.advertisement()
        if self._client is None and advertised != self._advertised:
            self._advertised = advertised
            self._ble.gap_advertise(ADVERTISE_US, advertised, resp_data=self._answer)

    def close(self) -> None:
        self._ble.irq(_nothing)
        self._ble.active(False)

    def _happened(self, event: int, data: "tuple[memoryview, ...]") -> None:
        if event == CONNECTED:
            self._client = data[0]
        elif event == DISCONNECTED:
            self._client = None
            self._advertised = b""  # the radio is silent now: begin anew
            self._peripheral.lost()
        elif event == WRITTEN and data[1] == self._handles[COMMAND]:
            self._peripheral.written(bytes(self._ble.gatts_read(self._handles[COMMAND])))


def _nothing(event: int, data: "tuple[memoryview, ...]") -> None:
    """What happens after the end."""


def _named(name: str) -> bytes:
    raw = name.encode()[:NAME_BYTES_MAX]
    return bytes((len(raw) + 1, NAME)) + raw

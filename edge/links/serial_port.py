"""One serial port as a byte stream. The only file that imports the serial libraries.

What opening takes care of: one owner (a lock that other well-behaved programs see, and TIOCEXCL for the rest), a
close that does not drop the lines (HUPCL off), and DTR/RTS that never pass through "RTS alone", which is a board's
reset: the kernel raises both before any code runs, and the library's defaults leave them so.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import termios
from collections.abc import Callable
from enum import StrEnum
from typing import Literal, Self

import msgspec
import serial
import serial_asyncio
from serial.tools import list_ports_linux

from edge.errors import Busy, LinkError
from edge.links.holder import find_holder
from edge.links.modem_lines import BOOT, LINES, RESET, deassert, get_lines, set_lines

Direction = Literal["rx", "tx"]
Tap = Callable[[Direction, bytes], None]

RECEIVE_BYTES_MAX = 65_536  # unread input; past it the kernel's own buffer fills, then the line drops
BITS_PER_BYTE = 10  # 8N1: a start bit, eight of data, a stop bit
DRAIN_POLL_S = 0.005  # how often the driver is asked whether all has left
DRAIN_MARGIN_S = 2.0  # past the line's own time; a driver that holds bytes longer has hung
CLOSE_S = 1.0  # an aborted transport tells its end in the next turn of the loop
PULSE_S, PULSE_USB_S = 0.1, 0.2  # EN held low: what esptool uses, on a bridge and on native USB
STRAPS_READ_S = 0.15  # after a reset the chip has looked at BOOT for itself within some ms
BOOT_HELD_S = 3.5  # MicroPython takes up to 2 s to its first line of ours, which then looks for 1.5 s
ESPRESSIF_VID = 0x303A
PTY_MAJORS = range(136, 144)  # the Unix98 pseudo-terminals
TIOCGEXCL = 0x80045440  # is it taken exclusively? Not in Python's termios

DIALOUT_HINT = "Add the user to the group dialout (`sudo usermod -aG dialout USER`) and start the hub anew."


class Lines(StrEnum):
    """What opening does with DTR and RTS."""

    KEEP = "keep"  # leave both raised, as the kernel does: right for boards with the two-transistor circuit
    DEASSERT = "deassert"  # drop both in one step: for boards whose RTS is wired straight to EN


class SerialPort:
    """An open port; a ByteStream. `tap` sees every byte both ways as it passes. Single-use."""

    def __init__(self, device: serial.Serial, *, tap: Tap | None = None) -> None:
        self._device = device
        self._tap = tap or (lambda direction, data: None)
        self._received = bytearray()
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._over = asyncio.Event()
        self._lost = ""
        self._reading = True
        self._line_free_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._transport = _Transport(self._loop, _Ends(self), device)
        self._transport.set_write_buffer_limits(high=0)  # a write waits until the driver has all of it

    @classmethod
    async def open(cls, path: str, *, baud: int, lines: Lines = Lines.KEEP, tap: Tap | None = None) -> Self:
        """Open `path` for this process alone. Raises Busy naming the holder, LinkError with a hint for the rest."""
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(None, _open, path, baud, lines)
        try:
            device = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_late)
            await asyncio.wait({opening}, timeout=CLOSE_S)  # whoever waits for this end finds the port free
            raise
        return cls(device, tap=tap)

    @property
    def path(self) -> str:
        """The name it was opened by."""
        return str(self._device.name)

    @property
    def baud(self) -> int:
        """The line rate in bits per second."""
        return int(self._device.baudrate)

    async def read(self) -> bytes:
        """Next bytes as they come, at least one. Raises LinkError when the port is gone and all was read."""
        while not self._received:
            self._check()
            self._arrived.clear()
            await self._arrived.wait()
        data = bytes(self._received)
        self._received.clear()
        if not self._reading and not self._transport.is_closing():
            self._reading = True
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Hand `data` to the driver, waiting while its buffer is full. Raises LinkError when the port is gone."""
        self._check()
        if not data:
            return
        seconds = len(data) * BITS_PER_BYTE / self.baud
        self._line_free_s = max(self._line_free_s, self._loop.time()) + seconds
        self._tap("tx", data)
        self._transport.write(data)
        await self._writable.wait()
        self._check(sent_bytes=len(data))

    async def set_baud(self, baud: int) -> None:
        """Let what was written leave, then change the rate. Raises LinkError."""
        await self._drain()
        try:
            await asyncio.to_thread(setattr, self._device, "baudrate", baud)
        except (OSError, ValueError, termios.error) as error:
            self._check()
            raise LinkError(f"{self.path} cannot run at {baud} baud: {error}") from error

    def discard_input(self) -> None:
        """Forget what was received and not yet read."""
        self._received.clear()
        with contextlib.suppress(OSError, termios.error, serial.SerialException):
            self._device.reset_input_buffer()

    async def reset(self) -> bool:
        """Pulse the board's reset line (EN, by RTS). False, and nothing done, where there is none: a pty."""
        self._check()
        fd = self._device.fileno()
        usb = await asyncio.to_thread(usb_facts, self.path)
        try:
            before = get_lines(fd)
            if before is None:
                return False
            set_lines(fd, before & ~LINES | RESET)
            try:
                await asyncio.sleep(PULSE_USB_S if usb.vid == ESPRESSIF_VID else PULSE_S)
            finally:
                set_lines(fd, before)
        except OSError as error:
            raise LinkError(f"{self.path}: the reset line cannot be pulsed: {error.strerror}") from error
        return True

    async def reset_to_prompt(self) -> bool:
        """Reset the board, and press its BOOT button by DTR just after, which leaves our firmware at MicroPython's
        prompt. False, and nothing done, where there are no such lines."""
        if not await self.reset():
            return False
        fd = self._device.fileno()
        try:
            before = get_lines(fd)
            if before is None:
                return False
            set_lines(fd, before & ~LINES)
            await asyncio.sleep(STRAPS_READ_S)
            try:
                set_lines(fd, before & ~LINES | BOOT)
                await asyncio.sleep(BOOT_HELD_S)
            finally:
                set_lines(fd, before)
        except OSError as error:
            raise LinkError(f"{self.path}: BOOT cannot be pressed by wire: {error.strerror}") from error
        return True

    async def close(self) -> None:
        """Give the port up, what has not left is dropped. Never raises, may be called twice."""
        self._lost = self._lost or "closed by the hub"
        unsent = self._transport.get_write_buffer_size()
        if not self._transport.is_closing() or unsent:
            with contextlib.suppress(OSError, termios.error, serial.SerialException):
                self._device.reset_output_buffer()  # else the library waits in the loop for it to leave
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._device.fileno(), termios.TIOCNXCL)
            self._transport.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._over.wait()
        self._wake_all()

    def _check(self, sent_bytes: int = 0) -> None:
        if self._lost:
            raise LinkError(f"{self.path}: {self._lost}", sent_bytes=sent_bytes)

    async def _drain(self) -> None:
        """Wait until the last bit has left: the driver's buffer by asking it, the chip's by the line's speed."""
        give_up_s = max(self._line_free_s, self._loop.time()) + DRAIN_MARGIN_S
        while self._transport_holds() or self._driver_holds():
            if self._loop.time() > give_up_s:
                raise LinkError(f"{self.path} does not send what it was given")
            await asyncio.sleep(DRAIN_POLL_S)
        await asyncio.sleep(max(0.0, self._line_free_s - self._loop.time()))
        self._check()

    def _transport_holds(self) -> bool:
        self._check()
        return bool(self._transport.get_write_buffer_size())

    def _driver_holds(self) -> bool:
        try:
            return bool(self._device.out_waiting)
        except OSError as error:
            raise LinkError(f"{self.path}: {error}") from error

    # -- what the transport tells

    def _take(self, data: bytes) -> None:
        self._tap("rx", data)
        self._received += data
        self._arrived.set()
        if len(self._received) > RECEIVE_BYTES_MAX:
            self._reading = False
            self._transport.pause_reading()

    def _end(self, error: Exception | None) -> None:
        self._lost = self._lost or "unplugged, or its driver gave it up"
        self._over.set()
        self._wake_all()

    def _wake_all(self) -> None:
        self._arrived.set()
        self._writable.set()


class _Ends(asyncio.Protocol):
    """The transport's side of a SerialPort."""

    def __init__(self, port: SerialPort) -> None:
        self._port = port

    def data_received(self, data: bytes) -> None:
        self._port._take(data)

    def pause_writing(self) -> None:
        self._port._writable.clear()

    def resume_writing(self) -> None:
        self._port._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._port._end(exc)


class _Transport(serial_asyncio.SerialTransport):  # type: ignore[misc] # the library has no types
    """An unplugged device is news for the port's owner, not an unhandled error of the loop."""

    def _fatal_error(self, exc: Exception, message: str = "") -> None:
        self._abort(exc)


class UsbFacts(msgspec.Struct, frozen=True):
    """What the kernel knows of the USB device behind a port; empty and None where it is none."""

    vid: int | None = None
    pid: int | None = None
    serial_number: str = ""
    description: str = ""


def usb_facts(path: str) -> UsbFacts:
    """Ask the kernel. Blocks for ms. Of a device that is pulled out meanwhile nothing is known."""
    try:
        found = list_ports_linux.SysFS(os.path.realpath(path))
    except (OSError, TypeError, ValueError):
        return UsbFacts()
    if found.vid is None:
        return UsbFacts()
    return UsbFacts(found.vid, found.pid, found.serial_number or "", found.description or "")


# -- opening, in a thread


def _open(path: str, baud: int, lines: Lines) -> serial.Serial:
    try:
        device = serial.Serial(path, baud, exclusive=True, timeout=0, write_timeout=0)
    except (OSError, ValueError, termios.error) as error:
        raise _explain(path, error) from error
    try:
        _claim(device, path)
        if lines is Lines.DEASSERT:
            deassert(device.fileno())
    except BaseException as error:
        device.close()
        if isinstance(error, OSError | termios.error):
            raise _explain(path, error) from error
        raise
    return device


def _close_late(opening: asyncio.Future[serial.Serial]) -> None:
    """Nobody waits for this port any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _explain(path: str, error: Exception) -> Exception:
    code = getattr(error, "errno", None)
    if code in (errno.EBUSY, errno.EAGAIN):
        return _busy(path)
    if code in (errno.EACCES, errno.EPERM):
        return LinkError(f"{path}: this user may not open it", hint=DIALOUT_HINT)
    if code in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return LinkError(f"{path} is not there", hint="Plug the device in; the hub takes it up by itself.")
    return LinkError(f"{path} cannot be opened as a serial port: {error}")


def _busy(path: str) -> Busy:
    holder = find_holder(path) or "a process of another user"
    return Busy(f"{path} is held by {holder}", hint="End that program; the hub tries again by itself.")


def _claim(device: serial.Serial, path: str) -> None:
    """Keep others out and keep the lines up at close. Raises Busy.

    Root passes TIOCEXCL and anybody passes a lock he does not ask for, so who has the port open is looked at too;
    not on a pty, whose other end may well be held open by its maker, and where the mark outlives a killed process.
    """
    fd = device.fileno()
    is_pty = os.major(os.fstat(fd).st_rdev) in PTY_MAJORS
    holder = find_holder(path)
    is_held = holder is not None and holder.pid != os.getpid()
    if is_held and (not is_pty or _is_exclusive(fd)):
        raise _busy(path)
    if not is_pty:
        fcntl.ioctl(fd, termios.TIOCEXCL)
    attributes = termios.tcgetattr(fd)
    attributes[2] &= ~termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


def _is_exclusive(fd: int) -> bool:
    answer = bytearray(4)
    fcntl.ioctl(fd, TIOCGEXCL, answer)
    return any(answer)

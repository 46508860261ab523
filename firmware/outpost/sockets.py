"""Sockets that never wait, the same on the ESP32, on MicroPython's unix port and on CPython.

Only a name is looked up in one go: getaddrinfo has no other way. So a hub known by its numbers costs no wait, and
one known by a name costs a wait at each new connection alone.
"""

import errno
import select
import socket
import sys

from outpost.port import Port

READ_BYTES = 1024
DATAGRAM_BYTES_MAX = 1472  # what fits one Ethernet frame; more was never said to us
WOULD_BLOCK = (errno.EAGAIN, errno.EINPROGRESS)
MICROPYTHON = sys.implementation.name == "micropython"
TLS_WANTS_MORE = (2, 3)  # CPython's SSLWantReadError and SSLWantWriteError


class Stream:
    """One TCP connection, with TLS when there is a context for it. The port wakes when something comes.

    Making it begins to connect. All but `close` raise OSError.
    """

    def __init__(self, port: Port, host: str, number: int, tls: "object | None") -> None:
        self._port = port
        self._tls = tls
        self._host = host
        family, kind, protocol, _, address = socket.getaddrinfo(host, number, 0, socket.SOCK_STREAM)[0]
        self._raw = self._socket = socket.socket(family, kind, protocol)
        self._open = True
        self._raw.setblocking(False)
        try:
            self._raw.connect(address)
        except OSError as error:
            if error.errno not in WOULD_BLOCK:
                self.close()
                raise
        self._poll = select.poll()
        self._poll.register(self._raw, select.POLLOUT)

    def connected(self) -> bool:
        """Whether the other side has taken the call; from then on the stream may be used."""
        for happened in self._poll.poll(0):
            if happened[1] & (select.POLLERR | select.POLLHUP):
                raise OSError(errno.ECONNREFUSED)
            if self._tls is not None:
                self._socket = self._tls.wrap_socket(  # type: ignore[attr-defined]  # a context of either ssl module
                    self._raw, server_hostname=self._host, do_handshake_on_connect=False
                )
            self._port.watch(self._raw)
            return True
        return False

    def write(self, data: "bytes | memoryview") -> int:
        """How many bytes were taken; 0: none just now."""
        try:
            if self._tls is not None and MICROPYTHON:
                return self._socket.write(data) or 0
            return self._socket.send(data)
        except OSError as error:
            return 0 if self._not_now(error) else _raised(error)

    def read(self) -> "bytes | None":
        """What has come; None: nothing just now; empty: the other side has closed."""
        try:
            if self._tls is not None and MICROPYTHON:
                return self._socket.read(READ_BYTES)
            return self._socket.recv(READ_BYTES)
        except OSError as error:
            if not self._not_now(error):
                raise
            return None

    def close(self) -> None:
        """May be called twice."""
        if self._open:
            self._open = False
            self._port.unwatch(self._raw)
            self._socket.close()
            self._raw.close()

    def _not_now(self, error: OSError) -> bool:
        return error.errno in WOULD_BLOCK or self._tls is not None and error.errno in TLS_WANTS_MORE


class Caller:
    """A connection that somebody made to us. The port wakes when something comes, until `heard`."""

    def __init__(self, port: Port, raw: "socket.socket") -> None:
        self._port = port
        self._raw = raw
        self._open = True
        raw.setblocking(False)
        port.watch(raw)

    def read(self) -> "bytes | None":
        """What has come; None: nothing just now; empty: the other side has closed. Raises OSError."""
        try:
            return self._raw.recv(READ_BYTES)
        except OSError as error:
            if error.errno not in WOULD_BLOCK:
                raise
            return None

    def heard(self) -> None:
        """What still comes is not waited for."""
        self._port.unwatch(self._raw)

    def write(self, data: "bytes | memoryview") -> int:
        """How many bytes were taken; 0: none just now. Raises OSError."""
        try:
            return self._raw.send(data)
        except OSError as error:
            return 0 if error.errno in WOULD_BLOCK else _raised(error)

    def close(self) -> None:
        """May be called twice."""
        if self._open:
            self._open = False
            self._port.unwatch(self._raw)
            self._raw.close()


class Listener:
    """Where others may connect to, on the addresses that the port serves on. Making it raises OSError."""

    def __init__(self, port: Port, number: int, waiting_max: int) -> None:
        self._port = port
        self._raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._raw.bind(socket.getaddrinfo(port.served_on, number, 0, socket.SOCK_STREAM)[0][-1])
            self._raw.listen(waiting_max)
            self._raw.setblocking(False)
        except OSError:
            self._raw.close()
            raise

    def accept(self) -> "Caller | None":
        """The next one who waits. Raises OSError when nobody can come any more."""
        try:
            raw = self._raw.accept()[0]
        except OSError as error:
            if error.errno not in WOULD_BLOCK:
                raise
            return None
        return Caller(self._port, raw)

    def watch(self, on: bool) -> None:
        """Whether the port shall wake when somebody comes: not while there is no time for him."""
        if on:
            self._port.watch(self._raw)
        else:
            self._port.unwatch(self._raw)

    def close(self) -> None:
        """Nobody may come any more."""
        self._port.unwatch(self._raw)
        self._raw.close()


class Datagrams:
    """A UDP socket on a port of its own choice. Everything that goes wrong with it means: nothing came."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_BROADCAST", 0x20), 1)
        except OSError:
            pass  # a stack that allows broadcasts to everybody
        port.watch(self._socket)

    def send(self, data: bytes, host: str, number: int) -> bool:
        """Whether it left."""
        try:
            self._socket.sendto(data, socket.getaddrinfo(host, number, 0, socket.SOCK_DGRAM)[0][-1])
            return True
        except OSError:
            return False  # no way there just now

    def receive(self) -> "tuple[bytes, str] | None":
        """A datagram and its sender's address, if one has come."""
        try:
            data, sender = self._socket.recvfrom(DATAGRAM_BYTES_MAX)
        except OSError:
            return None
        return data, _dotted(sender)

    def close(self) -> None:
        """Give the port back."""
        self._port.unwatch(self._socket)
        self._socket.close()


class Answering:
    """A UDP socket where others ask, on the addresses that the port serves on. Making it raises OSError."""

    def __init__(self, port: Port, number: int) -> None:
        self._port = port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(socket.getaddrinfo(port.served_on, number, 0, socket.SOCK_DGRAM)[0][-1])
            self._socket.setblocking(False)
        except OSError:
            self._socket.close()
            raise
        port.watch(self._socket)

    def receive(self) -> "tuple[bytes, object] | None":
        """A datagram, and where to send the answer, if one has come."""
        try:
            return self._socket.recvfrom(DATAGRAM_BYTES_MAX)
        except OSError:
            return None

    def send(self, data: bytes, sender: "object") -> bool:
        """Whether it left."""
        try:
            self._socket.sendto(data, sender)  # type: ignore[arg-type]  # as it came from recvfrom
            return True
        except OSError:
            return False  # no way there just now

    def close(self) -> None:
        """Give the port back."""
        self._port.unwatch(self._socket)
        self._socket.close()


def _dotted(sender: "object") -> str:
    """The address in numbers; MicroPython's unix port gives the operating system's own structure."""
    if isinstance(sender, tuple):
        return str(sender[0])
    raw = bytes(sender)  # type: ignore[call-overload]  # a bytearray: family, port, four bytes of address
    return "%d.%d.%d.%d" % (raw[4], raw[5], raw[6], raw[7])


def _raised(error: OSError) -> int:
    raise error


def tls_context(path: str) -> "object":
    """For TLS: the hub's certificate must be vouched for by the CA in this file. Raises OSError without one."""
    import ssl

    with open(path, "rb") as file:
        certificate = file.read()  # type: bytes
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED  # type: ignore[attr-defined]  # the stubs forgot it
    context.load_verify_locations(cadata=certificate)
    return context

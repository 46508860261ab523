"""The listeners: TCP, TLS and the unix socket, all serving the same application."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import logging
import os
import re
import socket
import ssl
from collections.abc import Iterable
from pathlib import Path

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from edge.errors import Busy, ConfigError, reason_of
from edge.serving.connections import Connections, raise_file_limit

BACKLOG = 4096  # 128 makes ten thousand connects take a minute
KEEPALIVE_S = 75.0  # older clients poll every 2 s to 2 min over one connection
LINGER_S = 3.0  # for the rest of a body that is not wanted, so that the sender reads why, and then hung up
SHUTDOWN_S = 2.0
LEGACY_PORTS = (5001, 8000)
SOCKET_GROUP = "outpost"
SOCKET_NAME = "hub.sock"
UNIX_PATH_BYTES = 107  # sockaddr_un holds no more
PORT_MAX = 65535
_ADDRESS = re.compile(
    r"(?:(?P<scheme>https?)://)?(?:\[(?P<v6>[0-9a-f:.]+(?:%[\w.-]+)?)\]|(?P<host>[a-z0-9._-]+)):(?P<port>[0-9]{1,5})/?",
    re.IGNORECASE | re.ASCII,
)


class Listen(msgspec.Struct, frozen=True):
    """One address to listen on."""

    host: str
    port: int
    tls: bool

    @property
    def url(self) -> str:
        """How a browser on this machine would write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


_BROKEN = (HttpProcessingError, web.RequestPayloadError, ConnectionError)


class _BadRequests(logging.Filter):
    """Keeps requests that are no HTTP, or break off, out of the log: anybody may send any number of them, each a
    traceback long.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is logged."""
        return not (record.exc_info and isinstance(record.exc_info[1], _BROKEN))


_bad_requests = _BadRequests()


def parse_listens(texts: Iterable[str], *, legacy_ports: bool) -> list[Listen]:
    """Each of them; with `legacy_ports` the first host's LEGACY_PORTS too. Raises ConfigError."""
    listens = [parse_listen(text) for text in texts]
    if legacy_ports:
        listens += [Listen(listens[0].host, port, tls=False) for port in LEGACY_PORTS]
    return listens


def parse_listen(text: str) -> Listen:
    """`HOST:PORT`, `http://HOST:PORT` or `https://HOST:PORT`. Raises ConfigError."""
    parts = _ADDRESS.fullmatch(text.strip())
    if parts is None or int(parts["port"]) > PORT_MAX:
        raise ConfigError(f"{text!r} is no address to listen on.", hint="Write HOST:PORT or https://HOST:PORT.")
    host = (parts["v6"] or parts["host"]).lower()
    return Listen(host, int(parts["port"]), (parts["scheme"] or "").lower() == "https")


def tls_context(cert: str, key: str) -> ssl.SSLContext:
    """What an https listener needs. Raises ConfigError."""
    if not cert or not key:
        raise ConfigError("An https listener needs --tls-cert and --tls-key.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"The certificate {cert} with the key {key} cannot be used: {error}.") from error
    return context


class Server:
    """Every listener of the hub."""

    def __init__(self, app: web.Application, connections: Connections | None = None) -> None:
        self._connections = connections or Connections()
        self._connections.watch(app)
        self._sweeping: asyncio.Task[None] | None = None
        logging.getLogger("aiohttp.server").addFilter(_bad_requests)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=KEEPALIVE_S,
            lingering_time=LINGER_S,
            shutdown_timeout=SHUTDOWN_S,
            handle_signals=False,
        )
        self._socket: Path | None = None

    async def start(self, listens: list[Listen], tls: ssl.SSLContext | None, unix: Path) -> list[Listen]:
        """Open them; returns them with the ports that :0 became. Raises Busy naming a port that is taken."""
        raise_file_limit(self._connections.most)
        await self._runner.setup()
        assert self._runner.server is not None
        self._sweeping = asyncio.create_task(
            self._connections.sweep_for_ever(self._runner.server), name="connections"
        )
        bound = []
        for listen in listens:
            site = web.TCPSite(
                self._runner,
                listen.host,
                listen.port,
                backlog=BACKLOG,
                ssl_context=tls if listen.tls else None,
                reuse_address=True,
            )
            try:
                await site.start()
            except OSError as error:
                raise Busy(
                    f"{listen.host}:{listen.port} cannot be listened on: {reason_of(error)}.",
                    hint="Another program has it, or another Outpost: `outpost doctor`. Or give another --listen.",
                ) from error
            server = site._server
            assert isinstance(server, asyncio.Server)
            bound.append(msgspec.structs.replace(listen, port=server.sockets[0].getsockname()[1]))
        await self._start_unix(unix)
        return bound

    async def _start_unix(self, path: Path) -> None:
        await web.SockSite(self._runner, _unix_socket(path), backlog=BACKLOG).start()
        self._socket = path

    async def stop(self) -> None:
        """Close every listener and connection."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        await self._runner.cleanup()
        if self._socket is not None:
            self._socket.unlink(missing_ok=True)


def _unix_socket(path: Path) -> socket.socket:
    """A listening-to-be socket at `path`, for its owner and the group of technicians (0660)."""
    if len(os.fsencode(path)) > UNIX_PATH_BYTES:
        raise ConfigError(f"The path {path} is too long for a unix socket.", hint="Give a shorter --data-dir.")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o117)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    with contextlib.suppress(KeyError, PermissionError):  # no such group: the owner alone gets in
        os.chown(path, -1, grp.getgrnam(SOCKET_GROUP).gr_gid)
    return listener

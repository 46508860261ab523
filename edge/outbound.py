"""Going out to an address somebody gave, without letting that address reach into the site's own network.

The name is resolved once; every address it has must be public, or in a network the settings allow; the connection
goes to the very address that was checked, so a name that answers differently the next time gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from edge.errors import BadInput, ConfigError, TooLarge

MAX_URL_CHARS = 2048
_CHUNK_BYTES = 64 * 1024
# IPv6 networks that carry an IPv4 address to somewhere else: NAT64, 6to4, Teredo.
_TUNNELS = tuple(IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[list[str]]]


class NoAddress(BadInput):
    """This is no http or https address that may be used."""


class NotPublic(BadInput):
    """The address is inside a private network that the settings do not allow."""

    status = 422


async def system_resolve(host: str, port: int) -> list[str]:
    """The addresses of `host` as the system knows them. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Outbound:
    """The way out. `allowed` are networks it may enter although they are not public."""

    def __init__(self, allowed: tuple[Network, ...] = (), *, resolve: Resolve = system_resolve) -> None:
        self._allowed, self._resolve = allowed, resolve

    async def vetted(self, target: URL) -> Address:
        """The address to connect to.

        Raises NotPublic when any that the name has is not allowed, NoAddress for a name that cannot be one, OSError
        when it has none.
        """
        try:
            names = await self._resolve(target.raw_host or "", target.port or 0)
        except UnicodeError:  # a label of 100 letters
            raise NoAddress("this is not an http or https address") from None
        addresses = [ip_address(name.partition("%")[0]) for name in names]
        if not addresses or not all(self._may_enter(address) for address in addresses):
            raise NotPublic("the address is not a public one")
        return addresses[0]

    def _may_enter(self, address: Address) -> bool:
        plain = _unmapped(address)
        return is_public(plain) or any(plain in network for network in self._allowed)


def checked_url(url: str) -> URL:
    """`url` as an http or https address. Raises NoAddress; one that holds a name or password is none."""
    try:
        target = URL(url) if len(url) <= MAX_URL_CHARS else None
    except ValueError:
        target = None
    if target is None or target.scheme not in ("http", "https") or not target.host:
        raise NoAddress("this is not an http or https address")
    if target.user is not None or target.password is not None:
        raise NoAddress("the address must not hold a name or password")
    return target


def session_to(address: Address) -> aiohttp.ClientSession:
    """A session whose one connection goes to `address`; TLS is checked against the name that is asked for.

    No proxy, nothing unpacked, no cookie kept.
    """
    connector = aiohttp.TCPConnector(resolver=_Pinned(address), use_dns_cache=False, force_close=True, limit=1)
    return aiohttp.ClientSession(
        connector=connector, trust_env=False, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
    )


async def body_of(response: aiohttp.ClientResponse, most: int, what: str) -> bytes:
    """The body, of `most` bytes at most; the error calls it `what`. Raises TooLarge, aiohttp.ClientError."""
    if (response.content_length or 0) > most:
        raise TooLarge(f"{what} is more than {most:,} bytes")
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > most:
            raise TooLarge(f"{what} is more than {most:,} bytes")
    return bytes(body)


def networks(texts: Iterable[str], setting: str) -> tuple[Network, ...]:
    """Networks as a setting names them. Raises ConfigError."""
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise ConfigError(f"{setting} names no network: {error}.") from error


def is_public(address: Address) -> bool:
    """Whether `address` is one of the open internet: not loopback, private, link-local, multicast, reserved, or a
    tunnel to any of them."""
    plain = _unmapped(address)
    if isinstance(plain, IPv6Address) and (plain.is_site_local or any(plain in tunnel for tunnel in _TUNNELS)):
        return False
    return plain.is_global and not (plain.is_multicast or plain.is_reserved or plain.is_unspecified)


class _Pinned(AbstractResolver):
    """Answers every name with the one address that was checked."""

    def __init__(self, address: Address) -> None:
        self._address = address

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        version = socket.AF_INET if self._address.version == 4 else socket.AF_INET6
        return [
            ResolveResult(
                hostname=host, host=str(self._address), port=port, family=version, proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]  # fmt: skip

    async def close(self) -> None:
        """Nothing is held."""


def _unmapped(address: Address) -> Address:
    """The IPv4 address inside ::ffff:a.b.c.d, else `address`."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address

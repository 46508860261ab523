"""A picture from an address somebody sent: fetched without letting that address reach into the site's own network.

The name is resolved once; every address it has must be public, or in a network the settings allow; the connection
goes to the very address that was checked, so a name that answers differently the next time gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import aiohttp
import tenacity
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from edge.content.sources import MAX_PICTURE_BYTES
from edge.errors import BadPicture, TooLarge, Unreachable

DEADLINE_S = 10.0  # over all: resolving, both attempts, the body
ATTEMPTS = 2
MAX_URL_CHARS = 2048
_CHUNK_BYTES = 64 * 1024
# IPv6 networks that carry an IPv4 address to somewhere else: NAT64, 6to4, Teredo.
_TUNNELS = tuple(IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[list[str]]]


async def system_resolve(host: str, port: int) -> list[str]:
    """The addresses of `host` as the system knows them. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Fetcher:
    """Fetches pictures. `allowed` are networks it may enter although they are not public."""

    def __init__(
        self,
        allowed: tuple[Network, ...] = (),
        *,
        resolve: Resolve = system_resolve,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._deadline_s = deadline_s

    async def fetch(self, url: str) -> bytes:
        """The body at `url`, at most MAX_PICTURE_BYTES. Redirects are not followed, no proxy is used.

        Raises BadPicture (not an address for a picture, not allowed, refused by its server), TooLarge, Unreachable
        (nobody answered within the deadline). What the server sent is never part of an error.
        """
        target = _checked_url(url)
        try:
            async with asyncio.timeout(self._deadline_s):
                address = await self._vetted(target)
                return await self._with_retry(target, address)
        except UnicodeError:  # a name that cannot be one: a label of 100 letters
            raise BadPicture("this is not an http or https address") from None
        except (TimeoutError, aiohttp.ClientError, OSError):
            raise Unreachable(
                "the picture's address does not answer", hint="Check the address, or send the picture itself."
            ) from None

    async def _vetted(self, target: URL) -> Address:
        """The address to connect to. Raises BadPicture when any that the name has is not allowed."""
        names = await self._resolve(target.raw_host or "", target.port or 0)
        addresses = [ip_address(name.partition("%")[0]) for name in names]
        if not addresses or not all(self._may_enter(address) for address in addresses):
            raise BadPicture(
                "the picture's address is not a public one",
                hint="Send the picture itself, or allow its network in content.fetch_allow.",
            )
        return addresses[0]

    def _may_enter(self, address: Address) -> bool:
        plain = _unmapped(address)
        return is_public(plain) or any(plain in network for network in self._allowed)

    async def _with_retry(self, target: URL, address: Address) -> bytes:
        attempts = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_random(0.1, 0.3),
            retry=tenacity.retry_if_exception(_is_transient),
            reraise=True,
        )
        return await attempts(_get, target, address)


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


def _checked_url(url: str) -> URL:
    try:
        target = URL(url) if len(url) <= MAX_URL_CHARS else None
    except ValueError:
        target = None
    if target is None or target.scheme not in ("http", "https") or not target.host:
        raise BadPicture("this is not an http or https address")
    if target.user is not None or target.password is not None:
        raise BadPicture("a picture's address must not hold a name or password")
    return target


async def _get(target: URL, address: Address) -> bytes:
    """One attempt over one new connection to `address`; TLS is checked against the name in `target`."""
    connector = aiohttp.TCPConnector(resolver=_Pinned(address), use_dns_cache=False, force_close=True, limit=1)
    async with (
        aiohttp.ClientSession(connector=connector, trust_env=False, auto_decompress=False) as session,
        session.get(target, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as response,
    ):
        if response.status != 200:
            raise BadPicture(f"the picture's server answered {response.status}", hint="Send the picture itself.")
        return await _body(response)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    if (response.content_length or 0) > MAX_PICTURE_BYTES:
        raise TooLarge(f"the picture is more than {MAX_PICTURE_BYTES:,} bytes")
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_PICTURE_BYTES:
            raise TooLarge(f"the picture is more than {MAX_PICTURE_BYTES:,} bytes")
    return bytes(body)


def _is_transient(error: BaseException) -> bool:
    """Whether trying again can help: nobody took the connection, or the body broke off; not a bad certificate.

    A connection that breaks before the answer is not in here: aiohttp repeats such a GET once by itself.
    """
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return False
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientPayloadError)


def _unmapped(address: Address) -> Address:
    """The IPv4 address inside ::ffff:a.b.c.d, else `address`."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address

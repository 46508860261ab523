"""What one caller without a key is counted as: his address, since he shows nothing else.

Behind a proxy each connection is the proxy's. Whom it speaks for is believed of those proxies alone that the
settings name: anybody can write such a header.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import hdrs, web

from edge.errors import ConfigError

Proxies = tuple[IPv4Network | IPv6Network, ...]
TRUSTED = web.AppKey("trusted", tuple)  # the proxies that an application believes; a hub has none


def proxies(texts: Iterable[str], setting: str) -> Proxies:
    """Addresses and networks (10.0.0.0/24) of proxies. Raises ConfigError naming the setting."""
    try:
        return tuple(ip_network(text.strip()) for text in texts)
    except ValueError as error:
        raise ConfigError(f"{setting}: {error}.", hint="Write addresses, or networks as 10.0.0.0/24.") from error


def address_of(request: web.Request) -> str:
    """What one anonymous caller is counted as."""
    client = client_of(request)
    return network(client) if client else "local"


def client_of(request: web.Request) -> str:
    """The address a request comes from, '' for the unix socket: the connection's, or whom a trusted proxy names.

    Each proxy adds at the end of X-Forwarded-For whom it heard, so the last that is no trusted proxy is the client;
    what stands before it may be made up.
    """
    client, trusted = request.remote or "", request.app.get(TRUSTED, ())
    if not trusted or not _is_one_of(client, trusted):
        return client
    for said in reversed(",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ())).split(",")):
        address = _without_port(said.strip())
        if _parsed(address) is None:  # a word: the proxy itself does not know
            return client
        client = address
        if not _is_one_of(client, trusted):
            return client
    return client


def network(address: str) -> str:
    """What counts as one anonymous caller: an IPv4 address, or an IPv6 /64, since a host has all of that."""
    parsed = _parsed(address)
    if parsed is None:
        return address
    return str(parsed) if isinstance(parsed, IPv4Address) else str(IPv6Network((parsed.packed[:8] + bytes(8), 64)))


def _is_one_of(address: str, trusted: Proxies) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in trusted)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """An address, one of IPv4 as such also where it came as one of IPv6; None for what is none."""
    try:
        parsed = ip_address(address.split("%", 1)[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _without_port(text: str) -> str:
    """`192.0.2.1` of `192.0.2.1:50000`, `2001:db8::1` of `[2001:db8::1]:50000`; some proxies write them so."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text

"""What one caller without a key is counted as: his address, since he shows nothing else."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Network, ip_address

from aiohttp import web


def address_of(request: web.Request) -> str:
    """What one anonymous caller is counted as."""
    return network(request.remote) if request.remote else "local"


def network(address: str) -> str:
    """What counts as one anonymous caller: an IPv4 address, or an IPv6 /64, since a host has all of that."""
    try:
        parsed = ip_address(address.split("%", 1)[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((parsed.packed[:8] + bytes(8), 64)))

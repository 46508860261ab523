"""Whose old web pages may vend: the older system asked nobody, so here a technician names them.

An entry is the address or network of the computer where such a page is open, such as `192.168.1.20`; or, where the
page's own files come from elsewhere than the hub, the origin it is loaded from, such as `http://shop.example:8080`.
A computer's address alone is not enough for a browser: any page that is open there could ask. So what a browser
sends for another page than these is refused.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from edge.errors import ConfigError

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_SCHEMES = ("http://", "https://")
_LOCAL = (".local", ".lan", ".home.arpa")  # names nobody outside the site can point at the hub


class Pages:
    """The setting `vending.pages`, read once. Raises ConfigError for an entry that is neither."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._networks: list[_Network] = []
        self._origins: set[str] = set()
        for entry in entries:
            if entry.lower().startswith(_SCHEMES):
                self._origins.add(entry.lower().rstrip("/"))
            else:
                self._networks.append(_network(entry))

    def trusts(self, address: str | None, host: str, origin: str) -> bool:
        """Whether a request without a key may vend: from a listed computer, and for no strange page."""
        return self.lists(address) and (not origin or self.opens(host, origin))

    def lists(self, address: str | None) -> bool:
        """Whether this computer is listed."""
        parsed = _address(address or "")
        return parsed is not None and any(parsed in network for network in self._networks)

    def opens(self, host: str, origin: str) -> bool:
        """Whether a page of this origin may speak to the hub at `host`."""
        scheme, _, place = origin.lower().partition("://")
        if origin.lower() in self._origins or self.lists(_name(place)):
            return True
        return f"{scheme}://" in _SCHEMES and place == host.lower() and _is_local(_name(host.lower()))


def _network(entry: str) -> _Network:
    try:
        return ipaddress.ip_network(entry)
    except ValueError:
        raise ConfigError(
            f"vending.pages: {entry!r} is neither an address or network nor an origin.",
            hint='Write for example pages = ["192.168.1.20", "10.0.5.0/24", "http://shop.example:8080"].',
        ) from None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _name(place: str) -> str:
    """The name or address in `host:port`."""
    if place.startswith("["):
        return place[1:].partition("]")[0]
    return place.partition(":")[0]


def _is_local(name: str) -> bool:
    """Whether only this site decides what the name leads to."""
    return _address(name) is not None or "." not in name or name.endswith(_LOCAL)

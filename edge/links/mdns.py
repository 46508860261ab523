"""Tells the network under which address the hub is served: `_outpost._tcp.local.` by mDNS.

Interfaces come and go on a hub: a cable is pulled, an access point starts later. So what is told is made anew when
the machine's addresses change. Where multicast is not possible there is a line in the log, and the hub goes on.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

import ifaddr
from zeroconf import Error, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from edge.links.discovery import Serves

log = logging.getLogger(__name__)

SERVICE = "_outpost._tcp.local."
GROUP = "224.0.0.251"
LOOK_S = 5.0  # how late another address is told
ADDRESSES_MAX = 8  # a hub has two or three; what containers add is not wanted without end
COMPLAINTS_MAX = 100
ID_CHARS = 8  # of the instance, in the name: enough to tell two hubs apart


def addresses_here() -> list[str]:
    """The IPv4 addresses of this machine but the loopback's, in a steady order."""
    found = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)]
    return sorted(address for address in found if not address.startswith("127."))[:ADDRESSES_MAX]


class Mdns:
    """The hub's name on the network; `run` it until cancelled."""

    def __init__(self, addresses: Callable[[], list[str]] = addresses_here) -> None:
        self._addresses = addresses
        self._serves: list[Serves] = []
        self._instance = ""
        self._known = asyncio.Event()
        self._complained: set[str] = set()

    def serves(self, serves: list[Serves], instance: str) -> None:
        """What there is to tell: nothing is told before this."""
        self._serves, self._instance = serves, instance
        self._known.set()

    async def run(self) -> None:
        """Tell, and tell anew when the addresses change."""
        await self._known.wait()
        told: list[str] = []
        zeroconf: AsyncZeroconf | None = None
        try:
            while True:
                now = [address for address in self._addresses() if self._port(address) and self._reaches(address)]
                if now != told:
                    await _end(zeroconf)
                    zeroconf, told = None, now
                    try:
                        zeroconf = await self._tell(now) if now else None
                    except (OSError, Error) as error:
                        told = []
                        self._complain("here", error)
                await asyncio.sleep(LOOK_S)
        finally:
            await _end(zeroconf)

    def _reaches(self, address: str) -> bool:
        """Whether multicast is possible there: asked beforehand, since zeroconf tidies up badly where it is not."""
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind((address, 0))
                group = socket.inet_aton(GROUP) + socket.inet_aton(address)
                probe.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        except OSError as error:
            self._complain(address, error)
            return False
        return True

    def _complain(self, where: str, error: Exception) -> None:
        """Say what is wrong, once for each place and reason."""
        said = f"devices cannot find this hub by mDNS at {where}: {error or type(error).__name__}"
        if said not in self._complained and len(self._complained) < COMPLAINTS_MAX:
            self._complained.add(said)
            log.warning("%s", said)

    def _port(self, address: str) -> int:
        """The port served without TLS at an address of ours, 0 for none."""
        return next((each.port for each in self._serves if not each.tls and each.at(address)), 0)

    async def _tell(self, addresses: list[str]) -> AsyncZeroconf:
        name = f"outpost-{self._instance[:ID_CHARS]}"
        info = AsyncServiceInfo(
            SERVICE,
            f"{name}.{SERVICE}",
            port=self._port(addresses[0]),
            addresses=[socket.inet_aton(address) for address in addresses],
            properties={"id": self._instance},
            server=f"{name}.local.",
        )
        zeroconf = AsyncZeroconf(interfaces=addresses, ip_version=IPVersion.V4Only)
        try:
            await zeroconf.async_register_service(info, cooperating_responders=True)
        except BaseException:
            await _end(zeroconf)
            raise
        return zeroconf


async def _end(zeroconf: AsyncZeroconf | None) -> None:
    """Say goodbye; what is gone cannot be told so, which is no matter."""
    if zeroconf is None:
        return
    try:
        await zeroconf.async_close()
    except (OSError, Error) as error:
        log.debug("mDNS could not be ended properly: %s", error)

"""A hub between two networks, without any way out: run in a network namespace of its own, prints what each is told.

An old machine stands in each, a namespace of its own at the other end of a cable; it asks as its sketch does, by a
broadcast to 255.255.255.255 from port 12345.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path

from edge.links.discovery import Answers, Discovery, Serves

PORT = 12346
NETWORKS = ("10.7.0", "10.8.0")
STEP_S = 0.05
DEADLINE_S = 60.0
MACHINE = f"""
import socket
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
asker.bind(("", 12345))
asker.settimeout(0.5)
asker.sendto(b"ESP32_DISCOVERY_REQUEST", ("255.255.255.255", {PORT}))
said, (source, port) = asker.recvfrom(100)
print(said.decode(), source, port)
"""


def run(*words: str) -> None:
    """Run a command. Raises CalledProcessError."""
    subprocess.run(words, check=True)


async def machine(name: str, network: str) -> str:
    """What an old machine on this network is told, asking until its cable is up."""
    holder = await asyncio.create_subprocess_exec("unshare", "-n", "sleep", "60")
    inside = ("nsenter", "-t", str(holder.pid), "-n")
    try:
        async with asyncio.timeout(DEADLINE_S):
            while namespace(holder.pid) == namespace("self"):  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(STEP_S)
            run("ip", "link", "set", name, "netns", str(holder.pid))
            run(*inside, "ip", "addr", "add", f"{network}.9/24", "dev", name)
            run(*inside, "ip", "link", "set", name, "up")
            run(*inside, "ip", "route", "add", "default", "dev", name)
            while True:
                asker = await asyncio.create_subprocess_exec(
                    *inside, sys.executable, "-c", MACHINE, stdout=PIPE, stderr=subprocess.DEVNULL
                )
                said, _ = await asker.communicate()
                if said:
                    return said.decode().strip()
    finally:
        holder.kill()
        await holder.wait()


def namespace(pid: int | str) -> str:
    """The network namespace of a process."""
    return str(Path(f"/proc/{pid}/ns/net").readlink())


async def main() -> None:
    """Two networks, one after the other."""
    for number, network in enumerate(NETWORKS):
        run("ip", "link", "add", f"hub{number}", "type", "veth", "peer", "name", f"dev{number}")
        run("ip", "addr", "add", f"{network}.1/24", "dev", f"hub{number}")
        run("ip", "link", "set", f"hub{number}", "up")
    discovery = Discovery(Answers([Serves("0.0.0.0", 5000)], time.monotonic), PORT)
    assert discovery.open()
    for number, network in enumerate(NETWORKS):
        print(await machine(f"dev{number}", network))
    discovery.close()


if __name__ == "__main__":
    asyncio.run(main())

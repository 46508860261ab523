"""A virtual old vending machine on the network: it finds its server once, registers, polls, vends, confirms once.

`turns` counts what its motors did, which is the truth that a test compares the hub's books with. `pace` below 1
makes everything but the time limits faster.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import msgspec

from edge.sim.vending_http import TIMED_OUT, Reply, request

SLOTS = 5
PORT = 5000  # compiled in
QUESTION, ANSWER = b"ESP32_DISCOVERY_REQUEST", b"FLASK_SERVER:"
HUB_UDP_PORT, OWN_UDP_PORT = 12346, 12345
UDP_S = 0.5  # it listens for so long, once
COMMON_HOSTS = (1, 100, 10, 2, 20)
MOTOR_S, AFTER_S = 1.0, 0.3  # the motor's turn, and the rest before it confirms
POLL_S = 2.0
BOOT_S = 1.0
JSON_CHARS_MAX = 120  # what surely fits into the 200 bytes that it parses into
WORDS = ("vending", "flask", "status")  # one of these in GET /status, and it takes the server for its own


class Faults(msgspec.Struct):
    """What is wrong with it or with its network; the counts go down to 0."""

    lost_replies: int = 0  # of its polls: what the server answers never arrives
    broken_polls: int = 0  # the connection breaks as soon as a poll's request has left
    lost_confirms: int = 0
    resets_in_vend: int = 0  # its supply breaks down when the motor has turned
    jam_share: float = 0.0  # of its vends nothing falls, and it confirms success all the same (10 % in its sketch)
    registers: bool = True  # else it only polls, as after the hub has lost its database
    documented: bool = False  # made from the manual: its paths, its header, and STATUS and RESET too
    empty_slots: set[int] = msgspec.field(default_factory=set)  # the manual's firmware says so


class WifiMachine:
    """One machine. `run` it in a task; `server` is where it polls, found by `discover` when not given."""

    def __init__(
        self,
        server: str = "",
        mac: str = "6CC8404FE03C",
        *,
        faults: Faults | None = None,
        pace: float = 1.0,
        source: str = "",
    ) -> None:
        self.server, self.faults, self.pace, self.source = server, faults or Faults(), pace, source
        self.colon_mac = ":".join(mac[at : at + 2] for at in range(0, len(mac), 2))
        self.device_id = f"ESP32_{mac}"
        self.turns: Counter[int] = Counter()
        self.fallen: Counter[int] = Counter()
        self.polls = self.starts = 0
        self.unreadable: list[str] = []
        self._jams = random.Random(mac)  # noqa: S311 - a simulated jam, no secret
        self._started_s = 0.0

    async def run(self) -> None:
        """Its power is on, until cancelled."""
        while True:
            await self.boot()
            while not await self.turn():
                await self._sleep(POLL_S)
            await self._sleep(BOOT_S)

    async def boot(self) -> None:
        """Its `setup()`: it registers if it knows a server, and takes every answer for a success."""
        self.starts += 1
        self._started_s = asyncio.get_running_loop().time()
        if self.server and self.faults.registers:
            await self._post(
                "/esp32/wifi/register" if self.faults.documented else "/esp32/register", self._introduction()
            )

    async def turn(self) -> bool:
        """One round of its `loop()`: a poll, and what it was told. True when it restarts."""
        reply = await self._poll()
        if reply.code != 200 or reply.body in ("null", "NO_COMMAND"):
            return False
        order = self._parsed(reply.body)
        match order.get("command"):
            case "VEND" if order.get("slot") in range(1, SLOTS + 1):
                return await self._vend(int(order["slot"]))
            case "STATUS" if self.faults.documented:
                await self._post("/esp32/data", {"device_id": self.device_id, "status": "ready"})
            case "RESET" if self.faults.documented:
                return True
        return False

    async def discover(
        self, gateway: str, own: str, *, broadcast: str = "255.255.255.255", port: int = PORT
    ) -> str:
        """Look for the server as the sketch does, once; '' when it is not found, and then it never polls."""
        network, _, last = own.rpartition(".")
        numbers = (*COMMON_HOSTS, int(last) - 1, int(last) + 1)
        for host in (gateway, "", *(f"{network}.{number}" for number in numbers)):
            asked = host or await self._ask_by_udp(broadcast, own)
            if asked and await self._is_server(f"http://{asked}:{port}"):
                self.server = f"http://{asked}:{port}"
                return self.server
        return ""

    # -- what it says

    async def _poll(self) -> Reply:
        self.polls += 1
        path, headers = f"/esp32/commands/{self.device_id}", {}
        if self.faults.documented:
            path, headers = "/esp32/wifi/command", {"Device-ID": self.colon_mac}
        hang_up = self.faults.broken_polls > 0
        self.faults.broken_polls -= hang_up
        reply = await request(
            "GET",
            self.server + path,
            headers=headers,
            connect_s=2.0,
            read_s=3.0,
            source=self.source,
            hang_up=hang_up,
        )
        if not self.faults.lost_replies:
            return reply
        self.faults.lost_replies -= 1
        return Reply(TIMED_OUT)

    async def _vend(self, slot: int) -> bool:
        if self.faults.documented and slot in self.faults.empty_slots:
            await self._confirm(slot, success=False, message="Slot empty")
            return False
        self.turns[slot] += 1
        await self._sleep(MOTOR_S)
        if self._jams.random() >= self.faults.jam_share:
            self.fallen[slot] += 1
        if self.faults.resets_in_vend:
            self.faults.resets_in_vend -= 1
            return True
        await self._sleep(AFTER_S)
        await self._confirm(slot, success=True, message="Item dispensed successfully")
        return False

    async def _confirm(self, slot: int, *, success: bool, message: str) -> None:
        """Once, whatever comes of it."""
        if self.faults.lost_confirms:
            self.faults.lost_confirms -= 1
            return
        up_ms = int((asyncio.get_running_loop().time() - self._started_s) * 1000)
        await self._post(
            "/esp32/wifi/confirm" if self.faults.documented else "/esp32/confirm",
            {
                "device_id": self.colon_mac,
                "slot": slot,
                "success": success,
                "message": message,
                "timestamp": up_ms,
            },
        )

    async def _post(self, path: str, body: dict[str, Any]) -> Reply:
        return await request("POST", self.server + path, msgspec.json.encode(body), source=self.source)

    def _introduction(self) -> dict[str, Any]:
        own = self.source or "127.0.0.1"
        if not self.faults.documented:
            return {"device_id": self.device_id, "ip_address": own, "status": "online", "slots_available": SLOTS}
        return {
            "device_id": self.device_id,
            "device_type": "wifi",
            "ip_address": own,
            "firmware_version": "1.2.0",
            "slots_available": SLOTS,
            "status": "online",
        }

    def _parsed(self, body: str) -> dict[str, Any]:
        """What its small parser makes of it; what does not fit is as if it had not come."""
        try:
            order = msgspec.json.decode(body)
        except msgspec.DecodeError:
            order = None
        if isinstance(order, dict) and len(body) <= JSON_CHARS_MAX:
            return order
        if order is not None:
            self.unreadable.append(body)
        return {}

    # -- how it finds its server

    async def _is_server(self, base: str) -> bool:
        reply = await request("GET", f"{base}/status", connect_s=0.5, read_s=0.8, source=self.source)
        return reply.code == 200 and any(word in reply.body.lower() for word in WORDS)

    async def _ask_by_udp(self, broadcast: str, own: str) -> str:
        loop = asyncio.get_running_loop()
        answers: asyncio.Queue[bytes] = asyncio.Queue()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Answers(answers), local_addr=(own, OWN_UDP_PORT), allow_broadcast=True
        )
        try:
            transport.sendto(QUESTION, (broadcast, HUB_UDP_PORT))
            async with asyncio.timeout(UDP_S):
                while True:
                    answer = await answers.get()
                    if answer.startswith(ANSWER):
                        return answer[len(ANSWER) :].decode("ascii", "replace").strip()
        except TimeoutError:
            return ""
        finally:
            transport.close()

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self.pace)


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, answers: asyncio.Queue[bytes]) -> None:
        self._answers = answers

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._answers.put_nowait(data)

"""A device with our firmware on the network, as docs/protocol.md has it, in plain Python: to test the hub with."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from edge.wire import signing

CHIP = "A4CF12000001"
Json = Any


class Said(msgspec.Struct, frozen=True):
    """What the hub answered. `signed`: whether the signature proves that it was the hub."""

    status: int
    body: Json
    signed: bool

    @property
    def code(self) -> str:
        """A problem's code."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


class Given(msgspec.Struct, frozen=True):
    """What the hub answered of an offer: bytes, or a problem. `signed`: as in Said."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    signed: bool


class FieldDevice:
    """One board. `done` is what it did, in order; `hwm` and `results` are its ledger.

    `running`: what its hello says that it runs, and `knows` the offer that its polls say it knows of; None for a
    board that cannot be updated. `panel`: what its hello says of its panel, `shows` the picture that its polls say
    it was told of, None for a board without one; `show` what it was told last.
    """

    def __init__(self, url: str, http: aiohttp.ClientSession, *, chip: str = CHIP, kind: str = "vending") -> None:
        self.url, self._http, self.chip, self.kind = url, http, chip, kind
        self.id, self.key, self.code = "", b"", ""
        self.session, self.session_key, self.counter = "", b"", 0
        self.epoch, self.hwm, self.boot, self.approved = "e1", 0, 1, False
        self.uptime_ms = 1000
        self.results: dict[tuple[str, int], Json] = {}
        self.done: list[Json] = []
        self.desired: Json = None
        self.version = 0
        self.welcome: Json = None
        self.running: Json = None
        self.knows: str | None = None
        self.panel: Json = None
        self.sleeps = False
        self.shows: str | None = None
        self.show: Json = None

    # --- a key

    def provision(self, device_id: str, token: str) -> None:
        """A technician types them at the console."""
        self.id, self.key = device_id, signing.key_from_token(token)

    async def pair(self) -> Said:
        """Agree on a key; the last answer."""
        private, nonce = X25519PrivateKey.generate(), secrets.token_bytes(16)
        public = private.public_key().public_bytes_raw()
        request = {"chip": self.chip, "kind": self.kind, "fw": "1.0", "commit": signing.commitment(public, nonce)}
        offered = await self.post("/v1/device/pair", request)
        if offered.status != 200:
            return offered
        hub_public, hub_nonce = bytes.fromhex(offered.body["public"]), bytes.fromhex(offered.body["nonce"])
        revealed = await self.post(
            f"/v1/device/pair/{offered.body['pairing']}", {"public": public.hex(), "nonce": nonce.hex()}
        )
        if revealed.status == 200:
            shared = private.exchange(X25519PublicKey.from_public_bytes(hub_public))
            self.key = signing.key_from_pairing(shared, public, hub_public)
            self.code = signing.code(public, hub_public, nonce, hub_nonce)
            self.id = revealed.body["device"]
        return revealed

    async def post(self, path: str, body: Json) -> Said:
        """An unsigned request."""
        async with self._http.post(self.url + path, data=msgspec.json.encode(body)) as response:
            return Said(response.status, await response.json(content_type=None), signed=False)

    # --- a session

    def hello_request(self) -> tuple[bytes, str, str]:
        """A hello as it is sent: its body, its signature, and its nonce."""
        nonce = secrets.token_hex(16)
        self.uptime_ms += 1
        body = msgspec.json.encode(
            {
                "device": self.id,
                "chip": self.chip,
                "kind": self.kind,
                "fw": "1.0",
                "epoch": self.epoch,
                "hwm": self.hwm,
                "boot": self.boot,
                "uptime_ms": self.uptime_ms,
                "nonce": nonce,
                **({} if self.running is None else {"running": self.running}),
                **({} if self.panel is None else {"panel": self.panel}),
                **({"sleeps": True} if self.sleeps else {}),
            }
        )
        return body, signing.hello_mac(self.key, body), nonce

    async def hello(self) -> Said:
        """Open a session."""
        body, mac, nonce = self.hello_request()
        said, answer_mac, raw = await self.send_hello(body, mac)
        if said.status == 200:
            assert signing.same(signing.welcome_mac(self.key, nonce, raw), answer_mac)
            self.welcome, self.session, self.counter = said.body, said.body["session"], 0
            self.session_key = signing.session_key(self.key, nonce, said.body["nonce"])
            self.approved = said.body["approved"]
        return said

    async def send_hello(self, body: bytes, mac: str) -> tuple[Said, str, bytes]:
        """These bytes; the answer, its signature and its bytes."""
        headers = {signing.MAC: mac}
        async with self._http.post(self.url + "/v1/device/hello", data=body, headers=headers) as response:
            raw = await response.read()
            said = Said(response.status, msgspec.json.decode(raw), signed=False)
            return said, response.headers.get(signing.MAC, ""), raw

    def signed(self, method: str, target: str, body: bytes, counter: int | None = None) -> dict[str, str]:
        """The headers of the next request."""
        if counter is None:
            self.counter += 1
            counter = self.counter
        mac = signing.request_mac(self.session_key, method, target, counter, body)
        return {signing.SESSION: self.session, signing.COUNTER: str(counter), signing.MAC: mac}

    async def ask(self, method: str, target: str, body: Json = None) -> Said:
        """One request of the session, signed; the answer's signature checked."""
        raw = b"" if body is None else msgspec.json.encode(body)
        return await self.send(method, target, raw, self.signed(method, target, raw))

    async def send(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Said:
        """Exactly this request."""
        key, counter = self.session_key, int(headers.get(signing.COUNTER, "0"))
        async with self._http.request(method, self.url + target, data=body or None, headers=headers) as response:
            raw = await response.read()
            mac = signing.answer_mac(key, response.status, counter, raw)
            good = signing.same(mac, response.headers.get(signing.MAC, ""))
            return Said(response.status, msgspec.json.decode(raw), good)

    # --- its life

    async def poll(self, wait: float = 25) -> Said:
        """One poll."""
        knows = "" if self.knows is None else f"&offer={self.knows}"
        shows = "" if self.shows is None else f"&show={self.shows}"
        return await self.ask("GET", f"/v1/device/poll?wait={wait:g}&desired={self.version}{knows}{shows}")

    async def look(self, wait: float = 25) -> Json:
        """One poll, remembering what its panel shall show; that, or None."""
        said = await self.poll(wait)
        self.show = said.body.get("show")
        self.shows = self.show["picture"][:16] if self.show else ""
        return self.show

    async def picture(self, sha256: str, ranged: str = "") -> Given:
        """A piece of a picture."""
        return await self._get(f"/v1/device/pictures/{sha256}", ranged)

    async def fetch(self, artifact: str, what: str, ranged: str = "") -> Given:
        """A piece of what it is offered: `what` as docs/protocol.md has it, with that Range."""
        folder = "" if what in ("manifest", "signatures") else "files/"
        target = f"/v1/device/firmware/{artifact}/{folder}{what}"
        return await self._get(target, ranged)

    async def _get(self, target: str, ranged: str) -> Given:
        headers = self.signed("GET", target, b"")
        counter, key = self.counter, self.session_key
        asked = {**headers, "Range": ranged} if ranged else headers
        async with self._http.get(self.url + target, headers=asked) as response:
            raw = await response.read()
            good = signing.same(
                signing.answer_mac(key, response.status, counter, raw), response.headers.get(signing.MAC, "")
            )
            return Given(response.status, response.headers, raw, good)

    async def tell(self, artifact: str, step: str, **more: Json) -> Said:
        """How far it is with what it is offered."""
        return await self.ask("POST", "/v1/device/firmware", {"artifact": artifact, "step": step, **more})

    async def act(self, command: Json) -> Json:
        """Do a command once, and answer a repeat from memory; the result."""
        key = (command["id"], command["seq"])
        if key in self.results:
            return {**self.results[key], "repeated": True}
        result = {"id": command["id"], "seq": command["seq"], "ok": True, "err": "", "ms": 1}
        if command["seq"] <= self.hwm:
            return {**result, "ok": False, "err": "stale"}
        self.hwm = command["seq"]
        self.done.append(command)
        self.results[key] = result
        return result

    async def turn(self, wait: float = 25) -> Said:
        """Poll, say hello where that is asked for, and do what there is."""
        said = await self.poll(wait)
        if said.code == "new-session":
            await self.hello()
            return said
        if said.status == 200 and said.body.get("desired"):
            self.version, self.desired = said.body["desired"]["version"], said.body["desired"]["state"]
        if said.status == 200 and said.body.get("command"):
            await self.ask("POST", "/v1/device/result", await self.act(said.body["command"]))
        return said

    async def live(self, wait: float = 25) -> None:
        """Turn after turn, until cancelled."""
        await self.hello()
        while True:
            said = await self.turn(wait)
            if said.status != 200 and said.code != "new-session":
                await asyncio.sleep(0.05)

    async def readings(self, first: int, *values: Json) -> Said:
        """A batch of readings, one each second of this boot."""
        records = [[self.boot, 1000 * (first + n), 0, value] for n, value in enumerate(values)]
        batch = {"epoch": self.epoch, "first": first, "boot": self.boot, "uptime_ms": 60_000, "records": records}
        return await self.ask("POST", "/v1/device/readings", batch)

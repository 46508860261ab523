"""The agents' old web page in one browser: what it remembers, in which order it tries, what it shows."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=10)


class NicBrowser:
    """One browser profile. `storage` is its localStorage, kept over logins and for months."""

    def __init__(self, base: str, key: str, *, address: str = "", fingerprint: str = "BROWSER-7f3a") -> None:
        self.base, self.key, self.address, self.fingerprint = base, key, address, fingerprint
        self.storage: dict[str, str] = {}
        self.user: dict[str, Any] = {}
        self.url: dict[str, str] = {}
        self.error = ""

    def visit(self, link: str) -> None:
        """Open the page with the parameters that the PC program put into its address."""
        self.url = {name: values[0] for name, values in parse_qs(link.lstrip("?")).items()}

    @property
    def agent_id(self) -> int | str:
        """The user's number, else his e-mail, else his id, else 1."""
        user_id = self.user.get("id")
        return user_id if isinstance(user_id, int) else self.user.get("email") or user_id or 1

    async def login(self, user: dict[str, Any]) -> bool:
        """Log in and link; failure is only noted."""
        self.user = user
        return await self.link()

    async def link(self) -> bool:
        """Try the address, then the remembered display, then the remembered or guessed name."""
        guess = self.storage.get("computer_name") or self.url.get("computer_name") or self.fingerprint
        self.storage["computer_name"] = guess
        tries: list[dict[str, str]] = []
        if self.url:
            tries.append({name: self.url[name] for name in ("device_id", "computer_name") if name in self.url})
        if "linked_device_id" in self.storage:
            tries.append({"device_id": self.storage["linked_device_id"], "computer_name": guess})
        if not guess.startswith("BROWSER-"):
            tries.append({"computer_name": guess})
        for hints in tries:
            if await self._try_link(hints):
                return True
        return False

    async def show_qr(self, image: str, **customer: Any) -> dict[str, Any]:
        """Claim the display, then send the code, whatever became of the claim."""
        await self.link()
        status, answer = await self.call(
            "POST", "/api/device/qr", {"agent_id": self.agent_id, "qr_image": image, **customer}
        )
        self.error = "" if status == 200 and answer.get("success") else answer.get("error", "")
        return answer

    async def close_qr(self) -> dict[str, Any]:
        """The page of the code was closed."""
        _, answer = await self.call("POST", "/api/device/rotation/start", {"agent_id": self.agent_id})
        return answer

    async def is_available(self) -> bool:
        """The page's own check, which needs a field that the old server never sent."""
        _, answer = await self.call("GET", "/api/device/health", None, key=False)
        return answer.get("status") == "online" and answer.get("device") == "connected"

    async def call(
        self, method: str, path: str, body: dict[str, Any] | None, *, key: bool = True
    ) -> tuple[int, dict[str, Any]]:
        """One fetch; the key always, the content type with a body."""
        headers = {"X-API-Key": self.key} if key else {"Accept": "application/json"}
        local = (self.address, 0) if self.address else None
        connector = aiohttp.TCPConnector(local_addr=local)
        async with (
            aiohttp.ClientSession(headers=headers, timeout=TIMEOUT, connector=connector) as session,
            session.request(method, self.base + path, json=body) as response,
        ):
            answer: dict[str, Any] = await response.json(content_type=None)
            return response.status, answer

    async def _try_link(self, hints: dict[str, str]) -> bool:
        name = str(self.user.get("name") or "Agent")
        body = {"agent_id": self.agent_id, "agent_name": name, **hints}
        status, answer = await self.call("POST", "/api/device/link", body)
        if status == 200 and answer.get("success"):
            self.storage["linked_device_id"] = answer["device_id"]
            if hints.get("computer_name"):
                self.storage["computer_name"] = hints["computer_name"]
            self.error = ""
            return True
        self.error = str(answer.get("error") or answer.get("message"))
        return False

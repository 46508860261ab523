"""One session with the centre: what its hello gave, and every question behind it.

A session lives as long as the line and the centre's word. The lanes are its tasks: the first that fails ends them
all, and the uplink says hello again.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol, TypeVar

import msgspec

from edge.sync.client import ANSWER_MAX, ANSWER_S, Arriving, Client
from edge.wire.sync import BATCH_TYPE, SESSION_HEADER, Welcome

T = TypeVar("T", bound=msgspec.Struct)


class Session:
    """`welcome` is what the centre said at its begin; `number` rises with each session.

    `heard` is called after each answer.
    """

    def __init__(
        self, client: Client, token: str, welcome: Welcome, heard: Callable[[], None] = lambda: None
    ) -> None:
        self.welcome, self.number = welcome, welcome.session
        self._client, self._heard = client, heard
        self._headers = {"Authorization": f"Bearer {token}", SESSION_HEADER: str(welcome.session)}

    async def ask(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        body: msgspec.Struct | None = None,
        batch: bytes | None = None,
        query: Mapping[str, str | int] | None = None,
        timeout_s: float = ANSWER_S,
        answer_max: int = ANSWER_MAX,
    ) -> T:
        """Ask the centre within this session: `body` goes as JSON, `batch` is one that is packed already.

        Raises Unreachable (the line) and CentreSaid (an error of the centre). A lane lets both pass: the session
        then ends, and what it means is judged in one place.
        """
        raw = batch if body is None else msgspec.json.encode(body)
        words = "&".join(f"{name}={value}" for name, value in (query or {}).items())
        answered = await self._client.ask(
            method,
            f"{path}?{words}" if words else path,
            answer,
            body=raw,
            body_type=BATCH_TYPE if batch is not None else "application/json",
            headers=self._headers,
            timeout_s=timeout_s,
            answer_max=answer_max,
        )
        self._heard()
        return answered

    @contextlib.asynccontextmanager
    async def fetch(self, path: str, *, start: int = 0) -> AsyncIterator[Arriving]:
        """A file of the centre, from byte `start` on. Raises what `Client.fetch` does."""
        async with self._client.fetch(path, headers=self._headers, start=start) as arriving:
            self._heard()
            yield arriving


class Lane(Protocol):
    """What a session runs beside the others until it ends."""

    async def run(self, session: Session) -> None:
        """Work until cancelled; an error ends the session. Called anew for each session."""

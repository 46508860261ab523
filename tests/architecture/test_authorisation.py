"""Who may do what is a checked-in table: a route that lets somebody in, or shuts somebody out, changes it in view.

The table is asked of the running hub, request by request, not read from the code that decides.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from edge.hub import Hub
from edge.serving.roles import Role
from edge.serving.server import Listen
from edge.settings import Discovery, Limits, Serial, Settings
from tests.architecture import reference_pages

TABLE = Path(__file__).with_name("authorisation.txt")
CALLERS = ("nobody", "app", "viewer", "technician", "admin")
REFUSALS = (401, 403)
ABSENT = "nothing-has-this-name"
SETTINGS = Settings(
    serial=Serial(scan=False),
    discovery=Discovery(enabled=False),
    limits=Limits(authenticated_per_minute=10_000, anonymous_per_minute=10_000),
)


class Asked:
    """A running hub, and a key of every role."""

    def __init__(self, url: str, keys: dict[str, str], session: aiohttp.ClientSession) -> None:
        self.url, self._keys, self._session = url, keys, session

    async def is_let_in(self, caller: str, method: str, path: str) -> bool:
        """Whether the request got past the door; what it asks for does not exist, so nothing comes of it."""
        key = self._keys.get(caller)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        path = re.sub(r"\{\w+\}", ABSENT, path)
        async with self._session.request(method, self.url + path, headers=headers, data=b"") as response:
            assert response.status < 500, (method, path, response.status)
            return response.status not in REFUSALS


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Asked]:
    """The hub to ask."""
    hub = Hub(tmp_path, SETTINGS)
    async with hub.serving(listens=[Listen("127.0.0.1", 0, tls=False)], ports=False) as bound:
        keys = {role: (await hub.keys.create(role, Role.parse(role), actor="test"))[1] for role in CALLERS[1:]}
        async with aiohttp.ClientSession() as session:
            yield Asked(bound[0].url, keys, session)


async def test_everybody_gets_just_where_the_table_says(hub: Asked) -> None:
    lines = [f"{'':60}" + " ".join(f"{caller:>10}" for caller in CALLERS)]
    for route in reference_pages.routes():
        answers = await asyncio.gather(*(hub.is_let_in(caller, route.method, route.path) for caller in CALLERS))
        marks = " ".join(f"{'yes' if answer else '-':>10}" for answer in answers)
        lines.append(f"{route.method:7}{route.path:53}{marks}")
    found = "\n".join(lines) + "\n"
    assert found == TABLE.read_text("utf-8"), f"if this is meant, {TABLE.name} becomes:\n{found}"


def test_more_is_never_less() -> None:
    """Whoever is let in, those with a higher role are too."""
    for line in TABLE.read_text("utf-8").splitlines()[1:]:
        viewer, technician, admin = line.split()[-3:]
        assert (viewer, technician, admin) in {
            ("yes", "yes", "yes"),
            ("-", "yes", "yes"),
            ("-", "-", "yes"),
        }, line

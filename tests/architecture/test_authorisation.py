"""Who may do what is a checked-in table: a route that lets somebody in, or shuts somebody out, changes it in view.

The tables are asked of a running hub and a running centre, request by request, not read from the code that decides.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from edge.hub import Hub
from edge.serving.roles import Role
from edge.serving.routing import Route
from edge.serving.server import Listen
from edge.settings import Discovery, Limits, Serial, Settings
from tests.architecture import reference_pages
from tests.running_centre import RunningCentre, started

TABLE = Path(__file__).with_name("authorisation.txt")
CENTRE_TABLE = Path(__file__).with_name("authorisation-centre.txt")
CALLERS = ("nobody", "app", "viewer", "technician", "admin")
CENTRE_CALLERS = (*CALLERS, "machine", "hub")  # a login on its machine; the token of a site
REFUSALS = (401, 403, 429)  # who may not log in so often is shut out too
LOGIN = "/office/login?next="  # where a page leads who may not see it
ABSENT = "nothing-has-this-name"
SETTINGS = Settings(
    serial=Serial(scan=False),
    discovery=Discovery(enabled=False),
    limits=Limits(authenticated_per_minute=10_000, anonymous_per_minute=10_000),
)


class Asked:
    """A running service, and who asks it: the address he uses and the key he shows."""

    def __init__(self, callers: dict[str, tuple[aiohttp.ClientSession, str]]) -> None:
        self._callers = callers

    async def is_let_in(self, caller: str, method: str, path: str) -> bool:
        """Whether the request got past the door; what it asks for does not exist, so nothing comes of it."""
        session, key = self._callers[caller]
        headers = {"Sec-Fetch-Site": "same-origin"} | ({"Authorization": f"Bearer {key}"} if key else {})
        path = re.sub(r"\{\w+\}", ABSENT, path)
        async with session.request(method, path, headers=headers, data=b"", allow_redirects=False) as response:
            assert response.status < 500 or response.status == 503, (method, path, response.status)
            led_away = response.headers.get("Location", "").startswith(LOGIN)
            return response.status not in REFUSALS and not led_away

    async def table(self, questions: list[tuple[str, str]]) -> str:
        """A line each question, a column each caller."""
        lines = [f"{'':60}" + " ".join(f"{caller:>10}" for caller in self._callers)]
        for method, path in questions:
            answers = await asyncio.gather(*(self.is_let_in(caller, method, path) for caller in self._callers))
            marks = " ".join(f"{'yes' if answer else '-':>10}" for answer in answers)
            lines.append(f"{method:7}{path:53}{marks}")
        return "\n".join(lines) + "\n"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Asked]:
    """The hub to ask."""
    hub = Hub(tmp_path, SETTINGS)
    async with hub.serving(listens=[Listen("127.0.0.1", 0, tls=False)], brief=True) as bound:
        keys = {role: (await hub.keys.create(role, Role.parse(role), actor="test"))[1] for role in CALLERS[1:]}
        async with aiohttp.ClientSession(bound[0].url) as session:
            yield Asked({caller: (session, keys.get(caller, "")) for caller in CALLERS})


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[tuple[RunningCentre, Asked]]:
    """The centre to ask."""
    async with started(tmp_path) as running:
        token = await site_token(running)
        machine = aiohttp.UnixConnector(str(tmp_path / "cloud.sock"))
        async with (
            aiohttp.ClientSession(running.url) as session,
            aiohttp.ClientSession("http://centre", connector=machine) as here,
        ):
            callers = {caller: (session, running.keys.get(caller, "")) for caller in CALLERS}
            yield running, Asked({**callers, "machine": (here, ""), "hub": (session, token)})


async def site_token(centre: RunningCentre) -> str:
    """The token of a hub that has enrolled."""
    code = (await centre.ask("POST", "/v1/sites", {"name": "depot"})).body["code"]
    enrol = {"code": code, "place": "here", "name": "hub", "version": "0"}
    return str((await centre.ask("POST", "/sync/v1/enrol", enrol, key="")).body["token"])


async def test_everybody_gets_just_where_the_table_says(hub: Asked) -> None:
    found = await hub.table(questions(reference_pages.routes()))
    assert found == TABLE.read_text("utf-8"), f"if this is meant, {TABLE.name} becomes:\n{found}"


async def test_everybody_gets_at_the_centre_just_where_the_table_says(centre: tuple[RunningCentre, Asked]) -> None:
    running, asked = centre
    every = [(path.method, path.path) for part in running.centre.parts for path in part.paths()]
    paths = [(method, path) for method, path in every if method != "OPTIONS"]  # preflights carry no key
    found = await asked.table(questions(reference_pages.by_path(running.centre.routes)) + sorted(paths))
    assert found == CENTRE_TABLE.read_text("utf-8"), f"if this is meant, {CENTRE_TABLE.name} becomes:\n{found}"


def questions(routes: list[Route]) -> list[tuple[str, str]]:
    """Method and path of routes."""
    return [(route.method, route.path) for route in routes]


class Line(msgspec.Struct, frozen=True):
    """Who is let in where."""

    path: str
    let_in: dict[str, bool]


def lines(table: Path) -> list[Line]:
    """A table as it is checked in."""
    heading, *rows = table.read_text("utf-8").splitlines()
    callers = heading.split()
    found = []
    for row in rows:
        _, path, *marks = row.split()
        found.append(Line(path, {caller: mark == "yes" for caller, mark in zip(callers, marks, strict=True)}))
    return found


@pytest.mark.parametrize("line", lines(TABLE) + lines(CENTRE_TABLE), ids=lambda line: str(line.path))
def test_more_is_never_less(line: Line) -> None:
    """Whoever is let in, those with a higher role are too."""
    marks = [line.let_in[caller] for caller in ("viewer", "technician", "admin")]
    assert marks == sorted(marks)
    if "machine" in line.let_in:
        assert line.let_in["machine"] >= line.let_in["admin"]


@pytest.mark.parametrize("line", lines(CENTRE_TABLE), ids=lambda line: str(line.path))
def test_hubs_and_people_have_doors_of_their_own(line: Line) -> None:
    """A site's token opens nothing of /v1 but what is open to all, and no key opens what hubs say."""
    if line.let_in["nobody"]:
        assert all(line.let_in.values())
    elif line.path.startswith("/sync/"):
        assert {caller for caller, yes in line.let_in.items() if yes} == {"hub"}
    else:
        assert not line.let_in["hub"]

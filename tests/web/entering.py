"""People who log in to a centre's pages: in a browser, or as a program that holds the same cookie."""

from __future__ import annotations

from sqlalchemy import insert

from cloud.db.people_models import Person
from edge.access.accounts.passwords import Passwords
from tests.running_centre import RunningCentre
from tests.web.browser import Tab

PASSWORD = "a long enough password"


async def add_person(
    centre: RunningCentre, username: str, role: str = "admin", *, sites: str = "", tenant_id: int = 1
) -> None:
    """Somebody with PASSWORD, written behind everybody's back; `sites`: their slugs, '' for all."""
    async with centre.centre.db.write() as connection:
        await connection.execute(
            insert(Person).values(
                tenant_id=tenant_id,
                id=f"p-{username}",
                email=f"{username}@example.com",
                username=username,
                role=role,
                sites=sites,
                state="active",
                password=await Passwords().hash(PASSWORD),
                created_us=centre.centre.clock.now().at_us,
                created_by="test",
            )
        )


async def log_in(tab: Tab, url: str, username: str) -> None:
    """Through the page, as people do; the tab is at the fleet behind it. `url`: the centre's."""
    await tab.go(f"{url}/office/login")
    await fill_in(tab, username)


async def fill_in(tab: Tab, username: str) -> None:
    """The login page that the tab is at; what was wanted comes behind it."""
    await tab.fill("[name=name]", username)
    await tab.fill("[name=password]", PASSWORD)
    await tab.follow("main form button")
    await tab.sees("Log out")

"""What is a person's own at the pages: his account, his settings, and up to when he has put his events away.

The older server had one set of settings, accounts and backups for everybody who was logged in. Here an account is
its person's alone, and what concerns the whole site is an administrator's, elsewhere: such paths say where.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiohttp import web

from edge.access.accounts.model import User
from edge.assets.model import SECOND_US
from edge.clock import Clock
from edge.compat import own_settings
from edge.compat.assets.auth import refusal, user_out
from edge.compat.assets.pages.documents import Document, js_time
from edge.compat.assets.pages.entry import Table, body_of, text_of, told
from edge.compat.assets.pages.event_names import Archived, Happening, SettingsTold
from edge.compat.assets.pages.lists import ARCHIVED, archived
from edge.compat.thingsnxt.door import Visit, absent, reply

SETTINGS = "settings"
USUAL: Document = {"refreshInterval": 30, "theme": "light", "notifications": True}
"""What a person's settings are until he changes them."""

BACKUPS = "Backups are made on the machine itself, of everything: `outpost backup`."
SHIFTS = "Shifts begin and end by the site's calendar: `outpost shift` sets it. Nothing is lost between them."

Tell = Callable[[str, Happening], Awaitable[None]]


class Changes(Protocol):
    """Changes accounts."""

    async def change(self, user: User, *, full_name: str | None = None, preferences: str | None = None) -> User:
        """A person changes his own account. Raises BadInput."""


class OwnPages:
    """Reads and changes it. `tell` tells the person's open pages."""

    def __init__(self, accounts: Changes, clock: Clock, tell: Tell) -> None:
        self._accounts, self._clock, self._tell = accounts, clock, tell

    def table(self) -> Table:
        """What people may ask."""
        return {
            ("GET", "/api/settings"): self.settings,
            ("PUT", "/api/settings"): self.change_settings,
            ("POST", "/api/settings"): self.change_settings,
            ("POST", "/api/events/archive"): self.archive,
            ("GET", "/api/users"): self.users,
            ("GET", "/api/users/{id}"): self.user,
            ("PUT", "/api/users/{id}"): self.change_user,
            ("GET", "/api/teams"): self.teams,
            ("GET", "/api/backup"): self.backups,
            ("GET", "/api/backups"): self.backups,
            ("POST", "/api/backup"): self.no_backup,
            ("POST", "/api/backups"): self.no_backup,
            ("POST", "/api/shifts/start"): self.no_shift,
            ("POST", "/api/shifts/end"): self.no_shift,
        }

    async def settings(self, visit: Visit) -> web.Response:
        """GET /api/settings: his own."""
        return told(settings=_settings(visit.user))

    async def change_settings(self, visit: Visit) -> web.Response:
        """PUT /api/settings: what is left out stays; his other pages are told."""
        body = body_of(visit)
        given = body.get(SETTINGS, body)
        kept = own_settings.of_asset_pages(visit.user.preferences)
        before = kept.get(SETTINGS)
        settings = {**(before if isinstance(before, dict) else {}), **(given if isinstance(given, dict) else {})}
        user = await self._keep(visit.user, {**kept, SETTINGS: settings})
        await self._tell(user.id, SettingsTold(_settings(user)))
        return told(message="Settings updated", settings=_settings(user))

    async def archive(self, visit: Visit) -> web.Response:
        """POST /api/events/archive: his list of events begins anew. Nothing is moved or erased: with a start date,
        or `archived=true`, he is shown all of it, and no figure changes."""
        now_us, before_us = self._clock.now().at_us, archived(visit.user)
        kept = own_settings.of_asset_pages(visit.user.preferences)
        user = await self._keep(visit.user, {**kept, ARCHIVED: now_us})
        made = {
            "id": f"archive-{now_us // SECOND_US}",
            "name": text_of(body_of(visit), "name", "archiveName") or f"Events until {js_time(now_us)}",
            "from": js_time(before_us or None),
            "to": js_time(now_us),
            "created_at": js_time(now_us),
        }
        await self._tell(user.id, Archived(made))
        return told(message="Events archived", archive=made)

    async def users(self, visit: Visit) -> web.Response:
        """GET /api/users: himself."""
        return told(users=[user_out(visit.user)], total=1)

    async def user(self, visit: Visit) -> web.Response:
        """GET /api/users/{id}: himself; another is answered as one that does not exist."""
        return told(user=user_out(_himself(visit)))

    async def change_user(self, visit: Visit) -> web.Response:
        """PUT /api/users/{id}: his name."""
        name = text_of(body_of(visit), "name", "full_name", "fullName")
        user = _himself(visit)
        if name is not None:
            user = await self._accounts.change(user, full_name=name)
        return told(message="User updated", user=user_out(user))

    async def teams(self, visit: Visit) -> web.Response:
        """GET /api/teams: there are none; who sees what is a matter of whose a logger is."""
        return reply([])

    async def backups(self, visit: Visit) -> web.Response:
        """GET /api/backup, /api/backups: none that a page could fetch."""
        return told(backups=[], total=0, message=BACKUPS)

    async def no_backup(self, visit: Visit) -> web.Response:
        """POST /api/backup: not from here."""
        return refusal(400, BACKUPS)

    async def no_shift(self, visit: Visit) -> web.Response:
        """POST /api/shifts/start, /api/shifts/end: nobody has to."""
        return refusal(400, SHIFTS)

    async def _keep(self, user: User, settings: dict[str, Any]) -> User:
        preferences = own_settings.with_asset_pages(user.preferences, settings)
        return await self._accounts.change(user, preferences=preferences)


def _himself(visit: Visit) -> User:
    if visit.params["id"] not in (visit.user.id, "me", "profile"):
        raise absent("User")
    return visit.user


def _settings(user: User) -> Document:
    kept = own_settings.of_asset_pages(user.preferences).get(SETTINGS)
    return USUAL | (kept if isinstance(kept, dict) else {})

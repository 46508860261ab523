"""The older app's webhooks: each tells of its account's devices alone, also when a device changes hands.

They are the hub's own webhooks (their messages too), signed over the very bytes that are sent, in the header the
older platform named; its own were never sent.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web
from msgspec.structs import replace

from edge.automation.hooks.hooks import Hooks
from edge.automation.hooks.model import HOOKS_MAX, Hook
from edge.compat.thingsnxt.door import Table, Visit, absent, check_id, naive, reply
from edge.compat.thingsnxt.names import Names
from edge.errors import BadInput, Busy, Conflict, NotFound
from edge.telemetry.widgets.model import new_id

WEBHOOKS = 5  # of one account
ACCOUNTS_WEBHOOKS = HOOKS_MAX - 10  # of all accounts: technicians need some
ALL, ONE = "app, all devices, ", "app, one device, "
"""How the names begin; it tells what a hook follows when devices come and go."""

PERSON = "user:"  # how the name of a person begins who made one
STARS = "***"  # what is shown of a secret

EVENTS = {
    "telemetry_update": ("reading",),
    "status_update": ("device",),
    "device_status": ("device",),
    "all": ("reading", "device"),
}
"""What the app's events are here."""


class NewWebhook(msgspec.Struct):
    """POST /webhooks."""

    url: str
    events: list[str] | None = None
    secret: str | None = None
    device_id: str | None = None
    active: bool | None = True


class ChangedWebhook(msgspec.Struct):
    """PATCH /webhooks/{id}."""

    url: str | msgspec.UnsetType | None = msgspec.UNSET
    events: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    active: bool | msgspec.UnsetType | None = msgspec.UNSET
    secret: str | msgspec.UnsetType | None = msgspec.UNSET


_new = msgspec.json.Decoder(NewWebhook, strict=False)
_changed = msgspec.json.Decoder(ChangedWebhook, strict=False)


class ThingsWebhooks:
    """The app's webhooks over the hub's."""

    def __init__(self, hooks: Hooks, names: Names) -> None:
        self._hooks, self._names = hooks, names

    def table(self) -> Table:
        """What people may ask."""
        return {
            ("GET", "/webhooks"): self.every,
            ("POST", "/webhooks"): self.add,
            ("GET", "/webhooks/{id}"): self.one,
            ("PATCH", "/webhooks/{id}"): self.change,
            ("DELETE", "/webhooks/{id}"): self.delete,
        }

    async def every(self, visit: Visit) -> web.Response:
        """GET /webhooks: newest first, without secrets."""
        counts = await self._hooks.counts()
        return reply({"webhooks": [self._document(hook, counts) for hook in reversed(self._of(visit.actor))]})

    async def add(self, visit: Visit) -> web.Response:
        """POST /webhooks: its secret is shown this once."""
        wanted = visit.read(_new)
        only = check_id(wanted.device_id, "Device") if wanted.device_id else ""
        admit = self._admission(visit, only, enabled=wanted.active is not False)
        hook = await self._hooks.add(
            (ONE if only else ALL) + new_id(),
            wanted.url,
            _events(wanted.events or ["telemetry_update"]),
            secret=wanted.secret or "",
            actor=visit.actor,
            admit=admit,
        )
        hook = await self._followed(hook)  # a device may have gone to somebody else while it was written
        return reply({**self._document(hook, {}), "secret": hook.secret})

    def _admission(self, visit: Visit, only: str, *, enabled: bool) -> Callable[[Hook], Hook]:
        """What lets a new hook in: of the devices the account has by then, or of the one with the id `only`."""

        def admit(hook: Hook) -> Hook:
            own = [self._names.owned(visit.user.id, only)] if only else self._names.of_owner(visit.user.id)
            if not own:
                raise BadInput("Add a device first: a webhook tells of your devices.")
            if len(self._of(visit.actor)) >= WEBHOOKS:
                raise Conflict(f"An account has at most {WEBHOOKS} webhooks.")
            if sum(one.created_by.startswith(PERSON) for one in self._hooks.all()) >= ACCOUNTS_WEBHOOKS:
                raise Busy(f"All accounts of this site have {ACCOUNTS_WEBHOOKS} webhooks; there are no more.")
            return replace(hook, devices=frozenset(device.id for device in own), enabled=enabled)

        return admit

    async def one(self, visit: Visit) -> web.Response:
        """GET /webhooks/{id}."""
        return reply(self._document(self._own(visit), await self._hooks.counts()))

    async def change(self, visit: Visit) -> web.Response:
        """PATCH /webhooks/{id}: url, events, active."""
        hook, wanted = self._own(visit), visit.read(_changed)
        changes: dict[str, object] = {}
        if isinstance(wanted.secret, str) and wanted.secret not in ("", STARS):
            raise BadInput("A secret is given when a webhook is made: remove this one and add another.")
        if isinstance(wanted.url, str):
            changes["url"] = wanted.url
        if isinstance(wanted.events, list):
            changes["events"] = _events(wanted.events)
        if isinstance(wanted.active, bool):
            changes["enabled"] = wanted.active
        if not changes:
            return reply({"message": "no_changes", "webhook": self._document(hook, {})})
        changed = await self._hooks.change(hook, changes, actor=visit.actor, admit=self._of_its_owner)
        return reply(self._document(await self._followed(changed), await self._hooks.counts()))

    async def delete(self, visit: Visit) -> web.Response:
        """DELETE /webhooks/{id}."""
        await self._hooks.delete(self._own(visit), actor=visit.actor)
        return reply({"message": "Webhook deleted"})

    async def follow_owners(self) -> None:
        """Let every app's webhook tell of just the devices its account has now; off while that is none."""
        for hook in self._hooks.all():
            if hook.name.startswith((ALL, ONE)):
                await self._followed(hook)

    async def drop_owners(self, is_gone: Callable[[str], bool]) -> None:
        """Remove what accounts that are gone have left: others need the places."""
        for hook in self._hooks.all():
            if hook.created_by.startswith(PERSON) and is_gone(hook.created_by.removeprefix(PERSON)):
                with contextlib.suppress(NotFound):  # it has been removed meanwhile
                    await self._hooks.delete(hook, actor="account deleted")

    async def _followed(self, hook: Hook) -> Hook:
        """It as it stands now, once it is of its owner's devices."""
        fitting = self._of_its_owner(hook)
        if fitting == hook:
            return hook
        changes = {"devices": fitting.devices} if fitting.enabled == hook.enabled else {"enabled": False}
        try:
            return await self._hooks.change(hook, changes, actor="owner changed", admit=self._of_its_owner)
        except NotFound:  # it has been removed meanwhile
            return fitting

    def _of_its_owner(self, hook: Hook) -> Hook:
        """It as it may be: of devices its account has, off without any. A hook of one device follows no other."""
        own = {device.id for device in self._names.of_owner(hook.created_by.removeprefix(PERSON))}
        allowed = frozenset(own & hook.devices if hook.name.startswith(ONE) else own)
        return replace(hook, devices=allowed) if allowed else replace(hook, enabled=False)

    def _of(self, actor: str) -> list[Hook]:
        mine = (hook for hook in self._hooks.all() if hook.created_by == actor)
        return [hook for hook in mine if hook.name.startswith((ALL, ONE))]

    def _own(self, visit: Visit) -> Hook:
        asked = visit.params["id"]
        for hook in self._of(visit.actor):
            if hook.id == asked:
                return hook
        raise absent("Webhook")

    def _document(self, hook: Hook, counts: dict[tuple[str, str], int]) -> dict[str, Any]:
        one = next(iter(hook.devices), "") if hook.name.startswith(ONE) else ""
        return {
            "_id": hook.id,
            "id": hook.id,
            "user_id": hook.created_by.removeprefix(PERSON),
            "url": hook.url,
            "events": _names_of(hook.events),
            "secret": STARS,
            "device_id": self._names.id_of_known(one) or None,
            "active": hook.enabled,
            "created_at": naive(hook.created_us),
            "trigger_count": counts.get((hook.id, "delivered"), 0),
            "error_count": counts.get((hook.id, "dead"), 0),
        }


def _names_of(events: tuple[str, ...]) -> list[str]:
    """The first name of just these events."""
    return [name for name, groups in EVENTS.items() if groups == events][:1]


def _events(names: list[str]) -> tuple[str, ...]:
    """The hub's events for the app's. Raises BadInput."""
    unknown = [name for name in names if name not in EVENTS]
    if unknown or not names:
        raise BadInput(f"Events are {', '.join(EVENTS)}.")
    return tuple(sorted({group for name in names for group in EVENTS[name]}, reverse=True))

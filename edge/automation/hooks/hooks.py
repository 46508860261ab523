"""The webhooks of this hub: made, changed, and what is to be sent put into the outbox.

What the ledger tells (ends of commands, vends) is turned into messages by its number, in one transaction with how
far that has come: whatever is killed when, each fact becomes one message. Readings, and devices that come and go,
become messages as they happen, readings one for each hook and second; a kill may cost those of the last second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec

from edge.access.accounts.model import passed_ms
from edge.automation.hooks import store as sql
from edge.automation.hooks.model import (
    HOOKS_MAX,
    OLD_SECRET_S,
    Delivery,
    Hook,
    Message,
    check_events,
    check_list,
    check_name,
    check_secret,
    new_id,
    new_secret,
)
from edge.bus import Bus, Event
from edge.clock import Clock, iso
from edge.errors import Busy, Conflict, NotFound
from edge.outbound import NotPublic, Outbound, checked_url
from edge.store.database import Database
from edge.store.transaction import Transaction


class HookChanged(Event, frozen=True, kw_only=True):
    """A webhook is new, changed or gone, or something has happened to one of its messages."""

    hook_id: str


class Wake(Protocol):
    """Called when something waits for a hook."""

    def __call__(self, hook_id: str, *, hurry: bool = False) -> None:
        """Something new waits; with `hurry`, do not pause any longer."""


def _nobody(hook_id: str, *, hurry: bool = False) -> None:
    """Before there is a sender."""


def as_asked(hook: Hook) -> Hook:
    """A hook that nobody looks at once more."""
    return hook


class Hooks:
    """Every webhook. `names(device_id)` is what a device is called; `site` is this site's name."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        clock: Clock,
        outbound: Outbound,
        *,
        site: str,
        names: Callable[[str], str],
    ) -> None:
        self._db, self._bus, self._clock, self._outbound = database, bus, clock, outbound
        self._site, self._names = site, names
        self._hooks: dict[str, Hook] = {}
        self._changing = asyncio.Lock()
        self._wake: Wake = _nobody
        self.position = 0  # of the ledger, turned into messages

    def wake_with(self, wake: Wake) -> None:
        """Call `wake` when something new waits for a hook, or it is to be tried at once."""
        self._wake = wake

    async def start(self) -> None:
        """Load every hook."""
        hooks, self.position = await self._db.write(sql.load)
        self._hooks = {hook.id: hook for hook in hooks}

    def all(self) -> list[Hook]:
        """Every hook, the oldest first."""
        return list(self._hooks.values())

    def find(self, hook_id: str) -> Hook | None:
        """The hook with exactly this id."""
        return self._hooks.get(hook_id)

    def get(self, id_or_name: str) -> Hook:
        """The hook with this id or name. Raises NotFound."""
        found = self._hooks.get(id_or_name) or next((h for h in self.all() if h.name == id_or_name), None)
        if found is None:
            raise NotFound(f"There is no webhook {id_or_name[:100]!r}.", hint="`outpost hook list` shows them all.")
        return found

    def secrets(self, hook: Hook) -> list[str]:
        """What its messages are signed with now, the newest first."""
        old = hook.old_secret and hook.changed and passed_ms(hook.changed, self._clock.now()) < OLD_SECRET_S * 1000
        return [hook.secret, hook.old_secret] if old else [hook.secret]

    # --- changing hooks

    async def add(
        self,
        name: str,
        url: str,
        events: Iterable[str],
        *,
        devices: Iterable[str] = (),
        keys: Iterable[str] = (),
        secret: str = "",
        actor: str,
        admit: Callable[[Hook], Hook] = as_asked,
    ) -> Hook:
        """A new webhook; it hears of what happens from now on. Raises BadInput, NotPublic, Conflict, Busy.

        `admit` gives the hook as it shall be, or raises. It is asked twice, since to look the address up may take
        seconds: before that, and in the end, while no other hook changes.
        """
        hook = Hook(
            id=new_id("hook"),
            name=check_name(name),
            url=url,
            events=check_events(list(events)),
            devices=check_list(list(devices), "devices"),
            keys=check_list(list(keys), "keys"),
            secret=check_secret(secret) if secret else new_secret(),
            from_seq=self._db.writer.facts,
            created_us=self._clock.now().at_us,
            created_by=actor,
        )
        admit(hook)
        await self._check(url)
        async with self._changing:
            if len(self._hooks) >= HOOKS_MAX:
                raise Busy(f"There are {HOOKS_MAX} webhooks already.", hint="Remove one: `outpost hook remove`.")
            hook = admit(hook)
            self._require_free(hook)
            return await self._save(hook, "hook.created", actor, host=checked_url(hook.url).host)

    async def change(
        self,
        hook: Hook,
        changes: Mapping[str, object],
        *,
        actor: str,
        admit: Callable[[Hook], Hook] = as_asked,
    ) -> Hook:
        """Change what is given of name, url, events, devices, keys, enabled. `admit` and errors as with `add`."""
        checked = dict(changes)
        if "url" in checked:
            await self._check(str(checked["url"]))
        async with self._changing:
            now = self.get(hook.id)
            if checked.get("enabled") and not now.enabled:
                checked["from_seq"] = (
                    self._db.writer.facts
                )  # what happened while it was off is none of its business
            changed = admit(msgspec.structs.replace(now, **checked))
            self._require_free(changed)
            return await self._save(changed, "hook.changed", actor, changed=sorted(changes))

    async def rotate(self, hook: Hook, *, actor: str) -> Hook:
        """A new secret; for OLD_SECRET_S messages are signed with the one before, too."""
        async with self._changing:
            now = self.get(hook.id)
            changed = msgspec.structs.replace(
                now, secret=new_secret(), old_secret=now.secret, changed=self._clock.now()
            )
            return await self._save(changed, "hook.secret_changed", actor)

    async def delete(self, hook: Hook, *, actor: str) -> None:
        """Forget a hook and what waits for it."""

        def work(tx: Transaction) -> None:
            sql.delete(tx, hook, actor)
            tx.after(lambda: self._gone(hook))

        async with self._changing:
            self.get(hook.id)
            await self._db.write(work)

    # --- the outbox

    async def put(self, deliveries: list[Delivery], *, upto: int | None = None) -> None:
        """Put messages into the outbox; with `upto`, the ledger up to that number is done with."""

        def work(tx: Transaction) -> None:
            sql.enqueue(tx, deliveries)
            if upto is not None:
                sql.move(tx, upto)
            tx.after(lambda: self._woken(deliveries, upto))

        await self._db.write(work)

    def message(self, hook: Hook, kind: str, at_us: int, device_id: str, data: object) -> Delivery:
        """A message for one hook, its body made."""
        delivery_id = new_id("dlv")
        device = {"id": device_id, "name": self._names(device_id)} if device_id else None
        message = Message(id=delivery_id, event=kind, at=iso(at_us), site=self._site, device=device, data=data)
        return Delivery(
            id=delivery_id, hook_id=hook.id, event=kind, body=message.body(), created_us=self._clock.now().at_us
        )

    async def test(self, hook: Hook) -> Delivery:
        """Send a message that says nothing but that it is a test."""
        at_us = self._clock.now().at_us
        delivery = self.message(hook, "test", at_us, "", {"text": "A test from Outpost."})
        await self.put([delivery])
        return await self.delivery(hook, delivery.id)

    async def delivery(self, hook: Hook, delivery_id: str) -> Delivery:
        """One message of a hook. Raises NotFound."""
        rows = await self._db.read(sql.ONE, (delivery_id,))
        found = sql.delivery(rows[0]) if rows else None
        if found is None or found.hook_id != hook.id:
            raise NotFound(f"There is no delivery {delivery_id[:100]!r}.", hint="`outpost hook deliveries HOOK`.")
        return found

    async def deliveries(
        self, hook: Hook, *, state: str = "", before: int | None = None, limit: int
    ) -> tuple[list[Delivery], str | None]:
        """A hook's messages, newest first, and the cursor of the next page."""
        rows = await self._db.read(*sql.listed(hook.id, state, before, limit))
        found = [sql.delivery(row) for row in rows]
        return found, str(found[-1].number) if len(found) == limit else None

    async def counts(self) -> dict[tuple[str, str], int]:
        """How many messages there are of each hook in each state; of state `dropped`, those that made room."""
        counted = {(str(row[0]), str(row[1])): int(row[2]) for row in await self._db.read(sql.COUNTS)}
        dropped = {(str(row[0]), "dropped"): int(row[1]) for row in await self._db.read(sql.DROPPED)}
        return {**counted, **dropped}

    async def retry(self, hook: Hook, delivery_id: str = "") -> int:
        """Send a dead message again, or all of them; how many there are. Raises NotFound, Conflict."""
        if delivery_id and (await self.delivery(hook, delivery_id)).state != "dead":
            raise Conflict("Only a dead delivery is sent again.", hint="A waiting one is tried again by itself.")
        count = await self._db.write(lambda tx: sql.revive(tx, hook.id, delivery_id))
        self._wake(hook.id, hurry=True)
        return count

    async def _check(self, url: str) -> None:
        """Whether it may be used. A name that has no address now is taken: it may have one later."""
        target = checked_url(url)
        try:
            await self._outbound.vetted(target)
        except NotPublic as error:
            error.advice = "Allow its network in hooks.allow, if it is meant: docs/webhooks.md."
            raise
        except OSError:
            pass

    def _require_free(self, hook: Hook) -> None:
        if any(other.name == hook.name and other.id != hook.id for other in self.all()):
            raise Conflict(f"There is a webhook named {hook.name!r} already.", hint="Give another name.")

    async def _save(self, hook: Hook, fact: str, actor: str, **body: object) -> Hook:
        def work(tx: Transaction) -> None:
            sql.save(tx, hook, fact, actor, **body)
            tx.after(lambda: self._kept(hook))

        await self._db.write(work)
        return hook

    def _kept(self, hook: Hook) -> None:
        self._hooks[hook.id] = hook
        self._wake(hook.id, hurry=True)
        self._bus.publish(HookChanged(hook_id=hook.id))

    def _gone(self, hook: Hook) -> None:
        self._hooks.pop(hook.id, None)
        self._wake(hook.id, hurry=True)
        self._bus.publish(HookChanged(hook_id=hook.id))

    def _woken(self, deliveries: list[Delivery], upto: int | None) -> None:
        if upto is not None:
            self.position = upto
        for hook_id in {delivery.hook_id for delivery in deliveries}:
            self._wake(hook_id)

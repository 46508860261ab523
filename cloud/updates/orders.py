"""What hubs are told of rollouts: by their inboxes, in the transaction that decides it.

A hub gets for its devices of a wave one order, which names the artifact; it fetches that once and serves its site.
An order that nobody took in time is over, at the hub as here.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.sync.inbox import Inbox
from cloud.updates import target_store as targets
from cloud.updates.steps import good_until_us
from edge.clock import Clock
from edge.errors import Busy, Conflict, NotFound
from edge.windows import is_open
from edge.wire.updates import ENDED, REASON_CHARS, Plan, Step, Target

KIND = "firmware"
GRACE_S = 120.0  # for the hub's own word of a device's silence to come before the centre concludes it
WORD_TTL_US = 30 * 86_400 * 1_000_000  # of orders that only stop something
WAITS = "The rollout was paused before anybody had this."
NEWER_WORD = "Something else was said of the rollout since."


class Orders:
    """Those of one transaction; `wake` is to follow its end."""

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self._inbox, self._clock = inbox, clock
        self._sites: set[int] = set()

    def wake(self) -> None:
        """Tell the hubs of what was put."""
        for site_id in self._sites:
            self._inbox.tell(site_id)

    async def offer(
        self,
        connection: AsyncConnection,
        rollout: RowMapping,
        plan: Plan,
        rows: Sequence[RowMapping],
        zones: dict[int, ZoneInfo],
        watched_s: float,
    ) -> bool:
        """Order for devices that wait, at those sites whose window is open (`zones`: their timezones); whether some
        ended instead."""
        now_us, ended = self._clock.now().at_us, False
        for site_id, some in sorted(by_site(rows).items()):
            zone = zones.get(site_id, ZoneInfo("UTC"))
            if not is_open(plan.window, now_us, zone):
                continue
            why = await self._offer_at(connection, rollout, plan, site_id, some, zone, watched_s)
            if why is not None:
                step, reason = why
                ended = True
                await targets.move_all(
                    connection, rollout["tenant_id"], some, step=step, reason=reason, changed_us=now_us
                )
        return ended

    async def _offer_at(
        self,
        connection: AsyncConnection,
        rollout: RowMapping,
        plan: Plan,
        site_id: int,
        rows: Sequence[RowMapping],
        zone: ZoneInfo,
        watched_s: float,
    ) -> tuple[str, str] | None:
        """The step these devices are at where nothing could be ordered, and why; else None."""
        now_us = self._clock.now().at_us
        until_us = good_until_us(now_us, plan.deadline_s, plan.window, zone)
        chosen = (
            len(msgspec.json.decode(rollout["target"], type=Target).devices) == 1
        )  # a person wants this very one
        body = {
            "do": "offer",
            "rollout": rollout["id"],
            "name": rollout["name"],
            "artifact": rollout["artifact"],
            "devices": [row["device"] for row in rows],
            "again": [row["device"] for row in rows if row["attempt"] or chosen],
            "deadline_s": plan.deadline_s,
            "attempts": plan.attempts,
            "window": plan.window,
            "until_us": until_us,
        }
        try:
            item = await self._put(connection, site_id, body, rollout["created_by"], until_us)
        except (Conflict, NotFound) as error:  # revoked, or gone
            step = Step.FAILED if isinstance(error, Busy) else Step.WITHDRAWN
            return step.value, error.detail[:REASON_CHARS]
        by_attempt = defaultdict(list)
        for row in rows:
            by_attempt[row["attempt"]].append(row)
        for attempt, some in by_attempt.items():
            await targets.move_all(
                connection,
                rollout["tenant_id"],
                some,
                step=Step.OFFERED.value,
                attempt=attempt + 1,
                reason="",
                item=item,
                deadline_s=watched_s + plan.deadline_s + GRACE_S,
                left_s=None,
                changed_us=now_us,
            )
        return None

    async def pause(
        self, connection: AsyncConnection, rollout: RowMapping, rows: Iterable[RowMapping], actor: str
    ) -> None:
        """Let hubs offer nothing more of a rollout for now. `rows`: all of its devices for which there ever was an
        order. One that no hub has had is taken back, and its devices wait again."""
        for site_id, some in sorted(by_site(rows).items()):
            if not await self._take_back(connection, rollout["tenant_id"], site_id, some):
                await self._word(connection, site_id, {"do": "pause", "rollout": rollout["id"]}, actor)

    async def _take_back(
        self, connection: AsyncConnection, tenant_id: int, site_id: int, rows: Sequence[RowMapping]
    ) -> bool:
        """Whether no order for these devices of a site was ever handed to its hub."""
        by_order: defaultdict[tuple[str, int], list[RowMapping]] = defaultdict(list)
        for row in rows:
            by_order[row["item"], row["attempt"]].append(row)
        untouched: dict[str, bool] = {}
        for (item, attempt), some in sorted(by_order.items()):
            if item not in untouched:
                untouched[item] = await self._inbox.take_back(connection, tenant_id, site_id, item, WAITS)
            if untouched[item]:
                waits = {"step": Step.WAITING.value, "attempt": max(0, attempt - 1), "item": "", "reason": ""}
                open_ones = [row for row in some if row["step"] not in ENDED]
                await targets.move_all(connection, tenant_id, open_ones, **waits, deadline_s=None, left_s=None)
        return all(untouched.values())

    async def resume(
        self,
        connection: AsyncConnection,
        rollout: RowMapping,
        plan: Plan,
        zones: dict[int, ZoneInfo],
        sites: Collection[int],
        actor: str,
    ) -> None:
        """Let hubs go on with what they were offering, at these sites."""
        now_us = self._clock.now().at_us
        for site_id in sorted(sites):
            zone = zones.get(site_id, ZoneInfo("UTC"))
            until_us = good_until_us(now_us, plan.deadline_s, plan.window, zone)
            body = {"do": "resume", "rollout": rollout["id"], "until_us": until_us}
            await self._word(connection, site_id, body, actor)

    async def stop(
        self, connection: AsyncConnection, rollout: RowMapping, rows: Iterable[RowMapping], reason: str, actor: str
    ) -> None:
        """Take back at the hubs what has ended here without their word: a hub that nothing tells the time may be
        offering it still. `rows`: devices for which there was an order."""
        for site_id, some in sorted(by_site(rows).items()):
            names = [row["device"] for row in some]
            body = {"do": "withdraw", "rollout": rollout["id"], "devices": names, "reason": reason}
            await self._say(connection, site_id, body, actor)

    async def withdraw(
        self, connection: AsyncConnection, tenant_id: int, rows: Iterable[RowMapping], reason: str, actor: str
    ) -> None:
        """Take back what was ordered for these devices, which are open. What no hub has had is over at once; of the
        rest the hubs say what became of it: a device that has switched goes on."""
        now_us = self._clock.now().at_us
        by_order: defaultdict[tuple[int, str, str], list[RowMapping]] = defaultdict(list)
        unasked = []
        for row in rows:
            if row["item"] and row["step"] != Step.WAITING:
                by_order[row["site_id"], row["rollout"], row["item"]].append(row)
            else:
                unasked.append(row)
        for (site_id, rollout, item), some in sorted(by_order.items(), key=lambda pair: pair[0]):
            open_there = await targets.by_items(connection, tenant_id, site_id, [item])
            whole = {row["device"] for row in open_there} <= {row["device"] for row in some}
            if whole and await self._inbox.take_back(connection, tenant_id, site_id, item, reason):
                unasked += some
                continue
            body = {
                "do": "withdraw",
                "rollout": rollout,
                "devices": [row["device"] for row in some],
                "reason": reason,
            }
            if not await self._say(connection, site_id, body, actor):
                unasked += some
        withdrawn = {"step": Step.WITHDRAWN.value, "reason": reason, "changed_us": now_us, "deadline_s": None}
        await targets.move_all(connection, tenant_id, unasked, **withdrawn, left_s=None)

    async def _word(self, connection: AsyncConnection, site_id: int, body: dict[str, Any], actor: str) -> None:
        """Say `pause` or `resume`: the last word alone waits for a hub that is away."""
        begin = f"fw_{body['rollout']}_"
        try:
            site = await self._inbox.lock(connection, site_id)
        except (Conflict, NotFound):  # revoked, or gone: there is nobody to be told
            return
        await self._inbox.take_back_words(connection, site["tenant_id"], site_id, begin, NEWER_WORD)
        await self._say(connection, site_id, body, actor, begin=begin)

    async def _say(
        self, connection: AsyncConnection, site_id: int, body: dict[str, Any], actor: str, begin: str = "fw_"
    ) -> bool:
        """Whether it could be put: there is nobody to be told at a site that was revoked. A word that stops
        something has always room, however much waits for the site."""
        expires_us = self._clock.now().at_us + WORD_TTL_US
        try:
            await self._put(connection, site_id, body, actor, expires_us, begin=begin, urgent=True)
        except (Conflict, NotFound):
            return False
        return True

    async def _put(
        self,
        connection: AsyncConnection,
        site_id: int,
        body: dict[str, Any],
        actor: str,
        expires_us: int,
        *,
        begin: str = "fw_",
        urgent: bool = False,
    ) -> str:
        """Put an order; the item's id. Raises Conflict, NotFound, and Busy unless it is `urgent`."""
        item = f"{begin}{secrets.token_hex(8)}"
        site = await self._inbox.lock(connection, site_id)
        await self._inbox.put(
            connection, site, KIND, body, item_id=item, actor=actor, expires_us=expires_us, urgent=urgent
        )
        self._sites.add(site_id)
        return item


def by_site(rows: Iterable[RowMapping]) -> dict[int, list[RowMapping]]:
    """Devices by their sites."""
    found: defaultdict[int, list[RowMapping]] = defaultdict(list)
    for row in rows:
        found[row["site_id"]].append(row)
    return found

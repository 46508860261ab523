"""What holds for all assets of the site: reasons that may be given to stops, shifts, planned time.

All are held in memory and changed after their commit. A change that changes nothing leaves no fact.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

import msgspec

from edge.assets import calendar, planning
from edge.assets.defined import forms
from edge.assets.defined import store as sql
from edge.assets.events import RulesChanged
from edge.assets.model import Span
from edge.clock import Clock
from edge.errors import Conflict, NotFound
from edge.store.database import Database
from edge.store.transaction import Transaction, Within, nothing
from edge.wire.assets import (
    PLANNED_MAX,
    REASONS_MAX,
    SHIFTS_MAX,
    AssetRules,
    PlannedView,
    ReasonView,
    SetPlanned,
    SetReason,
    SetShift,
    ShiftView,
)

SUBJECT = "rules"  # of the fact, and the id of the row that head office is sent


class Rules:
    """The rules of one site; `clock` for times such as -24h."""

    def __init__(self, database: Database, clock: Clock, zone: ZoneInfo) -> None:
        self._db, self._clock, self._zone = database, clock, zone
        self._reasons: dict[str, ReasonView] = {}
        self._shifts: dict[str, ShiftView] = {}
        self._planned: dict[str, PlannedView] = {}
        self._calendar: list[calendar.Planned] = []
        self._changing = asyncio.Lock()  # one change at a time, each made to what is so by then

    async def start(self) -> None:
        """Load all."""
        reasons, shifts, planned = await self._db.write(
            lambda tx: (sql.reasons(tx), sql.shifts(tx), sql.planned(tx))
        )
        self._reasons = {reason.id: reason for reason in reasons}
        self._keep_shifts(shifts)
        self._plan({rule.id: rule for rule in planned})

    # --- looking

    def rules(self) -> AssetRules:
        """All of them, as head office has them too."""
        return AssetRules(
            timezone=self._zone.key,
            reasons=list(self._reasons.values()),
            shifts=list(self._shifts.values()),
            planned=list(self._planned.values()),
        )

    def reason(self, reason_id: str) -> ReasonView:
        """One that may be, or could once be, given to a stop. Raises NotFound."""
        if reason_id not in self._reasons:
            hint = "`outpost reason list` shows them; `outpost reason set ID NAME` adds one."
            raise NotFound(f"There is no reason {reason_id[:40]!r}.", hint=hint)
        return self._reasons[reason_id]

    def shift(self, shift_id: str) -> ShiftView:
        """One shift. Raises NotFound."""
        if shift_id not in self._shifts:
            hint = "`outpost shift list` shows them; `outpost shift set ID` adds one."
            raise NotFound(f"There is no shift {shift_id[:40]!r}.", hint=hint)
        return self._shifts[shift_id]

    def planned_spans(self, asset_id: str, span: Span) -> list[Span]:
        """When an asset need not run, within a span: in order, none overlaps or touches the next."""
        return calendar.planned_spans(self._calendar, asset_id, self._zone, span)

    # --- changing

    async def set_reason(
        self, reason_id: str, wanted: SetReason, *, actor: str, within: Within = nothing
    ) -> ReasonView:
        """Make a reason, call it otherwise, or retire it. Raises BadInput, Conflict."""
        reason = forms.reason(reason_id, wanted)
        async with self._changing:
            _require_room(self._reasons, reason.id, REASONS_MAX, "reasons")

            def work(tx: Transaction) -> None:
                within(tx)
                if self._reasons.get(reason.id) != reason:
                    sql.save_reason(tx, reason)
                    tx.after(lambda: self._reasons.update({reason.id: reason}))
                    _tell(tx, "reason", reason, actor)

            await self._db.write(work)
        return reason

    async def set_shift(
        self, shift_id: str, wanted: SetShift, *, actor: str, within: Within = nothing
    ) -> ShiftView:
        """Make a shift, or another of it. Raises BadInput, Conflict."""
        shift = forms.shift(shift_id, wanted)
        async with self._changing:
            _require_room(self._shifts, shift.id, SHIFTS_MAX, "shifts")

            def work(tx: Transaction) -> None:
                within(tx)
                if self._shifts.get(shift.id) != shift:
                    sql.save_shift(tx, shift)
                    tx.after(lambda: self._keep_shifts([*self._shifts.values(), shift]))
                    _tell(tx, "shift", shift, actor)

            await self._db.write(work)
        return shift

    async def remove_shift(self, shift_id: str, *, actor: str, within: Within = nothing) -> None:
        """Have a shift no more; nothing that was seen changes by it. Raises NotFound."""
        async with self._changing:
            shift = self.shift(shift_id)

            def work(tx: Transaction) -> None:
                within(tx)
                sql.remove_shift(tx, shift.id)
                tx.after(lambda: self._keep_shifts([kept for kept in self._shifts.values() if kept != shift]))
                _tell_removed(tx, "shift", shift.id, actor)

            await self._db.write(work)

    async def set_planned(
        self, rule_id: str, wanted: SetPlanned, *, actor: str, within: Within = nothing
    ) -> PlannedView:
        """Say when assets, named by their ids, need not run: weekly or once. Raises BadInput, Conflict."""
        rule, once = forms.planned(rule_id, wanted, self._clock.now().at_us)
        async with self._changing:
            _require_room(self._planned, rule.id, PLANNED_MAX, "planned times")

            def work(tx: Transaction) -> None:
                within(tx)
                before = self._planned.get(rule.id)
                if before != rule:
                    sql.save_planned(tx, rule, once)
                    tx.after(lambda: self._plan({**self._planned, rule.id: rule}))
                    changed = [rule] if before is None else [before, rule]
                    _tell(tx, "planned", rule, actor, planned_from_us=self._earliest(changed))

            await self._db.write(work)
        return rule

    async def remove_planned(self, rule_id: str, *, actor: str, within: Within = nothing) -> None:
        """Have planned time no more: what was planned by it counts as stopped or unknown. Raises NotFound."""
        async with self._changing:
            rule = self._planned.get(rule_id)
            if rule is None:
                hint = "`outpost planned list` shows them."
                raise NotFound(f"There is no planned time {rule_id[:40]!r}.", hint=hint)

            def work(tx: Transaction) -> None:
                within(tx)
                sql.remove_planned(tx, rule.id)
                tx.after(lambda: self._plan({key: kept for key, kept in self._planned.items() if key != rule.id}))
                _tell_removed(tx, "planned", rule.id, actor, planned_from_us=self._earliest([rule]))

            await self._db.write(work)

    # --- inside

    def _keep_shifts(self, shifts: Iterable[ShiftView]) -> None:
        self._shifts = {shift.id: shift for shift in shifts}

    def _plan(self, rules: dict[str, PlannedView]) -> None:
        self._planned, self._calendar = rules, planning.planned(rules.values())

    def _earliest(self, changed: list[PlannedView]) -> int:
        """From when on these rules say anything."""
        begins = [0 if rule.once is None else rule.once[0] for rule in planning.planned(changed)]
        return min(begins)


def _require_room(there: Mapping[str, object], one: str, most: int, what: str) -> None:
    if one not in there and len(there) >= most:
        raise Conflict(f"A site has at most {most} {what}.", hint="Use one that is there.")


def _tell(
    tx: Transaction,
    what: str,
    view: ReasonView | ShiftView | PlannedView,
    actor: str,
    planned_from_us: int | None = None,
) -> None:
    tx.fact("asset.rules", SUBJECT, what=what, now=msgspec.to_builtins(view), by=actor)
    tx.tell(RulesChanged(planned_from_us=planned_from_us))


def _tell_removed(tx: Transaction, what: str, one: str, actor: str, planned_from_us: int | None = None) -> None:
    tx.fact("asset.rules", SUBJECT, what=what, removed=one, by=actor)
    tx.tell(RulesChanged(planned_from_us=planned_from_us))

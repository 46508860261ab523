"""What people say of stops: a reason and a note, of a span of an asset's time. What was said is never changed;
of what overlaps a stop the entry said last counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from edge.assets.answers.asking import Explanation
from edge.assets.answers.stops import explanation_of
from edge.assets.defined import store as sql
from edge.assets.defined import texts
from edge.assets.defined.store import Explained
from edge.assets.events import StopExplained
from edge.assets.model import Span
from edge.clock import Clock, Stamp
from edge.errors import Rejected
from edge.store.database import Database
from edge.store.transaction import Transaction, Within
from edge.wire.assets import ReasonView


class Explanations:
    """Everything that was said. The asset and the reason are known to whoever calls."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock
        self._last: dict[str, tuple[int, str]] = {}  # by asset: the stop looked up last, and its reason
        self._said: Counter[str] = Counter()  # by asset, since the start

    async def of(self, assets: Iterable[str], span: Span) -> list[Explanation[str]]:
        """What was said of spans that overlap this one, the entry said last behind all others."""
        rows = await self._db.read(sql.EXPLANATIONS, (sql.asked(assets), *span))
        return self._dated(sql.explained(rows), span)

    async def reason_of(self, asset: str, span: Span) -> str:
        """The reason of the stop that has this span, '' for none; remembered, since a stop under way is asked of
        again and again."""
        known, said = self._last.get(asset), self._said[asset]
        if known is not None and known[0] == span[0]:
            return known[1]
        last = explanation_of(span, await self.of([asset], span))
        reason = last.reason if last else ""
        if self._said[asset] == said:
            self._last[asset] = span[0], reason
        return reason

    async def add(
        self, asset: str, span: Span, reason: ReasonView | None, note: str, *, actor: str, within: Within
    ) -> Explanation[str]:
        """Say a reason of a span, None to take away what was said; once, however often it is repeated.

        Raises BadInput for a note that cannot be kept, Rejected for a retired reason.
        """
        new = Explained(
            asset=asset,
            from_us=span[0],
            to_us=max(span[1], span[0] + 1),
            clock=_unset_at(span[0], self._clock.now()),
            reason=reason.id if reason else "",
            reason_name=reason.name if reason else "",
            note=texts.note(note),
            by=actor,
        )

        def work(tx: Transaction) -> Explanation[str]:
            within(tx)
            before = self._dated(sql.explanations_of(tx, asset, span), span)
            now = before[-1] if before else self._known(msgspec.structs.replace(new, reason="", note=""))
            if (now.reason, now.note) == (new.reason, new.note):
                return now
            if reason is not None and reason.retired:
                hint = "`outpost reason list` shows those that may be given."
                raise Rejected(f"The reason {reason.name} is retired.", hint=hint)
            kept = sql.explain(tx, new)
            tx.fact(
                "asset.explained",
                asset,
                asset=asset,
                from_us=kept.from_us,
                to_us=kept.to_us,
                clock=kept.clock or "",
                reason=kept.reason,
                reason_name=kept.reason_name,
                note=kept.note,
                by=actor,
            )
            tx.after(lambda: self._forget(asset))
            tx.tell(StopExplained(asset_id=asset))
            return self._known(kept)

        return await self._db.write(work)

    def _forget(self, asset: str) -> None:
        self._said[asset] += 1
        self._last.pop(asset, None)

    def _dated(self, found: Iterable[Explained], span: Span) -> list[Explanation[str]]:
        """Those of them that overlap the span, with the times they are really of."""
        known = (self._known(one) for one in found)
        return [one for one in known if one.from_us < span[1] and one.to_us > span[0]]

    def _known(self, one: Explained) -> Explanation[str]:
        when = self._db.boots.when
        from_us = when(one.from_us, one.clock)
        return Explanation(
            key=one.asset,
            from_us=from_us,
            to_us=one.to_us + from_us - one.from_us,
            reason=one.reason,
            reason_name=one.reason_name,
            note=one.note,
            by=one.by,
            said_us=when(one.said_us, one.said_clock),
        )


def _unset_at(at_us: int, now: Stamp) -> str | None:
    """The mark of the clock that gave a time, where that is the hub's of this boot and nothing has set it yet: a
    time since it began can then be no other's."""
    if now.quality.good:
        return None
    mono_ms = now.mono_ms - (now.at_us - at_us) // 1000
    return f"{now.boot_id} {mono_ms}" if 0 <= mono_ms <= now.mono_ms else None

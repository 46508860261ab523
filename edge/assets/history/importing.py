"""Takes over the assets, events and reasons of an older asset logger.

Its events become readings at their own times, as if its loggers had said them here, so that everything else follows
from them as from any reading. Where an event says how long something had lasted, its logger was there all the time:
signs of life are written in between. Where none says so, the time stays unknown.

All of it may come again: what is there already is not written a second time.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from edge.assets.answers.stops import explanation_of
from edge.assets.defined.definitions import Assets
from edge.assets.defined.wirings import Definition
from edge.assets.history import older_export as older
from edge.assets.model import ALIVE, SECOND_US, SHORT_STOP_S, SILENT_S, Span
from edge.clock import Clock, iso
from edge.devices.model import ALIAS_CHARS, Device
from edge.devices.registry import Registry
from edge.errors import NotFound, OutpostError, StorageError
from edge.wire.asset_export import ONCE_MORE, AssetExport, Record
from edge.wire.assets import NAME_CHARS, REASONS_MAX, AssetImport, NewAsset, SetReason
from edge.wire.values import TIME_MAX_US

SYSTEM, PROFILE = "assets", "asset-logger"  # whose ids its loggers have, and what they speak
SIGNS_MAX = 40_000  # written of a logger for one part: of so many a Pi takes some seconds
SIGNS_AT_ONCE = 10_000
LEFT_MAX = 50  # told one by one
AT_ONCE = 200  # reasons written together

Said = tuple[int, bool | int | float | str]


class Readings(Protocol):
    """Where readings are kept."""

    @property
    def floor_us(self) -> int:
        """Of what was before then readings have been let go: nothing follows any more from what is added there."""

    async def known(self, device_id: str, key: str, span: Span) -> set[Said]:
        """What is kept already of a key, by time and value, within a span."""

    async def keep(self, device: Device, key: str, values: Sequence[Said]) -> int:
        """Store values at their times; returns how many were taken."""


class Importing:
    """Takes in one part after the other."""

    def __init__(self, assets: Assets, registry: Registry, readings: Readings, clock: Clock) -> None:
        self._assets, self._registry, self._readings, self._clock = assets, registry, readings, clock
        self._one = asyncio.Lock()  # at a time: what is there already is looked up before it is written

    async def take(self, export: AssetExport, *, actor: str) -> AssetImport:
        """Take a part over. What cannot be used is left, and told. Raises StorageError where the disk took no more:
        what was taken stays, and the part may be sent again."""
        async with self._one:
            part = _Part(self._assets, self._registry, self._readings, actor)
            await part.define(export.loggers, export.assets)
            now = self._clock.now()
            await part.recall(export.events, now.at_us if now.quality.good else TIME_MAX_US)
            return AssetImport(
                assets=part.added, changes=part.changes, reasons=part.reasons, left=_bounded(part.left)
            )


class _Part:
    """One part as it is taken over; the three numbers are what was new in it."""

    def __init__(self, assets: Assets, registry: Registry, readings: Readings, actor: str) -> None:
        self._assets, self._registry, self._readings, self._actor = assets, registry, readings, actor
        self._known: dict[str, Definition] = {}  # by the id that the export has for it
        self.added = self.changes = self.reasons = 0
        self.left: list[str] = []

    async def define(self, loggers: Iterable[Record], machines: Iterable[Record]) -> None:
        """Have the assets there are, each wired to its logger from the beginning on."""
        by_id: dict[str, older.Logger] = {}
        for record in loggers:
            logger = older.logger(record)
            if logger is None:
                self.left.append("A logger without an id.")
                continue
            by_id |= dict.fromkeys(logger.ids, logger)
        for record in machines:
            machine = older.machine(record)
            if machine is None:
                name = older.text(record, "name", "id")[:40]
                self.left.append(f"Asset {name!r} has no id, or no pin that is a number.")
                continue
            named = by_id.get(machine.logger) or older.Logger((machine.logger,), machine.logger, "")
            try:
                await self._define(machine, named)
            except StorageError:
                raise
            except OutpostError as error:
                self.left.append(f"Asset {machine.name or machine.id}: {error.detail}")

    async def recall(self, records: Iterable[Record], now_us: int) -> None:
        """Take the events until now over."""
        found: dict[str, list[older.Past]] = {}
        for record in records:
            event = older.past(record, now_us)
            if isinstance(event, str):
                shown = older.text(record, "id", "timestamp")[:40]
                self.left.append(f"Event {shown!r}: {event}.")
            else:
                found.setdefault(event.machine, []).append(event)
        watched: dict[str, list[Span]] = {}
        for machine, events in found.items():
            asset = self._asset(machine)
            if asset is None:
                self.left.append(f"{len(events)} events of asset {machine[:40]!r}, which is not known.")
                continue
            fresh = [one for one in events if one.at_us >= self._readings.floor_us]
            if len(fresh) < len(events):
                since = iso(self._readings.floor_us)
                self.left.append(f"{len(events) - len(fresh)} events of {asset.name} from before {since}: too old.")
            await self._recall(asset, older.consistent(fresh), watched)
        for device_id, spans in watched.items():
            await self._sign(self._registry.known(device_id), spans)

    async def _define(self, machine: older.Machine, logger: older.Logger) -> None:
        asset_id = older.asset_id(machine.id)
        known = self._assets.find(asset_id)
        if known is None:
            device = await self._device(logger)
            if device is None:
                self.left.append(
                    f"Asset {machine.name or machine.id}: its logger is not known, or there is no room."
                )
                return
            known = self._assets.by_input(device.id, machine.input)
            if known is None or not known.named:
                wanted = NewAsset(
                    name=machine.name or f"{device.name} {machine.input}",
                    line=machine.line,
                    device=device.id,
                    input=machine.input,
                    short_stop_s=SHORT_STOP_S if machine.short_stop_s is None else machine.short_stop_s,
                    at=iso(0),
                )
                known = await self._assets.add(wanted, actor=self._actor, asset_id=asset_id)
                self.added += 1
        self._known[machine.id] = known

    async def _device(self, logger: older.Logger) -> Device | None:
        """The device that calls itself so; a new one waits for approval, as when the logger itself comes."""
        alias = logger.alias[:ALIAS_CHARS]
        if not alias:
            return None
        known = self._registry.by_alias(SYSTEM, alias)
        return known or await self._registry.take_in(SYSTEM, alias, PROFILE, name=logger.name, facts={})

    def _asset(self, machine: str) -> Definition | None:
        known = self._known.get(machine) or self._assets.find(older.asset_id(machine))
        if known is None:
            with contextlib.suppress(NotFound):
                known = self._assets.get(machine)
        return known

    async def _recall(
        self, asset: Definition, events: Sequence[older.Past], watched: dict[str, list[Span]]
    ) -> None:
        wiring, said = asset.asset.wirings[0], older.statements(events)
        device = self._registry.known(wiring.device)
        if asset.removed:
            self.left.append(f"{len(events)} events of {asset.name}, which was removed.")
            return
        if said:
            span = min(at for at, _ in said), max(at for at, _ in said) + 1
            if span[0] < wiring.from_us:
                since, wanted = iso(wiring.from_us), iso(span[0])
                self.left.append(
                    f"{asset.name} is wired since {since}: wire it since {wanted}, so that all counts."
                )
            known = await self._readings.known(device.id, wiring.input, span)
            new = [one for one in dict.fromkeys(said) if one not in known]
            kept = await self._readings.keep(device, wiring.input, new)
            self.changes += kept
            if kept < len(new):
                self.left.append(f"{len(new) - kept} changes of {asset.name}, which are no readings.")
        watched.setdefault(device.id, []).extend(older.watched(events))
        await self._explain(asset, [one for one in events if one.reason or one.note])

    async def _sign(self, device: Device, spans: Sequence[Span]) -> None:
        """Write signs of life where the logger was there: 0, so that none tells of a restart."""
        silent_s = min((one.asset.silent_s for one in self._assets.of_device(device.id)), default=SILENT_S)
        wanted, written = older.signs(spans, round(silent_s / 2 * SECOND_US)), 0
        while some := list(itertools.islice(wanted, SIGNS_AT_ONCE)):
            there = {at for at, _ in await self._readings.known(device.id, ALIVE, (some[0], some[-1] + 1))}
            new = [(at, 0) for at in some if at not in there]
            written += await self._readings.keep(device, ALIVE, new[: SIGNS_MAX - written])
            if written >= SIGNS_MAX:
                self.left.append(f"{device.name} was watched for so long that some of it is unknown: {ONCE_MORE}.")
                return

    async def _explain(self, asset: Definition, events: Sequence[older.Past]) -> None:
        """Say the reasons of stops that nobody has said anything of here."""
        if not events:
            return
        spans = {one: one.span or (one.at_us - SECOND_US, one.at_us) for one in events}
        reach = min(begin for begin, _ in spans.values()), max(end for _, end in spans.values())
        said = await self._assets.explanations([asset.id], reach)
        new = {one: span for one, span in spans.items() if explanation_of(span, said) is None}
        reasons = await self._reasons(new)
        waiting = [(one, span) for one, span in new.items() if one.note or one.reason in reasons]
        for first in range(0, len(waiting), AT_ONCE):
            some = waiting[first : first + AT_ONCE]
            await asyncio.gather(
                *(
                    self._assets.explain(asset.id, span, reasons.get(one.reason, ""), one.note, actor=self._actor)
                    for one, span in some
                )
            )
            self.reasons += len(some)

    async def _reasons(self, events: Iterable[older.Past]) -> Mapping[str, str]:
        """The id of each reason that is given; one that is new is made, as long as there is room."""
        found: dict[str, str] = {}
        for reason in dict.fromkeys(one.reason for one in events if one.reason):
            known = {one.name.casefold(): one for one in self._assets.rules().reasons}
            same = known.get(reason[:NAME_CHARS].casefold())
            if same is not None and not same.retired:
                found[reason] = same.id
                continue
            reason_id = older.reason_id(reason)
            taken = {one.id for one in known.values()}
            if not reason_id or reason_id in taken or len(taken) >= REASONS_MAX:
                self.left.append(f"The reason {reason[:40]!r}: it is retired, or there is no room for it.")
                continue
            made = await self._assets.set_reason(reason_id, SetReason(name=reason[:NAME_CHARS]), actor=self._actor)
            found[reason] = made.id
        return found


def _bounded(left: list[str]) -> list[str]:
    more = len(left) - LEFT_MAX
    return left if more <= 0 else [*left[:LEFT_MAX], f"and {more} more"]

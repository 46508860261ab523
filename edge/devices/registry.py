"""The devices of this hub: taken in, approved, renamed, forgotten.

All devices are held in memory (one hub owns some hundreds) and changed only after their commit.
"""

from __future__ import annotations

import msgspec

from edge.access.model import hash_secret, new_secret
from edge.bus import Bus
from edge.clock import Clock
from edge.devices import changes
from edge.devices import store as sql
from edge.devices.book import DeviceBook
from edge.devices.model import (
    ALIAS_CHARS,
    ALIASES_MAX,
    FACTS_BYTES,
    NAME_CHARS,
    PROFILES,
    Device,
    DeviceState,
    Facts,
    Trust,
    canonical_id,
    check_name,
    check_token,
    kinds_of,
    new_id,
)
from edge.errors import BadInput, Conflict
from edge.store.database import Database
from edge.store.transaction import Transaction


class Registry(DeviceBook):
    """Every device, and what may become of it."""

    def __init__(
        self, database: Database, bus: Bus, clock: Clock, *, auto_approve: bool, reports_kept: int
    ) -> None:
        super().__init__(database, bus, clock)
        self._auto_approve, self._reports_kept = auto_approve, reports_kept

    async def add(self, name: str, kind: str, profile: str, *, actor: str) -> tuple[Device, str]:
        """A device expected by a technician, approved at once; returns it with its token, shown this once."""
        if kind not in kinds_of(profile):
            fitting = ", ".join(f"{kind}/{name}" for name in PROFILES for kind in kinds_of(name))
            raise BadInput(f"There is no {kind!r} with the profile {profile!r}.", hint=f"Known: {fitting}.")
        _, secret = new_secret()
        now_us = self._clock.now().at_us
        device = Device(
            id=new_id(),
            name=check_name(name),
            kind=kind,
            profile=profile,
            state=DeviceState.APPROVED,
            panel=PROFILES[profile].panel if kind == "display" else "",
            created_us=now_us,
            approved_us=now_us,
            approved_by=actor,
        )
        device = changes.with_token(device, secret)
        await self._save(device, "device.added", name=device.name, kind=kind, profile=profile, by=actor)
        return device, secret

    async def take_in(
        self, system: str, alias: str, profile: str, *, name: str = "", kind: str = "", facts: Facts
    ) -> Device | None:
        """The device that calls itself `alias`, taken in as pending when new; `kind` if not its profile's own.

        What it says of itself is kept, bounded. None when too many are pending already. Raises BadInput for an
        impossible alias.
        """
        if not 1 <= len(alias) <= ALIAS_CHARS or not alias.isprintable():
            raise BadInput(f"A device's id has 1 to {ALIAS_CHARS} printable characters.")
        if len(msgspec.json.encode(facts)) > FACTS_BYTES:
            facts = {}
        async with self._changing:
            device = self.by_alias(system, alias)
            if device is not None:
                changed = {key: value for key, value in facts.items() if device.facts.get(key) != value}
                if changed:
                    device = msgspec.structs.replace(device, facts={**device.facts, **changed})
                    await self._save(device, "device.reported", **_public(changed))
                return device
            return await self._take_in_new(system, alias, PROFILES[profile].name, name, kind, facts)

    async def _take_in_new(
        self, system: str, alias: str, profile: str, name: str, kind: str, facts: Facts
    ) -> Device | None:
        if not await self._room(facts.get("address")):
            return None
        mac = canonical_id(alias) or ""
        device_id = mac if mac and self._vacant(mac) else new_id()  # a claim of another's MAC gains nothing
        device = Device(
            id=device_id,
            name=changes.shown_name(name) or alias[:NAME_CHARS],
            kind=kind or PROFILES[profile].kind,
            profile=profile,
            state=DeviceState.PENDING,
            panel=PROFILES[profile].panel if kind in ("", "display") else "",
            last_seq=self._last_seq(device_id),
            facts=facts,
            aliases=((system, alias),),
            created_us=self._clock.now().at_us,
        )
        device = self._let_in(device)
        await self._save(device, "device.registered", profile=profile, state=device.state.value, alias=alias)
        return device

    async def note(self, device: Device, facts: Facts) -> Device:
        """Keep what the hub has found out about it, beside what it says of itself. Raises StorageError."""
        async with self._changing:
            device = self._as_it_is(device)
            noted = msgspec.structs.replace(device, facts={**device.facts, **facts})
            if noted != device and len(msgspec.json.encode(noted.facts)) <= FACTS_BYTES:
                await self._save(noted, "device.reported", **_public(facts))
                return noted
            return device

    async def call_also(self, device: Device, system: str, alias: str) -> Device:
        """Find it by one more name of a system, unless another has that, or it has many."""
        async with self._changing:
            device = self._as_it_is(device)
            if self.by_alias(system, alias) is not None or len(device.aliases) >= ALIASES_MAX:
                return device
            named = msgspec.structs.replace(device, aliases=(*device.aliases, (system, alias)))
            await self._save(named, "device.reported", changed=["aliases"])
            return named

    async def approve(self, device: Device, *, actor: str, confirmed: bool = False) -> Device:
        """Let it be told to act; `confirmed`: the code that `device` has was compared. Twice changes nothing.

        Raises Conflict when it has another key by now than the one that was compared.
        """
        async with self._changing:
            device = self._as_it_is(device, compared=confirmed)
            approved = self._confirmed(device) if confirmed and device.trust is Trust.PAIRED else device
            if not device.approved:
                approved = changes.approved(approved, self._clock.now().at_us, actor)
            if approved != device:
                await self._save(approved, "device.approved", by=actor, trust=approved.trust.value)
                await self._db.write(lambda tx: sql.drop_reports(tx, device.id))
            return approved

    async def rename(self, device: Device, name: str, *, actor: str) -> Device:
        """Give it another name."""
        async with self._changing:
            device = self._as_it_is(device)
            renamed = msgspec.structs.replace(device, name=check_name(name))
            await self._save(renamed, "device.renamed", name=renamed.name, before=device.name, by=actor)
            return renamed

    async def forget(self, device: Device, *, actor: str) -> None:
        """Take its approval, token and aliases away; when it shows up again it is pending anew."""
        async with self._changing:
            device = self._as_it_is(device)
            await self._save(changes.forgotten(device), "device.forgotten", name=device.name, by=actor)

    async def met(
        self,
        device: Device,
        *,
        epoch: str,
        last_seq: int,
        panel: str | None,
        facts: Facts | None = None,
        kind: str = "",
    ) -> Device:
        """Take over what a device said in its handshake; command numbers go on behind its own high-water mark.

        Another epoch than before: its flash was erased, so a person must look before it does what cannot be undone.
        """
        async with self._changing:
            device = self._as_it_is(device)
            met = changes.met(device, epoch, last_seq, panel, facts or {}, kind)
            if facts and met.trust is Trust.CONFIRMED:
                met = self._known_by_chip(met)
            if met != device:
                await self._save(met, "device.met", epoch=epoch, last_seq=last_seq, panel=met.panel, kind=met.kind)
            return met

    async def report(self, device: Device, body: str) -> None:
        """Keep what a pending device says apart, bounded."""
        await self._db.write(lambda tx: sql.report(tx, device.id, body, self._reports_kept))

    # --- keys, tokens, owners

    async def pair_in(self, chip: str, kind: str, *, name: str, facts: Facts, key: bytes) -> Device | None:
        """A board that has just agreed on a key, taken in as pending; None when too many are pending.

        Whatever board it says it is, it gets nothing of a device that is known: it is a new one. Only a record
        whose key was never used is taken over, by who paired at the same address (the fact `address`), so that a
        board which pairs twice is not there twice.
        """
        async with self._changing:
            unheard = self._unheard(chip, facts.get("address"))
            if unheard is None and not await self._room(facts.get("address")):
                return None
            device_id = chip if self._vacant(chip) else new_id()
            device = unheard or self._let_in(
                Device(
                    id=device_id,
                    name="",
                    kind=kind,
                    profile="native",
                    state=DeviceState.PENDING,
                    panel=PROFILES["native"].panel if kind == "display" else "",
                    last_seq=self._last_seq(device_id),
                    aliases=() if self.by_alias("native", chip) else (("native", chip),),
                    created_us=self._clock.now().at_us,
                )
            )
            same = self.same_board(chip, device.id)
            claims: Facts = {"same_board_as": same.id} if same else {}
            device = msgspec.structs.replace(
                device,
                name=changes.shown_name(name) or chip,
                kind=kind,
                facts={"chip": chip, **facts, **claims},
                link_key=key,
                trust=Trust.PAIRED,
            )
            await self._save(device, "device.paired", kind=kind, chip=chip, state=device.state.value)
            return device

    async def new_token(self, device: Device, *, actor: str) -> tuple[Device, str]:
        """A new token, shown this once; the old one, and the key that followed from it, end."""
        _, secret = new_secret()
        made = changes.with_token(device, secret)
        changed = await self._change(
            device, "device.token", actor, token_hash=made.token_hash, link_key=made.link_key, trust=made.trust
        )
        return changed, secret

    async def adopt_token(self, device: Device, secret: str, *, actor: str) -> Device:
        """Let a token that an older device was built with be its. Raises BadInput; Conflict when another has it."""
        check_token(secret)
        holder = self.by_token(secret)
        if holder is not None and holder.id != device.id:
            raise Conflict("Another device here has that token.", hint="Every device needs a token of its own.")
        return await self._change(device, "device.token", actor, token_hash=hash_secret(secret))

    async def revoke_token(self, device: Device, *, actor: str) -> Device:
        """Take its token and its key away: it cannot speak here until it gets another."""
        return await self._change(
            device, "device.revoked", actor, token_hash=None, link_key=None, trust=Trust.REVOKED
        )

    async def set_owner(self, device: Device, user_id: str, *, actor: str) -> Device:
        """Say whose it is: an account's id, '' for nobody."""
        return await self._change(device, "device.owner", actor, owner=user_id)

    async def describe(self, device: Device, words: Facts, *, actor: str) -> Device:
        """Keep what a person says of it, beside what it says of itself. Raises BadInput where that is too much."""
        facts = {**self._as_it_is(device).facts, **words}
        if len(msgspec.json.encode(facts)) > FACTS_BYTES:
            raise BadInput("That is more than can be kept of a device.")
        return await self._change(device, "device.described", actor, facts=facts)

    async def confirm_epoch(self, device: Device, *, actor: str) -> Device:
        """A person has looked at a device whose flash was erased: it may act again."""
        return await self._change(device, "device.confirmed", actor, epoch_new=False)

    async def end_pairing(self, device: Device, *, actor: str) -> None:
        """Its key is not to be trusted: one that only waits for approval is forgotten, any other has no key now."""
        if device.approved:
            await self.revoke_token(device, actor=actor)
            return
        async with self._changing:
            gone = changes.left(self._as_it_is(device))
            await self._save(gone, "device.forgotten", name=gone.name, by=actor)

    async def returned(self, device: Device) -> Device:
        """A forgotten device is there again, with its key: it is pending. One that is known stays as it is."""
        async with self._changing:
            device = self._devices[device.id]
            if device.state is not DeviceState.FORGOTTEN:
                return device
            aliases = () if self.by_alias("native", device.id) else (("native", device.id),)
            back = msgspec.structs.replace(device, state=DeviceState.PENDING, aliases=aliases)
            await self._save(back, "device.registered", profile=back.profile, state=back.state.value)
            return back

    async def merge(self, pending: Device, known: Device, *, actor: str, confirmed: bool) -> Device:
        """`pending` is the same board as `known`, whose flash was erased: `known` gets its key and names.

        Raises Conflict unless one is pending with a key and the other an approved board of the same kind, and when
        `confirmed` says that a code was compared, but the key is another by now.
        """
        async with self._changing:
            pending, known = self._as_it_is(pending, compared=confirmed), self._as_it_is(known)
            gone, merged = changes.left(pending), changes.merged(pending, known, confirmed=confirmed)
            merged = self._confirmed(merged) if confirmed else merged

            def work(tx: Transaction) -> None:
                sql.save(tx, gone, "device.forgotten", name=gone.name, by=actor)
                sql.save(tx, merged, "device.merged", other=gone.id, trust=merged.trust.value, by=actor)

            await self._db.write(work)
            self._took_over(gone)
            self._took_over(merged)
            return merged

    async def join(self, pending: Device, known: Device, *, actor: str) -> Device:
        """`pending` is another link of `known`, e.g. the cable of a machine met over WiFi: `known` gets its names.

        For devices without keys: that they are one, only a person can say. Raises Conflict unless one is pending
        and the other approved, and both speak the same.
        """
        async with self._changing:
            pending, known = self._as_it_is(pending), self._as_it_is(known)
            gone, joined = changes.left(pending), changes.joined(pending, known)

            def work(tx: Transaction) -> None:
                sql.save(tx, gone, "device.forgotten", name=gone.name, by=actor)
                sql.save(tx, joined, "device.merged", other=gone.id, trust=joined.trust.value, by=actor)
                sql.drop_reports(tx, gone.id)

            await self._db.write(work)
            self._took_over(gone)
            self._took_over(joined)
            return joined

    # --- inside

    def _let_in(self, newcomer: Device) -> Device:
        """Approved at once where the settings say so."""
        return changes.approved(newcomer, newcomer.created_us, "auto-approve") if self._auto_approve else newcomer

    def _confirmed(self, device: Device) -> Device:
        sure = msgspec.structs.replace(device, trust=Trust.CONFIRMED, facts=changes.without(device.facts, "code"))
        return self._known_by_chip(sure)

    def _known_by_chip(self, device: Device) -> Device:
        """A device whose key is sure is the board it says it is, unless another is: so a cable finds it too."""
        chip = str(device.facts.get("chip") or "")
        wanted = [(system, chip) for system in ("native", "serial") if chip and not self.by_alias(system, chip)]
        if chip != device.id and chip in self._devices:
            return device
        return msgspec.structs.replace(device, aliases=tuple(dict.fromkeys((*device.aliases, *wanted))))


def _public(facts: Facts) -> dict[str, object]:
    """Facts for the ledger: names of what changed; the values stand in the devices table."""
    return {"changed": sorted(facts)}

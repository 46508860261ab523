"""Keys and tokens of devices: who has which, what ends one, and what a board may claim."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.devices.model import (
    PENDING_PER_ADDRESS,
    PENDING_SILENT_S,
    Device,
    DeviceState,
    Facts,
    Trust,
)
from edge.devices.registry import Registry
from edge.errors import BadInput, Conflict, NotFound
from edge.wire.signing import key_from_token
from tests.unit.commands.queue_site import QueueSite, queue_site

CHIP = "A4CF12000001"
KEY, OTHER = bytes(range(32)), bytes(32)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[QueueSite]:
    async with queue_site(tmp_path) as made:
        yield made


async def paired(registry: Registry, chip: str = CHIP, key: bytes = KEY, kind: str = "vending") -> Device:
    device = await registry.pair_in(chip, kind, name="", facts={"fw": "1", "code": "123456"}, key=key)
    assert device is not None
    return device


async def test_a_token_names_its_device_until_it_is_taken_away(site: QueueSite) -> None:
    registry = site.registry
    device, secret = await registry.add("Cellar", "sensor", "native", actor="tess")
    assert registry.by_token(secret) == device
    assert (device.link_key, device.trust) == (key_from_token(secret), Trust.CONFIRMED)
    changed, fresh = await registry.new_token(device, actor="tess")
    assert registry.by_token(secret) is None
    assert registry.by_token(fresh) == changed
    revoked = await registry.revoke_token(device, actor="tess")
    assert registry.by_token(fresh) is None
    assert (revoked.link_key, revoked.trust, revoked.trusted) == (None, Trust.REVOKED, False)


async def test_an_older_device_keeps_the_token_it_was_built_with(site: QueueSite) -> None:
    registry = site.registry
    thing = await registry.take_in("thingsnxt", "hall", "thingsnxt", facts={})
    other = await registry.take_in("thingsnxt", "yard", "thingsnxt", facts={})
    assert thing is not None
    assert other is not None
    await registry.adopt_token(thing, "hall-lamp-1", actor="ann")
    found = registry.by_token("hall-lamp-1")
    assert found is not None
    assert (found.id, found.link_key, found.trust) == (thing.id, None, Trust.NONE)
    with pytest.raises(Conflict):
        await registry.adopt_token(other, "hall-lamp-1", actor="ann")
    await registry.adopt_token(thing, "hall-lamp-2", actor="ann")
    assert registry.by_token("hall-lamp-1") is None
    await registry.forget(thing, actor="tess")
    assert registry.by_token("hall-lamp-2") is None
    await registry.adopt_token(other, "hall-lamp-2", actor="ann")


@pytest.mark.parametrize("secret", ["", "short", "x" * 129, "with\nline", "nul\x00nul!", "übergröße", "\ud800" * 9])
async def test_tokens_nobody_could_type_are_refused(site: QueueSite, secret: str) -> None:
    device = await site.registry.take_in("thingsnxt", "hall", "thingsnxt", facts={})
    assert device is not None
    with pytest.raises(BadInput):
        await site.registry.adopt_token(device, secret, actor="ann")
    assert site.registry.by_token(secret) is None


async def test_an_owner_is_kept_over_a_restart_and_ends_with_the_device(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site:
        device = await site.display()
        await site.registry.set_owner(device, "a" * 24, actor="ann")
    async with queue_site(tmp_path) as site:
        assert site.registry.known(device.id).owner == "a" * 24
        await site.registry.forget(device, actor="tess")
        assert site.registry.known(device.id).owner == ""
        with pytest.raises(NotFound):
            await site.registry.set_owner(device, "b" * 24, actor="ann")


async def test_every_stranger_who_claims_a_chip_is_a_device_of_its_own(site: QueueSite) -> None:
    registry = site.registry
    real = await registry.take_in("serial", CHIP, "native", kind="vending", facts={})
    assert real is not None
    await registry.approve(real, actor="tess")
    strangers = [await paired(registry, key=bytes([n]) * 32) for n in range(3)]
    assert real.id not in {stranger.id for stranger in strangers}
    assert {stranger.facts["same_board_as"] for stranger in strangers} == {real.id}
    assert registry.known(real.id).link_key is None


async def test_a_key_that_was_used_is_never_taken_over(site: QueueSite) -> None:
    registry = site.registry
    first = await paired(registry)
    assert (await paired(registry, key=OTHER)).id == first.id
    await registry.met(first, epoch="e1", last_seq=0, panel="")
    assert (await paired(registry, key=KEY)).id != first.id
    assert registry.known(first.id).link_key == OTHER


async def test_a_sure_key_makes_the_cable_know_the_board_too(site: QueueSite) -> None:
    registry = site.registry
    added, _ = await registry.add("Snacks", "vending", "native", actor="tess")
    await registry.met(added, epoch="e1", last_seq=0, panel="", facts={"chip": CHIP})
    on_cable = await registry.take_in("serial", CHIP, "native", kind="vending", facts={})
    assert on_cable is not None
    assert on_cable.id == added.id


async def test_a_merge_moves_the_key_and_the_names_and_keeps_the_history(site: QueueSite) -> None:
    registry = site.registry
    known, _ = await registry.add("Snacks", "vending", "native", actor="tess")
    await registry.met(known, epoch="e1", last_seq=9, panel="", facts={"chip": CHIP})
    pending = await paired(registry)
    merged = await registry.merge(pending, known, actor="tess", confirmed=False)
    assert (merged.id, merged.name, merged.link_key, merged.trust) == (known.id, "Snacks", KEY, Trust.PAIRED)
    assert (merged.last_seq, merged.epoch_new, merged.token_hash) == (9, True, None)
    assert registry.keyed(pending.id) == merged
    assert registry.known(pending.id).state is DeviceState.FORGOTTEN
    assert "same_board_as" not in merged.facts


@pytest.mark.parametrize(
    ("before", "now", "confirmed", "must_be_looked_at"),
    [("e1", "e1", True, False), ("e1", "e2", True, True), ("e1", "e1", False, True), ("", "", True, True)],
)
async def test_a_board_from_a_cable_that_comes_over_wifi_remembers_what_it_did(
    site: QueueSite, before: str, now: str, confirmed: bool, must_be_looked_at: bool
) -> None:
    registry = site.registry
    on_cable = await registry.take_in("serial", CHIP, "native", kind="vending", facts={})
    assert on_cable is not None
    known = await registry.approve(on_cable, actor="tess")
    known = await registry.met(known, epoch=before, last_seq=3, panel="")
    pending = await registry.met(await paired(registry), epoch=now, last_seq=3, panel="")
    merged = await registry.merge(pending, known, actor="tess", confirmed=confirmed)
    assert (merged.epoch_new, merged.last_seq) == (must_be_looked_at, 3)


@pytest.mark.parametrize("kind", ["sensor", "display"])
async def test_a_board_of_another_kind_is_not_the_same(site: QueueSite, kind: str) -> None:
    known, _ = await site.registry.add("Snacks", "vending", "native", actor="tess")
    pending = await paired(site.registry, kind=kind)
    with pytest.raises(Conflict):
        await site.registry.merge(pending, known, actor="tess", confirmed=True)
    with pytest.raises(Conflict):
        await site.registry.merge(known, pending, actor="tess", confirmed=True)
    with pytest.raises(Conflict):
        await site.registry.merge(pending, pending, actor="tess", confirmed=True)


async def test_pending_boards_are_bounded(site: QueueSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.devices.book.PENDING_DEVICES", 3)
    registry, silence_s = site.registry, {f"{number:012X}": 0.0 for number in range(3)}
    registry.ask_silence(lambda device: silence_s[device.id])
    first, *_ = [await paired(registry, chip=chip) for chip in silence_s]
    assert await registry.pair_in("F" * 12, "sensor", name="", facts={}, key=KEY) is None
    assert registry.turned_away == 1
    silence_s[first.id] = silence_s["000000000001"] = PENDING_SILENT_S
    assert (await paired(registry, chip="F" * 12)).id == "F" * 12
    assert registry.known(first.id).state is DeviceState.FORGOTTEN
    assert registry.known("000000000001").state is DeviceState.PENDING


async def test_one_address_cannot_take_all_places(site: QueueSite) -> None:
    async def ask(number: int, address: str) -> Device | None:
        facts: Facts = {"address": address}
        if number % 2:
            return await site.registry.take_in("vending", f"m-{number}", "vending", facts=facts)
        return await site.registry.pair_in(f"{number:012X}", "sensor", name="", facts=facts, key=KEY)

    made = await asyncio.gather(*(ask(number, "10.0.0.66") for number in range(50)))
    assert sum(device is not None for device in made) == PENDING_PER_ADDRESS
    assert await ask(99, "10.0.0.7") is not None


async def test_a_code_that_was_compared_confirms_no_other_key(site: QueueSite) -> None:
    registry = site.registry
    known, _ = await registry.add("Snacks", "vending", "native", actor="tess")
    compared = await paired(registry)
    await paired(registry, key=OTHER)
    with pytest.raises(Conflict):
        await registry.approve(compared, actor="tess", confirmed=True)
    with pytest.raises(Conflict):
        await registry.merge(compared, known, actor="tess", confirmed=True)
    now = registry.known(compared.id)
    assert (now.state, now.trust, now.facts["code"]) == (DeviceState.PENDING, Trust.PAIRED, "123456")
    assert registry.known(known.id).trust is Trust.CONFIRMED


async def test_a_strangers_numbers_are_nobodys(site: QueueSite) -> None:
    registry = site.registry
    stranger = await paired(registry)
    stranger = await registry.met(stranger, epoch="e1", last_seq=2**31 - 1, panel="")
    known, _ = await registry.add("Snacks", "vending", "native", actor="tess")
    await registry.merge(stranger, known, actor="tess", confirmed=False)
    assert registry.known(known.id).last_seq == 0
    other = await registry.approve(await paired(registry), actor="tess")
    await registry.met(other, epoch="e1", last_seq=2**31 - 1, panel="")
    await registry.forget(other, actor="tess")
    assert (await paired(registry)).last_seq == 0
    on_cable = await registry.take_in("serial", CHIP, "native", facts={})
    assert on_cable is not None
    assert on_cable.last_seq == 0


async def test_a_forgotten_boards_key_outlives_who_claims_its_mac(site: QueueSite) -> None:
    registry = site.registry
    real = await registry.approve(await paired(registry), actor="tess", confirmed=True)
    await registry.forget(real, actor="tess")
    claims = [
        await registry.take_in("vending", CHIP, "vending", facts={}),
        await registry.take_in("thingsnxt", "a4:cf:12:00:00:01", "thingsnxt", facts={}),
        await paired(registry, key=OTHER),
    ]
    assert real.id not in {claim.id for claim in claims if claim is not None}
    kept = registry.known(real.id)
    assert (kept.link_key, kept.trust, registry.keyed(real.id)) == (KEY, Trust.CONFIRMED, kept)
    assert (await registry.returned(kept)).state is DeviceState.PENDING

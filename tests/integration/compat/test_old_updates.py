"""Updates of older boards over the air, by unmodified clients: one download, never a loop, never the wrong one."""

from __future__ import annotations

import itertools

import pytest

from edge.clock import ManualClock
from edge.settings import Updates
from edge.sim.http_update import FORBIDDEN, NOT_FOUND, SAME, UPDATED
from edge.sim.old_ota import LED_BLINK, OTA_BASE, PERSONAL_CMS, S3
from edge.wire.updates import NewRollout, Step, Told
from edge.wire.updates import Target as Whom
from tests.integration.compat.old_boards import firmware, yard_at
from tests.integration.running_hub import until

BASE, BLINK, CMS = OTA_BASE.name, LED_BLINK.name, PERSONAL_CMS.name
DAY_S = 86_400


async def test_one_download_a_start_and_then_nothing(yard):
    """The release is of the same firmware and says the same version: only its MD5 tells that it runs."""
    board = await yard.on(server=yard.base + "/")  # as it is typed into the portal: paths begin with two slashes
    new = firmware(BASE, marked="second")
    status, told = await yard.upload(BASE, new, auto_assign="true", description="second")
    assert (status, told["assigned"]) == (200, [yard.device(board).id])
    await yard.passes(120)
    assert (board.flashed, board.image, board.updates) == (1, new, {UPDATED: 1})
    assert (await yard.newest(board)).step is Step.STAGED
    await yard.passes(120)
    assert board.updates == {UPDATED: 1, SAME: 1}
    assert (await yard.newest(board)).step is Step.CONFIRMED
    [url] = set(board.offers)
    assert url.startswith(f"{yard.base}/api/ota/download/{told['firmware_key']}")
    assert url.count("http://") == 1


async def test_it_does_not_go_round_for_days(yard):
    board = await yard.on()
    await yard.upload(BASE, firmware(BASE, marked="second"), auto_assign="true")
    await yard.passes(90)
    await yard.passes(2 * DAY_S, step=480)
    assert (board.flashed, board.starts) == (1, 2)
    assert board.updates == {UPDATED: 1, SAME: 1}
    assert board.answers["check", 200] >= 360


@pytest.mark.parametrize(
    ("before", "after"),
    itertools.permutations((OTA_BASE, LED_BLINK, PERSONAL_CMS), 2),
    ids=lambda sketch: sketch.name,
)
async def test_every_sketch_becomes_every_other(yard, before, after):
    board = await yard.on(before, name="Hall")
    device = yard.device(board)
    await yard.upload(after.name)
    status, told = await yard.force(board, after.name)
    assert (status, told["warnings"]) == (200, [])
    if not before.asks:
        await board.press()
    await yard.passes(240)
    assert (board.sketch, board.flashed, board.in_portal) == (after, 1, False)
    now = yard.device(board)
    assert (now.id, now.approved, now.facts["device_id"]) == (device.id, True, after.device_id)
    assert (await yard.newest(board)).step is Step.CONFIRMED
    assert len(yard.hub.registry.all()) == 1
    assert yard.hub.registry.by_alias("personalcms", after.device_id).id == device.id


async def test_a_board_becomes_one_after_the_other_and_back(yard):
    board = await yard.on()
    for name in (BLINK, CMS, BASE, BLINK):
        await yard.upload(name, firmware(name, marked="again"))
    for name in (BLINK, BASE, CMS, BASE):
        await yard.force(board, name)
        await yard.passes(240)
        if not board.sketch.asks:
            await board.press()
        assert board.sketch.name == name
    assert (board.flashed, len(yard.hub.registry.all())) == (4, 1)


async def test_a_forced_update_survives_downloads_that_fail(yard):
    board = await yard.on()
    await yard.upload(BLINK, firmware(BLINK, size=200_000))
    await yard.force(board, BLINK)
    for cut_at in (0, 199_999):
        board.cut_at = cut_at
        while board.cut_at is not None:
            await yard.passes(30)
        assert board.flashed == 0
    await yard.passes(900)
    assert (board.sketch, board.flashed) == (LED_BLINK, 1)
    await yard.passes(30)
    assert (await yard.newest(board)).step is Step.CONFIRMED


async def test_a_download_that_breaks_off_is_tried_again_after_a_while(tmp_path):
    slow = Updates(max_kbit_s=4000)  # else it were in the cable's buffers before the board has had half of it
    async with yard_at(tmp_path, ManualClock(), updates=slow) as yard:
        board = await yard.on()
        await yard.upload(BLINK, firmware(BLINK, size=200_000))
        await yard.force(board, BLINK)
        board.cut_at = 20_000
        while board.cut_at is not None:
            await yard.passes(30)

        async def given_up() -> bool:
            return (await yard.newest(board)).step is Step.WAITING

        await until(given_up)
        target = await yard.newest(board)
        assert target.reason.startswith("Try 1 failed: The download broke off after some ")
        await board.press()
        assert board.bodies["check"] == {"update_available": False}  # not at once
        await yard.passes(240)
        assert (board.sketch, (await yard.newest(board)).step) == (LED_BLINK, Step.CONFIRMED)


async def test_one_that_fetches_all_and_never_starts_it_is_stuck(yard):
    board = await yard.on()
    await yard.upload(BLINK)
    await yard.force(board, BLINK)
    board.forgets = True
    await yard.passes(90)
    await yard.passes(2 * DAY_S, step=480)
    assert board.updates[UPDATED] == 3
    target = await yard.newest(board)
    assert (target.step, target.reason) == (
        Step.FAILED,
        "After 3 downloads it still runs what it ran before.",
    )
    [problem] = yard.hub.cms.problems()
    assert "is stuck: it has fetched ESP32_LED_Blink" in problem
    board.forgets = False
    await yard.force(board, BLINK)  # a person wants it once more
    await yard.passes(480, step=120)
    assert (board.sketch, board.updates[UPDATED]) == (LED_BLINK, 4)
    assert yard.hub.cms.problems() == []


async def test_the_wrong_firmware_never_gets_there(yard):
    board, blink = await yard.on(), await yard.on(LED_BLINK, address="127.0.0.3")
    panel = await yard.on(S3, address="127.0.0.4")
    _, told = await yard.upload(BLINK, auto_assign="true")
    assert told["assigned"] == [yard.device(blink).id]
    [artifact] = yard.hub.updates.artifacts.all()
    wanted = NewRollout(artifact=artifact.id, target=Whom(kind="cms"), name="by kind")
    rollout = await yard.hub.rollouts.rollouts.create(wanted, actor="tess", lift=True)
    assert (await yard.hub.rollouts.rollouts.standing(rollout)).waves[0].total == 1
    whom = Whom(devices=[yard.device(panel).id])
    await yard.hub.rollouts.rollouts.create(NewRollout(artifact=artifact.id, target=whom), actor="tess")
    refused = await yard.newest(panel)
    assert (refused.step, "this is esp32s3" in refused.reason) == (Step.REJECTED, True)
    assert (await yard.force(panel, BLINK))[0] == 404  # there is none for its chip
    await yard.passes(600)
    await panel.press()
    assert (board.flashed, panel.flashed, blink.flashed) == (0, 0, 1)


async def test_an_s3_that_becomes_something_else_forgets_its_wifi_and_somebody_is_told(yard):
    panel = await yard.on(S3, name="Panel")
    await yard.upload(BLINK, firmware(BLINK, chip=9), chip="esp32s3")
    _, told = await yard.force(panel, BLINK)
    assert "has to be set up there by hand" in told["warnings"][0]
    assert any(one.startswith("Panel: S3 has WiFi") for one in yard.hub.cms.problems())
    await panel.press()
    assert panel.in_portal


async def test_two_boards_with_one_id_get_each_its_own(yard):
    one, other = await yard.on(), await yard.on(address="127.0.0.3")
    await yard.passes(60)
    await yard.upload(BLINK)
    await yard.force(other, BLINK)
    await yard.passes(300)
    assert (one.sketch, other.sketch) == (OTA_BASE, LED_BLINK)
    await other.fetch(other.offers[0])
    assert other.updates[SAME] == 1
    by_compiled_id = f"/api/ota/force-update/{OTA_BASE.device_id}"
    assert (await yard.ask("POST", by_compiled_id, {"firmware_type": BASE}))[0] == 404  # means the first
    third = await yard.on(address="127.0.0.4")
    await yard.passes(60)
    assert yard.device(third).id != yard.device(one).id
    assert (await yard.ask("POST", by_compiled_id, {"firmware_type": BLINK}))[0] == 409  # which of the two?
    one.mac = other.mac  # whatever it says, it is not there
    await one.fetch(other.offers[0])
    assert one.flashed == 0


async def test_one_that_was_flashed_by_cable_meanwhile_is_asked_and_not_believed(yard):
    board = await yard.on()
    before = board.image
    await yard.upload(BASE)
    await yard.force(board, BASE)
    await yard.passes(240)
    board.image = before
    await yard.force(board, BASE)
    await yard.passes(240)
    assert (board.flashed, board.updates[SAME]) == (2, 2)
    assert (await yard.newest(board)).step is Step.CONFIRMED


async def test_a_board_whose_mac_the_network_tells_is_that_wherever_it_is(tmp_path, monkeypatch):
    table: dict[str, str] = {}
    monkeypatch.setattr("edge.compat.personalcms.facade.mac_of", lambda address: table.get(address, ""))
    async with yard_at(tmp_path, ManualClock()) as yard:
        boards = [yard.board(address=f"127.0.0.{number}") for number in (2, 3)]
        table.update({board.source: board.mac for board in boards})
        for board in boards:
            await board.boot()
        one, other = boards
        assert [yard.device(board).id for board in boards] == [one.mac, other.mac]
        await yard.upload(BLINK)
        await yard.force(one, BLINK)
        await yard.passes(120)
        one.source, other.source = other.source, one.source  # the router has given out its addresses anew
        table.update({board.source: board.mac for board in boards})
        await yard.passes(150)
        assert {board.mac: board.sketch for board in boards} == {one.mac: LED_BLINK, other.mac: OTA_BASE}
        assert [yard.device(board).id for board in boards] == [one.mac, other.mac]
        assert (await yard.newest(one)).step is Step.CONFIRMED
        other.mac = one.mac  # it says so, and the network knows better
        await other.fetch(one.offers[0])
        assert (other.flashed, other.updates) == (0, {FORBIDDEN: 1})


async def test_a_board_behind_the_address_of_another_is_known_by_its_mac(yard):
    one = await yard.on()
    await yard.upload(BASE, one.image)
    await yard.force(one, BASE)
    await yard.passes(120)
    assert yard.device(one).facts["board_mac"] == one.mac
    await yard.upload(BLINK)
    await yard.force(one, BLINK)
    stranger = yard.board(address=one.source, mac="A0B7650000FF")
    yard.boards = [stranger]
    await yard.passes(120)
    assert (stranger.flashed, stranger.updates) == (0, {FORBIDDEN: 1})
    known = {device.facts.get("mac") or device.facts.get("board_mac") for device in yard.hub.registry.all()}
    assert known == {one.mac, stranger.mac}


async def test_the_power_goes_or_the_hub_goes_in_the_middle(tmp_path):
    clock = ManualClock()
    new = firmware(BLINK, size=300_000)
    async with yard_at(tmp_path, clock) as yard:
        board = await yard.on()
        await yard.upload(BLINK, new)
        await yard.force(board, BLINK)
        device = yard.device(board)
        await yard.hub.rollouts.rollouts.tick()
        offer = yard.hub.rollouts.offers.for_device(device.id)
        told = {"artifact": offer.artifact, "step": Step.DOWNLOADING, "attempt": offer.attempt}
        await yard.hub.rollouts.offers.tell(device.id, Told(**told))  # where the hub is killed
    async with yard_at(tmp_path, clock) as yard:
        yard.boards, board.server = [board], yard.base
        board.cut_at = 100_000
        await yard.passes(120)
        assert (board.starts, board.flashed) == (2, 0)
        await yard.passes(480)
        assert (board.image, board.sketch) == (new, LED_BLINK)
        assert yard.device(board).id == device.id
        assert (await yard.newest(board)).step is Step.CONFIRMED


async def test_a_hub_that_lost_everything_leaves_boards_as_they_are(tmp_path):
    clock = ManualClock()
    async with yard_at(tmp_path / "before", clock) as yard:
        board = await yard.on()
        await yard.upload(BASE, firmware(BASE, marked="second"), auto_assign="true")
        await yard.passes(120)
        running, url = board.image, board.offers[0]
    async with yard_at(tmp_path / "after", clock) as yard:
        yard.boards, board.server = [board], yard.base
        await yard.passes(1200)
        assert (board.flashed, board.image) == (1, running)
        await board.fetch(url.replace(url.split("/api")[0], yard.base))
        assert board.updates[FORBIDDEN] + board.updates[NOT_FOUND] == 1
        status, _ = await yard.upload(BASE, running, auto_assign="true")  # the file is still there
        assert status == 200
        await yard.passes(240)
        assert (board.flashed, (await yard.newest(board)).step) == (1, Step.ALREADY)


async def test_what_an_image_has_behind_its_end_is_no_part_of_it(yard):
    """Else the MD5 that a board tells were never the file's, and it went round for ever."""
    board = await yard.on()
    await yard.upload(BASE, firmware(BASE, marked="second") + b"\xff" * 100, auto_assign="true")
    await yard.passes(600)
    assert (board.flashed, board.updates) == (1, {UPDATED: 1, SAME: 1})

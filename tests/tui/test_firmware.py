"""Firmware on a hub that can be brought into any state: rollouts, uploads, boards over USB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from textual.widgets import Input

from edge.wire.flashing import FlashState, Work
from edge.wire.updates import RolloutState, Step
from tests.fakes.hub_api import FakeHub
from tests.tui import site_updates
from tests.tui.site_data import status
from tests.tui.site_updates import NEW, OLD
from tests.tui.stage import LARGE, SMALL, settled, shows, terminal, text_of, until
from tui.app import OutpostApp
from tui.screens.rollout import RolloutScreen


def asked(hub: FakeHub, call: str) -> list[Any]:
    """The bodies of what was asked for so."""
    return [body for name, body in hub.calls if name == call]


def fill_in(app: OutpostApp, **values: str) -> None:
    """Write into the blanks of the dialog in front."""
    for key, text in values.items():
        app.screen.query_one(f"#blank-{key}", Input).value = text


async def test_a_rollout_is_started_with_a_plan_of_its_own(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("8")
        await shows(pilot, app, "Firmware held here")
        await pilot.press("tab", "s")
        await shows(pilot, app, "To which devices")
        await pilot.press(*"every disp", "enter")
        await shows(pilot, app, "What people call this rollout")
        fill_in(app, waves="10, 5", soak="soon", window="late")
        await shows(pilot, app, "Shares in percent that rise to 100")
        fill_in(app, name="tills", waves="0 25 100", errors="0", soak="2h", deadline="90m", window="22:00 - 5:00")
        await pilot.press(*["enter"] * 9)  # from blank to blank, then to Cancel
        assert app.screen.focused is not None
        assert app.screen.focused.id == "cancel"
        await pilot.press("right", "enter")
        await until(pilot, lambda: isinstance(app.screen, RolloutScreen), "the rollout")
        await shows(pilot, app, "every display")
    (wanted,) = asked(hub, "POST /v1/rollouts")
    assert wanted["artifact"] == NEW
    assert wanted["target"] == {"kind": "display"}
    assert wanted["plan"] == {
        "waves": [0, 25, 100], "errors_percent": 0, "success_percent": 90, "soak_s": 7200, "deadline_s": 5400,
        "window": "22:00-5:00", "attempts": 2,
    }  # fmt: skip


async def test_a_rollout_is_paused_gone_on_with_tried_again_and_aborted(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        await pilot.press("8", "down", "enter")
        await shows(pilot, app, "ends about 12:39:31 (in 35 min)")
        await pilot.press("p", *"the line stands", "enter")
        await shows(pilot, app, "▲ paused")
        await shows(pilot, app, "the line stands")
        await pilot.press("o")
        await shows(pilot, app, "Go on with this rollout?")
        await pilot.press("enter")  # Cancel has the focus
        assert not asked(hub, "POST /v1/rollouts/r-desk/resume")
        await pilot.press("o", "right", "enter")
        await shows(pilot, app, "◐ running")
        await pilot.press("escape", "up", "enter")
        await shows(pilot, app, "✗ timed out")
        await pilot.press("t", "right", "enter")
        await until(pilot, lambda: asked(hub, "POST /v1/rollouts/r-hall/retry"), "the retry")
        await pilot.press("x")
        await shows(pilot, app, "Abort this rollout?")
        await pilot.press("right", "enter")
        await shows(pilot, app, "◌ aborted")
    assert asked(hub, "POST /v1/rollouts/r-desk/pause") == [{"reason": "the line stands"}]
    assert asked(hub, "POST /v1/rollouts/r-hall/retry") == [{"devices": ["back-office"]}]


async def test_progress_comes_live(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        await pilot.press("8", "enter")
        await shows(pilot, app, "◐ downloading")
        done = site_updates.target("till-2", "Till 2", Step.CONFIRMED, done=184_320, deadline_at=None)
        told = {"rollout": "r-hall", **msgspec.to_builtins(done)}
        await hub.tell("update", told)
        await until(pilot, lambda: "◐ downloading" not in text_of(app), "the device's end")
        steps = {"confirmed": 47, "timed-out": 3}
        view = msgspec.structs.replace(
            hub.updates.rollouts["r-hall"], steps=steps, state=RolloutState.SHORT, reason=""
        )
        await hub.tell("rollout", view)
        await shows(pilot, app, "47 well, 3 wrong")
        await shows(pilot, app, "✗ fell short")
        await hub.tell("firmware", {"id": OLD, "gone": True})
        await pilot.press("escape")
        await until(pilot, lambda: "20260201.120000  esp32" not in text_of(app), "the firmware to be gone")


async def test_a_bundle_is_sent_from_a_path_and_what_was_looked_at_is_shown(hub: FakeHub, tmp_path: Path) -> None:
    file = tmp_path / "sensor.outpost"
    file.write_bytes(b"PK" * 100_000)
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("8", "u")
        await shows(pilot, app, "Path of the file")
        fill_in(app, path=str(tmp_path / "none"))
        await pilot.press("enter", "enter", "enter")
        await shows(pilot, app, "Give the full path of a file")
        hub.updates.refuse = "Nobody who is trusted here has signed this firmware"
        for _ in range(2):
            await pilot.press("u")
            await shows(pilot, app, "Path of the file")
            fill_in(app, path=str(file), notes="for the hall")
            await pilot.press("enter", "enter", "enter")
            if hub.updates.refuse:
                await shows(pilot, app, "Nobody who is trusted here")
                hub.updates.refuse = ""
        await shows(pilot, app, "The hub holds this now")
        await shows(pilot, app, "● Signed by release 2026")
        await pilot.press("escape")
        await shows(pilot, app, "20260314.110000")
    assert [len(body) for _, _, body in hub.updates.uploads] == [200_000, 200_000]
    assert hub.updates.uploads[0][1] == {"notes": "for the hall"}


async def test_firmware_in_use_is_not_removed_and_other_is(hub: FakeHub) -> None:
    hub.updates.artifacts[NEW] = site_updates.artifact(NEW, "sensor", "20260314.090000", used_by=1)
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("8", "tab", "x", "right", "enter")
        await shows(pilot, app, "Abort the rollout first")
        await pilot.press("down", "x", "right", "enter")
        await until(pilot, lambda: OLD not in hub.updates.artifacts, "the removal")


async def test_one_device_is_assigned_firmware_and_the_offer_is_taken_back(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE) as pilot:
        await settled(pilot, app)
        await pilot.press("8", "d", "down", "down")
        await shows(pilot, app, "what it was offered went wrong. s lifts that")
        await pilot.press("s")
        await shows(pilot, app, "Assign which firmware?")
        await pilot.press(*"0314", "enter")
        await shows(pilot, app, "Assign this firmware?")
        await pilot.press("right", "enter")
        await shows(pilot, app, "◐ offered")
        await pilot.press("u")
        await shows(pilot, app, "Take the offer back?")
        await pilot.press("right", "enter")
        await shows(pilot, app, "◌ withdrawn")
    assert asked(hub, "PUT /v1/devices/snack-machine/firmware") == [{"artifact": NEW}]


async def test_a_board_is_flashed_and_told_step_by_step(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("8", "b", "down")
        await shows(pilot, app, "f flashes the board")
        await pilot.press("f")
        await shows(pilot, app, "Which MicroPython?")
        await pilot.press("enter")
        await shows(pilot, app, "Which app?")
        await pilot.press(*"0314", "enter")
        await shows(pilot, app, "Flash this board?")
        fill_in(app, erase="maybe")
        await shows(pilot, app, "yes or no.")
        fill_in(app, erase="yes")
        await pilot.press("right", "enter")
        await until(pilot, lambda: asked(hub, "POST /v1/flash"), "the job")
        (wanted,) = asked(hub, "POST /v1/flash")
        assert wanted["path"] == "/dev/ttyUSB0"
        assert wanted["what"] == "whole"
        assert (wanted["image"], wanted["artifact"]) == ("c" * 64, NEW)
        assert wanted["erase"]
        assert wanted["keep_settings"]
        job = hub.updates.jobs["job2"]
        job = msgspec.structs.replace(job, percent=61, step="Writing MicroPython", log=["It is an ESP32."])
        await hub.tell("flash", job)
        await shows(pilot, app, "61 %  Writing MicroPython")
        await hub.tell("flash", msgspec.structs.replace(job, ask="Tap the button EN once."))
        await shows(pilot, app, ">> Tap the button EN once.")
        await hub.tell("flash", msgspec.structs.replace(job, state=FlashState.DONE, percent=100))
        await shows(pilot, app, "● flash: done")


async def test_recovery_says_which_buttons_and_a_job_is_ended(hub: FakeHub) -> None:
    app = terminal(hub.target)
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("8", "b")
        await shows(pilot, app, ">> Hold the button BOOT")
        await pilot.press("f")
        await shows(pilot, app, "has work under way")
        await pilot.press("c", "right", "enter")
        await shows(pilot, app, "◌ cancelled")
        await pilot.press("v", "down", "enter")  # nothing is to be written
        await shows(pilot, app, "connect GPIO0 to GND")
        await pilot.press("right", "enter")
        await until(pilot, lambda: asked(hub, "POST /v1/flash"), "the job")
    (wanted,) = asked(hub, "POST /v1/flash")
    assert wanted["what"] == Work.RECOVER.value
    assert not wanted["image"]


async def test_a_micropython_is_sent_to_the_hub(hub: FakeHub, tmp_path: Path) -> None:
    file = tmp_path / "ESP32.bin"
    file.write_bytes(b"\xe9" * 5000)
    app = terminal(hub.target)
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("8", "b", "u")
        await shows(pilot, app, "Upload MicroPython")
        fill_in(app, path=str(file))
        await pilot.press("enter")
        await shows(pilot, app, "2 MicroPythons held")
    assert hub.updates.uploads == [("/v1/board-images", {"name": "ESP32.bin"}, b"\xe9" * 5000)]


async def test_a_hub_without_firmware_says_what_to_do_and_an_older_one_says_so(hub: FakeHub) -> None:
    hub.updates.artifacts.clear()
    hub.updates.rollouts.clear()
    hub.ports.clear()
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("8")
        await shows(pilot, app, "No firmware is held yet")
        await pilot.press("s")
        await shows(pilot, app, "press u and give the path")
        await pilot.press("b")
        await shows(pilot, app, "No serial ports. Plug a board in")
        await pilot.press("escape")
        hub.updates.there = False
        app.feed.wake()
        await shows(pilot, app, "of an older version that updates no devices")


async def test_a_viewer_looks_at_rollouts_and_boards(hub: FakeHub) -> None:
    hub.status = status(role="viewer")
    app = terminal(hub.target)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot, app)
        await pilot.press("8", "enter")
        await shows(pilot, app, "✗ timed out")
        await pilot.press("x")
        await shows(pilot, app, "your role may only look")
        await pilot.press("9")
        await shows(pilot, app, "a technician sets boards up")
    assert hub.changes() == []

"""Firmware to look at: a rollout that stands, one under way, one that is over; boards flashed and set up."""

from __future__ import annotations

from typing import Any

from edge.wire.firmware import Kind
from edge.wire.flashing import BoardImageView, BoardView, FlashState, FlashView, Work
from edge.wire.provision import BoardInfo, NearbyBoard, NetworkView, ProvisionStep, ProvisionView
from edge.wire.updates import (
    ArtifactView,
    DeviceFirmware,
    FirmwareSummary,
    GroupView,
    Plan,
    ReasonCount,
    RolloutDevice,
    RolloutState,
    RolloutView,
    Step,
    Target,
    VersionCount,
    WaveView,
)
from tests.fakes.hub_updates import FakeUpdates
from tests.tui.site_data import at

NEW, OLD, LEGACY = "6ab31537" * 8, "20c1f5e8" * 8, "9d00aa71" * 8


def artifact(id: str, target: str, version: str, **changes: Any) -> ArtifactView:
    """A signed app."""
    facts: dict[str, Any] = {
        "id": id, "kind": Kind.APP, "target": target, "chip": "esp32", "version": version, "security": 2,
        "size": 184_320, "files": 31, "sha256": "", "md5": "", "signed_by": ["release 2026"],
        "legacy_only": False, "notes": "", "created_at": at(200), "created_by": "anna", "used_by": 0,
        "checks": ["Signed by release 2026, whom this hub trusts.",
                   "Each of its 31 files has the hash it should have.",
                   "It fits into a folder of 1.5 MB."],
    }  # fmt: skip
    return ArtifactView(**(facts | changes))


def rollout(id: str, name: str, state: RolloutState, **changes: Any) -> RolloutView:
    """Fifty sensors."""
    facts: dict[str, Any] = {
        "id": id, "name": name, "artifact": NEW, "version": "20260314.090000", "artifact_target": "sensor",
        "target": Target(group="hall"), "plan": Plan(), "state": state, "reason": "", "devices": 50,
        "steps": {}, "waves": [], "bytes_done": 0, "bytes_all": 0, "eta_at": None, "created_at": at(95),
        "created_by": "anna", "started_at": at(95), "ended_at": None, "origin": "site",
    }  # fmt: skip
    return RolloutView(**(facts | changes))


def wave(number: int, devices: int, good: int, bad: int, state: str, **changes: Any) -> WaveView:
    """A wave that began."""
    facts: dict[str, Any] = {
        "number": number, "devices": devices, "good": good, "bad": bad, "open": devices - good - bad,
        "state": state, "began_at": at(90), "next_at": None,
    }  # fmt: skip
    return WaveView(**(facts | changes))


def target(device: str, name: str, step: Step, **changes: Any) -> RolloutDevice:
    """A device of the second wave."""
    facts: dict[str, Any] = {
        "device": device, "name": name, "wave": 2, "step": step, "attempt": 1, "done": 0, "size": 184_320,
        "reason": "", "changed_at": at(3), "deadline_at": at(-57),
    }  # fmt: skip
    return RolloutDevice(**(facts | changes))


def firmware(device: str, **changes: Any) -> DeviceFirmware:
    """A device that runs the older version."""
    facts: dict[str, Any] = {
        "device": device, "version": "20260201.120000", "app": OLD, "image": "", "security": 1, "trial": False,
        "legacy": False, "seen_at": at(2), "rollout": None, "artifact": None, "step": None, "reason": "",
        "held_off_until": None,
    }  # fmt: skip
    return DeviceFirmware(**(facts | changes))


def job(id: str, path: str, what: Work, state: FlashState, **changes: Any) -> FlashView:
    """Work at a port."""
    facts: dict[str, Any] = {
        "id": id, "path": path, "what": what, "state": state, "percent": 0, "step": "", "ask": "", "log": [],
        "board": BoardView(), "reason": "", "hint": "", "started_at": at(2), "started_by": "anna", "ended_at": None,
    }  # fmt: skip
    return FlashView(**(facts | changes))


def setup(id: str, way: Any, where: str, state: Any, *steps: str, **changes: Any) -> ProvisionView:
    """A board being set up, with a step each few seconds."""
    facts: dict[str, Any] = {
        "id": id, "way": way, "where": where, "state": state, "only_asks": False, "ssid": "Hall",
        "started_at": at(2), "started_by": "anna",
        "steps": [ProvisionStep(at(2 - index / 10), text) for index, text in enumerate(steps)],
    }  # fmt: skip
    return ProvisionView(**(facts | changes))


def fill(made: FakeUpdates) -> None:
    """All of it."""
    _hold(made)
    _roll_out(made)
    _run(made)
    _flash(made)
    _set_up(made)


def _hold(made: FakeUpdates) -> None:
    """What the hub holds."""
    for held in (
        artifact(NEW, "sensor", "20260314.090000", used_by=2, notes="smoother temperatures"),
        artifact(OLD, "sensor", "20260201.120000", created_at=at(59_000)),
        artifact(LEGACY, "sh1106", "20251230.080000", kind=Kind.ESP_IMAGE, signed_by=[], legacy_only=True, files=1,
                 size=912_640, sha256="0" * 64, created_at=at(99_000)),
    ):  # fmt: skip
        made.artifacts[held.id] = held


def _roll_out(made: FakeUpdates) -> None:
    """A rollout that stands, one under way, one that is over."""
    made.groups = [GroupView(name="hall", devices=["till-1", "till-2", "back-office"])]
    made.rollouts["r-hall"] = rollout(
        "r-hall", "hall", RolloutState.PAUSED,
        reason="3 of 49 devices of wave 2 went wrong; more than 5 % stops it.",
        devices=50, steps={"confirmed": 20, "failed": 1, "rolled-back": 1, "timed-out": 1, "downloading": 1,
                           "waiting": 26},
        waves=[wave(1, 1, 1, 0, "done"), wave(2, 49, 19, 3, "stopped", open=27)],
        bytes_done=3_700_000, bytes_all=8_600_000,
    )  # fmt: skip
    made.rollouts["r-desk"] = rollout(
        "r-desk", "desks", RolloutState.RUNNING, target=Target(kind="display"), created_at=at(40), devices=12,
        steps={"confirmed": 5, "already": 1, "testing": 2, "waiting": 4}, bytes_done=1_200_000, bytes_all=2_200_000,
        waves=[wave(1, 1, 1, 0, "done"), wave(2, 5, 5, 0, "soaking", next_at=at(-6)),
               wave(3, 6, 0, 0, "waiting", began_at=None)],
        eta_at=at(-35),
    )  # fmt: skip
    made.rollouts["r-old"] = rollout(
        "r-old", "", RolloutState.DONE, version="20260201.120000", artifact=OLD, created_at=at(50_000), devices=40,
        steps={"confirmed": 40}, ended_at=at(49_900), target=Target(devices=["till-1"]), origin="centre",
    )  # fmt: skip
    made.devices["r-hall"] = [
        target("till-1", "Till 1", Step.CONFIRMED, wave=1, done=184_320, deadline_at=None),
        target("till-2", "Till 2", Step.DOWNLOADING, done=77_414),
        target("back-office", "Back office", Step.TIMED_OUT, reason="Silent for 1 h after the offer.",
               deadline_at=None),
        target("snack-machine", "Snack machine", Step.ROLLED_BACK, done=184_320, deadline_at=None, attempt=2,
               reason="ImportError: no module named 'drivers.sht31'"),
        target("display-9f31", "display-9f31", Step.WAITING, deadline_at=None, changed_at=None),
    ]  # fmt: skip
    made.devices["r-desk"] = [target("till-1", "Till 1", Step.TESTING, done=184_320)]


def _run(made: FakeUpdates) -> None:
    """What devices run."""
    made.firmware["till-1"] = firmware(
        "till-1", version="20260314.090000", app=NEW, security=2, step=Step.CONFIRMED, rollout="r-hall",
        artifact=NEW,
    )  # fmt: skip
    made.firmware["till-2"] = firmware("till-2", step=Step.DOWNLOADING, rollout="r-hall", artifact=NEW)
    made.firmware["back-office"] = firmware("back-office", version="", app="", seen_at=None, legacy=True)
    made.firmware["snack-machine"] = firmware(
        "snack-machine", step=Step.ROLLED_BACK, rollout="r-hall", artifact=NEW, held_off_until=at(-1200),
        reason="ImportError: no module named 'drivers.sht31'",
    )  # fmt: skip
    made.summary = FirmwareSummary(
        versions=[
            VersionCount(target="sensor", version="20260201.120000", devices=27),
            VersionCount(target="sensor", version="20260314.090000", devices=20),
        ],
        reasons=[ReasonCount(step=Step.ROLLED_BACK, reason="ImportError", devices=1)],
        ended=63,
        success_rate=0.937,
    )


def _flash(made: FakeUpdates) -> None:
    """Boards over USB."""
    made.images["c" * 64] = BoardImageView(
        id="c" * 64, name="ESP32_GENERIC-OTA-v1.24.1.bin", kind="esp-combined", chip="esp32", size=1_708_912,
        slots=True, added_at=at(3000), added_by="anna",
    )  # fmt: skip
    seen = BoardView(chip="esp32", model="ESP32-D0WD-V3", mac="24:0a:c4:12:34:56", flash_bytes=4 << 20)
    made.jobs["j1"] = job(
        "j1", "/dev/ttyUSB1", Work.WHOLE, FlashState.RUNNING, percent=42, step="Writing MicroPython", board=seen,
        ask="Hold the button BOOT, tap EN (or RST), and let BOOT go when the percentage moves.",
        log=["It is an ESP32-D0WD-V3 with 4 MB of flash.", "Its settings are kept: WiFi, hub, name.",
             "bootloader, partition table, program: 1708912 bytes."],
    )  # fmt: skip
    made.jobs["j0"] = job(
        "j0", "/dev/ttyUSB2", Work.IDENTIFY, FlashState.FAILED, percent=20, ended_at=at(1),
        reason="The board does not answer.",
        hint="Hold the button BOOT, tap EN (or RST), and let BOOT go when the percentage moves.",
    )  # fmt: skip


def _set_up(made: FakeUpdates) -> None:
    """Boards that get their WiFi."""
    networks = [
        NetworkView("Hall", -52, True), NetworkView("Guests", -71, False), NetworkView("Hall", -80, True),
        NetworkView("Warehouse 2", -66, True),
    ]  # fmt: skip
    made.heard = networks
    made.nearby = [
        NearbyBoard(address="24:0A:C4:12:34:56", name="garden", state="ready", can=["identify", "scan"], rssi=-60,
                    age_s=0.4),
    ]  # fmt: skip
    made.setups["p-done"] = setup(
        "p-done", "cable", "/dev/ttyUSB0", "done",
        "The hub has left /dev/ttyUSB0 to this, and opens it at 115200 baud.",
        "The board answers: Outpost 0.1.0 on ESP32.", "The board has joined Hall.",
        "/dev/ttyUSB0 is the hub's again.",
        "Till 1 is there over the network. It is set up.", device="till-1",
        board=BoardInfo(firmware="Outpost", version="0.1.0", chip="ESP32", name="A0B1C2D3E4F5"),
    )  # fmt: skip
    made.setups["p-came"] = setup(
        "p-came", "ble", "24:0A:C4:12:34:56", "done", "Looking for 24:0A:C4:12:34:56 and connecting to it.",
        "Connected: garden: Outpost 0.1.0 on ESP32.", "The board has joined Hall.",
        "Waiting for it to find the hub.",
        "display-9f31 (display-9f31) is there. It waits for approval.", device="display-9f31", started_at=at(1),
    )  # fmt: skip
    made.setups["p-bad"] = setup(
        "p-bad", "cable", "/dev/ttyUSB2", "failed",
        "The hub has left /dev/ttyUSB2 to this, and opens it at 115200 baud.",
        "Waiting for the board to answer; one that has just started takes up to 12 s.",
        "/dev/ttyUSB2 is the hub's again.", error="No board answered by Improv.",
        hint="Press the board's reset button and try again; one of ours with old firmware: d.",
    )  # fmt: skip

"""Firmware, rollouts and boards as a technician reads them."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from edge.wire.firmware import Kind
from edge.wire.flashing import BoardView, FlashState, FlashView, Work
from edge.wire.provision import NetworkView, ProvisionView
from edge.wire.state_line import wave_cells
from edge.wire.updates import BAD, GOOD, ArtifactView, FirmwareSummary, RolloutView, Target
from tui import ages, asset_words
from tui.literal import literal
from tui.state_bar import Glyphs
from tui.wording import counted

OLDER_HUB = "This hub is of an older version that updates no devices. Update it, then press r."
NO_FIRMWARE = (
    "No firmware is held yet. Make it with `outpost firmware build VARIANT`, press u and give the path of the file."
)
NO_ROLLOUTS = "Nothing was rolled out yet: put the cursor on firmware, press s."
NO_PORTS = "No serial ports. Plug a board in with a cable that carries data; it appears here by itself."
NO_IMAGES = "The hub has no MicroPython yet: u gives it a file. An app alone goes on a board that has one."
SHORT_ID = 8  # characters of an artifact's id: enough to tell two apart
SHOWN_VERSIONS = 3
UNITS = {"": 1, "s": 1, "m": ages.MINUTE_S, "h": ages.HOUR_S, "d": ages.DAY_S}

KINDS = {Kind.APP: "an app", Kind.ESP_IMAGE: "a whole image"}
WORKS = {
    Work.IDENTIFY: "identify",
    Work.WHOLE: "flash",
    Work.APP: "put the app on",
    Work.ERASE: "erase",
    Work.RECOVER: "recover",
    Work.FACTORY_RESET: "factory reset",
}
BUTTONS = (
    "If the board does not answer by itself: hold its button BOOT (IO0 or FLASH on some), tap EN (or RST), and let"
    " BOOT go when the percentage moves. Without buttons: connect GPIO0 to GND while you plug it in."
)


def kind(of: Kind) -> str:
    """What firmware is."""
    return KINDS.get(of, of.value)


def called(view: ArtifactView) -> str:
    """Firmware in a sentence."""
    return f"{literal(view.target, 48)} {literal(view.version, 20)}"


def signed(view: ArtifactView) -> str:
    """Who vouches for it."""
    if view.legacy_only:
        return "by nobody: for older devices alone"
    return f"by {', '.join(view.signed_by)}" if view.signed_by else "by nobody who is trusted now"


def work(of: Work) -> str:
    """What is done with a board."""
    return WORKS.get(of, of.value)


# Rollouts


def good(view: RolloutView) -> int:
    """Devices that ended well."""
    return sum(view.steps.get(step.value, 0) for step in GOOD)


def bad(view: RolloutView) -> int:
    """Devices that ended badly."""
    return sum(view.steps.get(step.value, 0) for step in BAD)


def title(view: RolloutView) -> str:
    """What people call it; its version where they call it nothing."""
    return view.name or view.version or view.id


def whom(target: Target) -> str:
    """Which devices were meant."""
    if target.group:
        return f"the group {target.group}"
    if target.kind:
        return f"every {target.kind}"
    return target.devices[0] if len(target.devices) == 1 else counted(len(target.devices), "chosen device")


def left(view: RolloutView, now: datetime) -> str:
    """How long it goes on at this pace: `35 min`; a dash where that cannot be told."""
    ahead_s = ages.seconds_since(view.eta_at, now)
    return ages.age(-ahead_s) if ahead_s is not None else "-"


def ends(view: RolloutView, zone: tzinfo, now: datetime) -> str:
    """When all is over at this pace."""
    when = ages.moment(view.eta_at)
    return f"ends about {ages.clock_text(when, zone, now)} (in {left(view, now)})" if when else ""


def next_step(view: RolloutView) -> str:
    """What a person can do about a rollout that stands; '' where nothing need be done."""
    if view.state.value == "paused":
        head_office = "" if view.origin == "site" else " Head office leads it: abort and retry are done there."
        return (
            f"t tries those again that went wrong, o goes on without them, x takes it back for good.{head_office}"
        )
    if view.state.value == "short":
        return "t tries those again that went wrong."
    return ""


def plan(view: RolloutView) -> str:
    """The limits it keeps to."""
    of = view.plan
    window = f", between {literal(of.window, 20)}" if of.window else ""
    return (
        f"stops above {of.errors_percent} % errors, next wave from {of.success_percent} % well and"
        f" {lasting(of.soak_s)} later, {lasting(of.deadline_s)} a device{window}"
    )


def wave_bar(good: int, bad: int, total: int, width: int, glyphs: Glyphs) -> str:
    """How far a wave is: well, wrong, and what is left."""
    well, wrong, left = wave_cells(good, bad, total, width)
    return glyphs.full * well + glyphs.wrong * wrong + glyphs.left * left


def percent_bar(percent: float, width: int, glyphs: Glyphs) -> str:
    """A bar of `width` cells of which so many percent are full."""
    full = max(0, min(width, int(percent * width / 100)))
    return glyphs.full * full + glyphs.left * (width - full)


def percent(done: int, of: int) -> str:
    """`42 %`; a dash where there is nothing to do, never 100 for what is less."""
    return f"{min(99 if done < of else 100, done * 100 // of)} %" if of > 0 else "-"


def lasting(seconds: int) -> str:
    """A length of time as it is typed: `90s`, `10m`, `2h`, `1d`."""
    for unit, size in (("d", ages.DAY_S), ("h", ages.HOUR_S), ("m", ages.MINUTE_S)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s" if seconds else "0"


def seconds(text: str) -> int | None:
    """What was typed so, in seconds; None for what is no length of time."""
    found = re.fullmatch(r"(\d{1,7})\s*([smhd]?)", text.strip(), re.ASCII)
    return int(found[1]) * UNITS[found[2]] if found else None


def waves(text: str) -> tuple[int, ...] | None:
    """`0, 10, 50, 100` as shares of all devices; None for what is no list of shares that rise to 100."""
    parts = [part for part in re.split(r"[\s,]+", text.strip()) if part]
    if not parts or not all(part.isascii() and part.isdecimal() and len(part) < 4 for part in parts):
        return None
    shares = [int(part) for part in parts]
    return tuple(shares) if shares == sorted(set(shares)) and shares[-1] == 100 else None


def runs(summary: FirmwareSummary | None) -> str:
    """Which versions run, and how updates went: a line."""
    if summary is None:
        return ""
    most = sorted(summary.versions, key=lambda it: (-it.devices, it.target, it.version))
    if not most:
        return "No device has said yet which version it runs."
    parts = [
        f"{counted(it.devices, 'device')} on {literal(it.target, 20)} {literal(it.version, 20)}"
        for it in most[:SHOWN_VERSIONS]
    ]
    if len(most) > SHOWN_VERSIONS:
        parts.append(f"{len(most) - SHOWN_VERSIONS} more")
    if summary.success_rate is not None:
        parts.append(
            f"{asset_words.share(summary.success_rate)} of {counted(summary.ended, 'update')} in 30 days went well"
        )
    return " · ".join(parts)


# Boards


def board(view: BoardView) -> str:
    """What was found out about a board; '' for nothing."""
    flash = f"{view.flash_bytes // (1 << 20)} MB of flash" if view.flash_bytes else ""
    python = f"MicroPython {view.micropython}" if view.micropython else ""
    app = f"{view.kind or 'our firmware'} {view.firmware}" if view.firmware else ""
    waits = "waits for firmware" if view.download_mode else ""
    found = (view.model or view.chip, flash, f"MAC {view.mac}" if view.mac else "", python, app, waits)
    return " · ".join(literal(part, 60) for part in found if part)


def flashed(view: FlashView) -> str:
    """How a job at a port stands, in a few words."""
    if view.state is FlashState.RUNNING:
        return "needs your hand" if view.ask else view.step
    return view.reason if view.state is FlashState.FAILED else work(view.what)


def signal(network: NetworkView) -> str:
    """How well a WiFi is heard, and whether it wants a password."""
    lock = "with a password" if network.secured else "open"
    if network.rssi is None:
        return lock
    words = "strong" if network.rssi >= -60 else "good" if network.rssi >= -70 else "weak"
    return f"{words} ({network.rssi} dBm), {lock}"


def board_info(view: ProvisionView) -> str:
    """What a board says of itself; '' where it said nothing."""
    it = view.board
    if it is None:
        return ""
    firmware = " ".join(part for part in (it.firmware, it.version) if part)
    return " · ".join(literal(part, 40) for part in (it.name, firmware, it.chip) if part)

"""What a technician can do to an asset: say why it stood, name it, and say which input tells of it."""

from __future__ import annotations

from datetime import datetime, tzinfo

from edge.wire.assets import AssetView, ChangeAsset, ReasonView, StopView, Wire
from tui import ages, asset_words
from tui.client import segment
from tui.deeds import ask, name
from tui.dialogs.give_reason import GiveReasonDialog
from tui.dialogs.question import Blank, Question, means_yes, something, yes_or_no
from tui.literal import literal
from tui.screens.site_screen import SiteScreen

LEAST_SILENT_S = 5
LONGEST_S = 86_400


def called(view: AssetView) -> str:
    """An asset in a sentence."""
    return f"“{name(view.name)}”"


async def give_reason_now(screen: SiteScreen, view: AssetView) -> None:
    """Say why it stands still at present."""
    client = screen.session.client
    stops = await client.newest("/v1/stops", StopView, 1, asset=view.id, open="1")
    reasons = await client.items("/v1/stop-reasons", ReasonView)
    if stops:
        await give_reason(screen, view, stops[0], reasons)
    else:
        screen.tell(f"{called(view)} does not stand still any more.")


async def give_reason(
    screen: SiteScreen, view: AssetView, stop: StopView, reasons: list[ReasonView]
) -> StopView | None:
    """Say why it stood still then; the stop with its reason, None where nothing was said."""
    said = await screen.app.push_screen_wait(GiveReasonDialog(_stop_text(screen, view, stop), stop, reasons))
    if said is None:
        return None
    where = f"/v1/assets/{segment(view.id)}/stops/{segment(stop.id)}/reason"
    given = await screen.session.client.send("PUT", where, said, StopView)
    word = given.reason_name or given.reason
    screen.tell(f"{called(view)} stood for: {name(word)}." if word else "The reason is taken away.")
    return given


async def set_up(screen: SiteScreen, view: AssetView) -> None:
    """Its name, its line, which of its stops are short, and when its logger counts as silent."""
    blanks = (
        Blank("name", "Name (empty: as it was)", _plain(view.name)),
        Blank("line", "Line (may be empty)", _plain(view.line)),
        Blank("short", "Stops are short below (seconds)", f"{view.short_stop_s:g}", lambda it: _seconds(it, 0)),
        Blank(
            "silent", "Silent after (seconds without a word)", f"{view.silent_s:g}",
            lambda it: _seconds(it, LEAST_SILENT_S),
        ),
    )  # fmt: skip
    effect = f"{called(view)}: both limits count for all its time, past stops too."
    answer = await ask(screen, Question("Set up an asset", effect, (("do", "Save"),), blanks, False))
    if not answer:
        return
    line = answer.values["line"]
    kept = not line and not _plain(view.line)  # what could not be shown was not emptied either
    body = ChangeAsset(
        name=answer.values["name"] or None,
        line=None if kept else line,
        short_stop_s=float(answer.values["short"]),
        silent_s=float(answer.values["silent"]),
    )
    fresh = await screen.session.client.send("PATCH", f"/v1/assets/{segment(view.id)}", body, AssetView)
    screen.site.machines.put(fresh)
    screen.tell(f"{called(fresh)} is set.")


async def wire(screen: SiteScreen, view: AssetView) -> None:
    """Say which input of which logger tells of it, and since when."""
    site, clock = screen.site, screen.session.clock
    logger = _plain(site.device_name(view.device))
    alone = [device.name for device in site.devices()].count(logger) == 1
    blanks = (
        Blank("device", "Logger's name or id", logger if alone else _plain(view.device), something),
        Blank("input", "Input (as its reading is called)", _plain(view.input), something),
        Blank("inverted", "True means stopped (yes or no)", "yes" if view.inverted else "no", yes_or_no),
        Blank(
            "at", "Since (empty: now)", "", lambda it: _time(it, site.zone, clock.now()),
            "14:30, 2026-11-21 14:30 or -2h",
        ),
    )  # fmt: skip
    effect = (
        f"From then on this input tells of {called(view)}, and no other; what was said of later times is replaced."
        " Its figures since then are worked out anew. What it did before stays."
    )
    answer = await ask(screen, Question("Wire to an input", effect, (("do", "Wire"),), blanks))
    if answer:
        values = answer.values
        body = Wire(
            device=values["device"],
            input=values["input"],
            inverted=means_yes(values["inverted"]),
            at=asset_words.moment(values["at"], site.zone, clock.now()) or None,
        )
        where = f"/v1/assets/{segment(view.id)}/wiring"
        fresh = await screen.session.client.send("PUT", where, body, AssetView)
        site.machines.put(fresh)
        told = asset_words.place(fresh, site.device_name(fresh.device))
        screen.tell(f"{called(fresh)}: {told}.")


def _plain(text: str) -> str:
    """A text that can be put into a line to edit; '' for one that would look other than it is."""
    return text if literal(text) == text else ""


def _stop_text(screen: SiteScreen, view: AssetView, stop: StopView) -> str:
    now = screen.session.clock.now()
    at = ages.clock_text(ages.moment(stop.at), screen.site.zone, now)
    goes_on = " and stands still" if stop.to is None else ""
    return f"{called(view)} stopped at {at}, for {asset_words.lasting(stop.stopped_s)}{goes_on}."


def _seconds(text: str, least: int) -> str:
    try:
        good = least <= float(text) <= LONGEST_S
    except ValueError:
        good = False
    return "" if good else f"A number of seconds from {least} to {LONGEST_S}."


def _time(text: str, zone: tzinfo, now: datetime) -> str:
    good = asset_words.moment(text, zone, now) is not None
    return "" if good else "A time such as 14:30, 2026-11-21 14:30 or -2h."

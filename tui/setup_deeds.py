"""Giving a board its WiFi and its hub, step by step: ask it what it hears, choose, type the password, begin."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from edge.wire.provision import ProvisionView, ProvisionWay, StartProvision
from tui import update_words
from tui.boards import AIR, CABLE, PORTAL
from tui.client import segment
from tui.deeds import ask, choose, name, sure
from tui.dialogs.choose import Choice
from tui.dialogs.question import Blank, Question, something
from tui.screens.site_screen import SiteScreen

LOOK_S = 0.5  # between two looks at whether the board has answered
OTHER = Choice(" other", "(another name)", "a WiFi that hides, or was not heard")
AGAIN = Choice(" again", "(ask the board again)", "what it hears now")
SSID_BYTES = 32
PASSWORD = range(8, 65)  # bytes; 64 hex digits are the key itself
HOW = {
    CABLE: "over its cable",
    "dialogue": "at its console, as if you typed it",
    AIR: "over Bluetooth",
    PORTAL: "by the page it serves itself",
}


class Place(NamedTuple):
    """Where a board is set up: `key` as tui/boards.place_of makes it, `called` in a sentence."""

    key: str
    way: ProvisionWay
    where: str
    called: str
    blinks: bool = False


async def set_up(screen: SiteScreen, place: Place) -> None:
    """The whole way, as far as a person has to do something; the hub tells the rest."""
    if place.way == PORTAL:
        await _by_page(screen, place)
        return
    ssid = await _choose_wifi(screen, place)
    if ssid is not None:
        await _begin(screen, place, ssid)


async def cancel(screen: SiteScreen, job: ProvisionView) -> None:
    """End a job."""
    effect = "What the board has stored by now it keeps. Its port, or the radio, is free at once."
    if await ask(screen, sure("End setting it up?", effect, "End it")):
        where = f"/v1/provision/{segment(job.id)}/cancel"
        _show(screen, await screen.session.client.send("POST", where, None, ProvisionView))


async def _by_page(screen: SiteScreen, place: Place) -> None:
    effect = (
        "The board opens a WiFi of its own, whose page asks for the WiFi and its password: you type them on a"
        " phone. What to do is told step by step; the hub waits a quarter of an hour for the board."
    )
    if await ask(screen, Question("By the board's own page", effect, (("do", "Begin"),), dangerous=False)):
        await _send(screen, StartProvision(way=place.way))


async def _choose_wifi(screen: SiteScreen, place: Place) -> str | None:
    """A WiFi's name out of what the board hears; '' to type one, None for none."""
    known = screen.site.boards.networks_of(place.key)
    if not known and place.way != "dialogue":
        if not await _asked(screen, place):
            return None
        known = screen.site.boards.networks_of(place.key)
    while known or place.way != "dialogue":
        choices = [Choice(network.ssid, network.ssid, update_words.signal(network)) for network in known]
        effect = f"{place.called} hears these. An ESP32 hears 2.4 GHz alone."
        chosen = await choose(screen, "Which WiFi?", effect, [*choices, OTHER, AGAIN])
        if chosen != AGAIN.key:
            return "" if chosen == OTHER.key else chosen
        if not await _asked(screen, place):
            return None
        known = screen.site.boards.networks_of(place.key)
    return ""


async def _asked(screen: SiteScreen, place: Place) -> bool:
    """Ask the board who it is and what it hears, and wait for that; whether one may go on."""
    way: ProvisionWay = "cable" if place.way == "dialogue" else place.way
    view = await _send(screen, StartProvision(way=way, where=place.where, identify=place.blinks))
    while view.state == "running":
        await asyncio.sleep(LOOK_S)
        where = f"/v1/provision/{segment(view.id)}"
        view = await screen.session.client.get(where, ProvisionView)
        _show(screen, view)
    if view.state != "done":
        return False
    if screen.app.screen is not screen:
        screen.tell(f"{place.called} has answered: 9, then Enter goes on.")
        return False
    return True


async def _begin(screen: SiteScreen, place: Place, ssid: str) -> None:
    named = (Blank("ssid", "Name of the WiFi", "", _ssid),) if not ssid else ()
    secured = next((it.secured for it in screen.site.boards.networks_of(place.key) if it.ssid == ssid), True)
    password = Blank("password", "Password (empty: an open network)", "", _password, secret=True)
    ours = (
        Blank("name", "What the hub calls the board (may be empty)"),
        Blank("hub_url", "The hub's address (empty: it looks for it)", "", _url, "http://10.0.0.5:5000"),
    )
    blanks = named + ((password,) if secured else ()) + (ours if place.way != AIR else ())
    into = f"into “{name(ssid)}” " if ssid else ""
    effect = f"{place.called} is set up {into}{HOW[place.way]}. The password is passed on and kept nowhere."
    answer = await ask(screen, Question("Set this board up", effect, (("do", "Begin"),), blanks, False))
    if answer:
        values = answer.values
        wanted = StartProvision(
            way=place.way,
            where=place.where,
            ssid=ssid or values["ssid"],
            password=values.get("password", ""),
            hub_url=values.get("hub_url", ""),
            name=values.get("name", ""),
        )
        await _send(screen, wanted)


async def _send(screen: SiteScreen, wanted: StartProvision) -> ProvisionView:
    view = await screen.session.client.send("POST", "/v1/provision", wanted, ProvisionView)
    _show(screen, view)
    return view


def _show(screen: SiteScreen, view: ProvisionView) -> None:
    screen.site.boards.put_setup(view)
    screen.redraw()


def _ssid(text: str) -> str:
    return something(text) or ("" if len(text.strip().encode()) <= SSID_BYTES else "A name has at most 32 bytes.")


def _password(text: str) -> str:
    good = not text or len(text.encode()) in PASSWORD
    return "" if good else "A password has 8 to 63 characters."


def _url(text: str) -> str:
    good = not text.strip() or text.strip().startswith(("http://", "https://"))
    return "" if good else "An address such as http://10.0.0.5:5000."

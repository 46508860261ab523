"""What a technician can do to a vending machine's slot: vend, restock, say what is in it, correct its count."""

from __future__ import annotations

import uuid

from edge.wire import money
from edge.wire.vending import Restock, SetSlot, SlotView, Vend, Vended
from tui.deeds import ask, name, path, sure
from tui.dialogs.question import Blank, Question
from tui.literal import typeable
from tui.screens.site_screen import SiteScreen

MOST = 9999  # of anything in a slot


async def vend(screen: SiteScreen, view: SlotView) -> None:
    """Have one dispensed, once, whatever happens."""
    what = f"“{name(view.item)}”" if view.item else "one piece"
    effect = f"{where(screen, view)} dispenses {what}. It is never repeated by itself, whatever goes wrong."
    if not await ask(screen, sure("Vend?", effect, "Vend")):
        return
    address = _address(view, "/vend")
    body = Vend(note="at the terminal")
    vended = await screen.session.client.send("POST", address, body, Vended, headers=_once())
    screen.site.put_commands([vended.command])
    screen.site.goods.put_slot(vended.slot)
    screen.redraw()
    screen.tell(f"{where(screen, view)}: asked. The list below says how it ends.")


async def restock(screen: SiteScreen, view: SlotView) -> None:
    """Put some in."""
    room = f"{view.capacity - (view.count or 0)} more fit." if view.capacity else "Its capacity is not known."
    blank = Blank("add", "How many you put in", "", _whole)
    question = Question(
        "Restock", f"{where(screen, view)} holds {_held(view)}. {room}", (("do", "Restock"),), (blank,), False
    )
    answer = await ask(screen, question)
    if answer:
        await _restock(screen, view, Restock(add=int(answer.values["add"])))


async def correct(screen: SiteScreen, view: SlotView) -> None:
    """Say how many there really are."""
    effect = (
        f"{where(screen, view)} holds {_held(view)} by the book. What you count is written down as a correction."
    )
    blanks = (Blank("count", "How many there really are", "", _whole), Blank("note", "Why (may be empty)"))
    answer = await ask(screen, Question("Correct the count", effect, (("do", "Correct"),), blanks))
    if answer:
        body = Restock(count=int(answer.values["count"]), note=answer.values["note"])
        await _restock(screen, view, body)


async def set_up(screen: SiteScreen, view: SlotView) -> None:
    """Say what is in it and what it costs."""
    blanks = (
        Blank("item", "What is in it (empty: as it was)", view.item if typeable(view.item) else ""),
        Blank("price", "Price", _price(view), _amount),
        Blank("currency", "Currency (three letters)", view.currency if typeable(view.currency) else "", _currency),
        Blank("capacity", "How many fit", str(view.capacity or ""), lambda text: _whole(text) if text else ""),
    )
    question = Question("Slot", f"{where(screen, view)}.", (("do", "Save"),), blanks, False)
    answer = await ask(screen, question)
    if answer:
        values = answer.values
        body = SetSlot(
            item=values["item"] or None,
            price=money.parse(values["price"], values["currency"]) if values["price"] else None,
            currency=values["currency"].upper() or None,
            capacity=int(values["capacity"]) if values["capacity"] else None,
        )
        fresh = await screen.session.client.send("PUT", _address(view), body, SlotView)
        screen.site.goods.put_slot(fresh)
        screen.redraw()
        screen.tell(f"{where(screen, view)} is set.")


def where(screen: SiteScreen, view: SlotView) -> str:
    """A slot in a sentence."""
    return f"Slot {view.slot} of “{name(screen.site.device_name(view.device))}”"


async def _restock(screen: SiteScreen, view: SlotView, body: Restock) -> None:
    address = _address(view, "/restock")
    fresh = await screen.session.client.send("POST", address, body, SlotView, headers=_once())
    screen.site.goods.put_slot(fresh)
    screen.redraw()
    screen.tell(f"{where(screen, view)} holds {_held(fresh)} now.")


def _once() -> dict[str, str]:
    """A key of its own: however often the request goes out, it is done once."""
    return {"Idempotency-Key": uuid.uuid4().hex}


def _address(view: SlotView, rest: str = "") -> str:
    return path(view.device, f"/slots/{view.slot}{rest}")


def _held(view: SlotView) -> str:
    return "an unknown number" if view.count is None else str(view.count)


def _price(view: SlotView) -> str:
    return money.typed(view.price, view.currency) if view.price else ""


def _whole(text: str) -> str:
    good = text.strip().isdecimal() and int(text) <= MOST
    return "" if good else f"A whole number up to {MOST}."


def _amount(text: str) -> str:
    if not text.strip():
        return ""
    try:
        money.parse(text, "")
    except ValueError:
        return "An amount such as 1.50."
    return ""


def _currency(text: str) -> str:
    letters = text.strip()
    return "" if not letters or (len(letters) == 3 and letters.isalpha()) else "Three letters, such as EUR."

"""What a technician can do to a command: take it back, send it again, or say what happened."""

from __future__ import annotations

from urllib.parse import quote

from edge.wire.commands import ENDED, State
from edge.wire.views import CommandView, Resolve
from tui.deeds import ask, name, sure
from tui.dialogs.question import Blank, Question, something
from tui.screens.site_screen import SiteScreen
from tui.wording import kind_text


def fits(verb: str, view: CommandView | None) -> bool:
    """Whether cancel, retry or resolve can make sense for it; the hub has the last word."""
    if view is None:
        return False
    allowed = {"cancel": view.state is State.QUEUED, "resolve": view.state is State.IN_DOUBT}
    return allowed.get(verb, view.state in ENDED)


async def cancel(screen: SiteScreen, view: CommandView) -> None:
    """Take back what has not been sent."""
    if view.state is not State.QUEUED:
        screen.tell(f"Only a queued command can be taken back; this one is {view.state.replace('_', ' ')}.")
        return
    effect = f"{_what(screen, view)} is taken back. The device never sees it."
    if await ask(screen, sure("Take this command back?", effect, "Take back")):
        await _send(screen, view, "cancel", None, "Taken back.")


async def retry(screen: SiteScreen, view: CommandView) -> None:
    """Send again; the hub refuses where that could act twice."""
    effect = f"{_what(screen, view)} is sent again, as a new command. The hub refuses where that could act twice."
    if await ask(screen, sure("Send this command again?", effect, "Send again")):
        await _send(screen, view, "retry", None, "It is queued again, as a new command.")


async def resolve(screen: SiteScreen, view: CommandView) -> None:
    """Settle a command in doubt by what a person saw."""
    if view.state is not State.IN_DOUBT:
        screen.tell(f"Only a command in doubt is resolved by a person; this one is {view.state.replace('_', ' ')}.")
        return
    effect = (
        f"{_what(screen, view)}: nobody can know from here whether it happened. Look at the device, then say. "
        f"Your name and note are kept. Reason for the doubt: {name(view.reason or 'none given')}"
    )
    choices = (("failed", "It did not happen"), ("succeeded", "It happened"))
    blank = Blank("note", "What you saw", check=something)
    answer = await ask(screen, Question("What happened?", effect, choices, (blank,)))
    if answer:
        body = Resolve(outcome=answer.choice, note=answer.values["note"])
        await _send(
            screen,
            view,
            "resolve",
            body,
            "Settled: it " + ("happened." if answer.choice == "succeeded" else "did not happen."),
        )


def _what(screen: SiteScreen, view: CommandView) -> str:
    device = screen.site.device_name(view.device)
    return f"“{kind_text(name(view.kind))}” for “{name(device)}” ({name(view.device)})"


async def _send(screen: SiteScreen, view: CommandView, verb: str, body: Resolve | None, done: str) -> None:
    where = f"/v1/commands/{quote(view.id, safe='')}/{verb}"
    fresh = await screen.session.client.send("POST", where, body, CommandView)
    screen.site.put_commands([fresh])
    screen.redraw()
    screen.tell(done)

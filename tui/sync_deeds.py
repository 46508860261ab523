"""What a technician can do about syncing: enrol this site, leave the centre, and settle what it would not take."""

from __future__ import annotations

from edge.wire.site import (
    DeadLetterDone,
    DeadLetterView,
    DiscardLetters,
    EnrolSite,
    LettersDiscarded,
    SyncView,
)
from tui.deeds import ask, name, sure
from tui.dialogs.question import Blank, Question, something
from tui.literal import typeable
from tui.messages import ActionAsked
from tui.screens.site_screen import SiteScreen


async def enrol(screen: SiteScreen, view: SyncView) -> None:
    """Trade the code of head office for this site's token; asks where the centre is, unless that is known."""
    blanks = [Blank("code", "Code that head office read out", "", something)]
    blanks += [Blank("url", "Address of the centre", "", _address, "https://")] if not view.url else []
    question = Question("Enrol this site", _effect(view), (("do", "Enrol"),), tuple(blanks), view.state != "off")
    answer = await ask(screen, question)
    if answer:
        body = EnrolSite(code=answer.values["code"], url=answer.values.get("url", ""))
        fresh = await screen.session.client.send("POST", "/v1/sync/enrol", body, SyncView)
        _show(screen, fresh)
        screen.tell(f"Enrolled as “{name(fresh.name or fresh.site)}”.")


async def leave(screen: SiteScreen, view: SyncView) -> None:
    """Send nothing to the centre any more."""
    effect = (
        f"This hub sends nothing to {name(view.url)} any more, and takes no command from there. It goes on alone,"
        " and keeps everything. To come back it needs a new code from head office."
    )
    if await ask(screen, sure("Leave the centre?", effect, "Leave")):
        _show(screen, await screen.session.client.send("POST", "/v1/sync/leave", None, SyncView))
        screen.tell("This hub works alone now.")


async def retry(screen: SiteScreen) -> None:
    """Send again what the centre would not take; harmless, so it does not ask."""
    done = await screen.session.client.send("POST", "/v1/sync/dead-letters/retry", None, DeadLetterDone)
    asked = len(screen.site.letters)
    screen.tell(
        f"The centre took {done.sent} of {max(asked, done.sent)}." if done.sent else "It takes none of them."
    )
    screen.post_message(ActionAsked("app.refresh_now"))


async def discard(screen: SiteScreen, letter: DeadLetterView | None) -> None:
    """Leave the row under the cursor, or all that are listed, out for good."""
    listed = [each.id for each in screen.site.letters]
    effect = (
        "The centre never gets it: this hub does not send it again, and the ledger tells who discarded it. What the"
        " hub itself shows of it stays."
    )
    one = (("one", "This row"),) if letter is not None else ()
    question = Question("Discard what the centre would not take?", effect, (*one, ("all", f"All {len(listed)}")))
    if answer := await ask(screen, question):
        ids = [letter.id] if letter is not None and answer.choice == "one" else listed
        done = await screen.session.client.send(
            "POST", "/v1/sync/dead-letters/discard", DiscardLetters(ids=ids), LettersDiscarded
        )
        screen.tell(f"Left out for good: {done.discarded}.")
        screen.post_message(ActionAsked("app.refresh_now"))


def _effect(view: SyncView) -> str:
    where = f"at {name(view.url)} " if view.url else ""
    if view.state == "off":
        return (
            f"The centre {where}will see what this site does, from the first day on, and may command its devices."
            " The code works once."
        )
    return (
        f"This hub is “{name(view.name or view.site)}” {where}already. With a new code it takes that place anew, or"
        " another; whatever else speaks for it is shut out."
    )


def _address(text: str) -> str:
    good = (
        typeable(text) and text.strip().startswith(("http://", "https://")) and len(text.strip()) > len("https://")
    )
    return "" if good else "An address such as https://outpost.example.com."


def _show(screen: SiteScreen, view: SyncView) -> None:
    screen.site.sync = view
    screen.redraw()

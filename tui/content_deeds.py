"""What a technician can do about what people have written for panels: publish it, and go back."""

from __future__ import annotations

from edge.wire.content import DocumentBody, DocumentView, Publish, VersionView
from tui import ages, content_words
from tui.client import segment
from tui.deeds import ask, choose, name, sure
from tui.dialogs.choose import Choice
from tui.dialogs.question import Blank, Question
from tui.screens.site_screen import SiteScreen

NOTE_CHARS = 300


def path(view: DocumentView, rest: str = "") -> str:
    """The address of a document."""
    return f"/v1/content/{content_words.PATHS[view.kind]}/{segment(view.id)}{rest}"


def called(view: DocumentView) -> str:
    """A document in a sentence."""
    return f"{content_words.KINDS[view.kind]} “{name(view.title or view.id)}”"


async def publish(screen: SiteScreen, view: DocumentView) -> None:
    """Let panels show the draft."""
    if not view.draft and not view.conflict:
        screen.tell(f"The {called(view)} is published as it is.")
        return
    effect = (
        f"The draft of the {called(view)}, last changed by {name(view.changed_by)}, becomes version"
        f" {view.version + 1}. Panels show it from their next look on; b goes back to an earlier one."
    )
    if view.conflict:
        effect += " What head office has sent stays as a version beside it."
    blank = Blank("note", "Note (may be empty)")
    answer = await ask(screen, Question("Publish?", effect, (("do", "Publish"),), (blank,)))
    if answer:
        body = Publish(revision=view.revision, note=answer.values["note"][:NOTE_CHARS])
        await _publish(screen, view, body)


async def back(screen: SiteScreen, view: DocumentView) -> None:
    """Publish an earlier version once more."""
    client = screen.session.client
    versions = await client.items(path(view, "/versions"), VersionView)
    now, zone = screen.session.clock.now(), screen.site.zone
    choices = [
        Choice(
            str(it.version), f"Version {it.version}", f"{ages.clock_text(ages.moment(it.at), zone, now)} {_of(it)}"
        )
        for it in versions
        if it.state != "published"
    ]
    if not choices:
        screen.tell(f"There is no other version of the {called(view)}.")
        return
    chosen = await choose(
        screen, "Go back to which version?", f"It is published once more, as version {view.version + 1}.", choices
    )
    if chosen is None:
        return
    effect = f"Version {chosen} of the {called(view)} is what panels show from their next look on."
    if view.draft:
        effect += " The draft stays."
    if await ask(screen, sure("Go back?", effect, "Go back")):
        await _publish(screen, view, Publish(version=int(chosen)))


def _of(version: VersionView) -> str:
    by = f"by {version.by}"
    if version.state == "conflict":
        return f"{by}, sent without knowing what is here"
    return f"{by}: {version.note}" if version.note else by


async def _publish(screen: SiteScreen, view: DocumentView, body: Publish) -> None:
    made = await screen.session.client.send("POST", path(view, "/publish"), body, DocumentBody)
    screen.site.panels.put_document(made)
    screen.redraw()
    screen.tell(f"The {called(made)} is published: version {made.version}.")

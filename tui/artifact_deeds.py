"""What a technician can do about the firmware a hub holds: give it some, and take it away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from edge.wire.firmware import SUFFIX
from edge.wire.flashing import BoardImageView
from edge.wire.updates import ArtifactView
from tui import update_words
from tui.client import segment
from tui.deeds import ask, name, sure
from tui.dialogs.question import Blank, Question, something
from tui.screens.site_screen import SiteScreen

T = TypeVar("T")
Told = Callable[[str], None]
"""Hears how far an upload is, in words; '' once it is over."""


async def upload(screen: SiteScreen, told: Told) -> ArtifactView | None:
    """Give the hub a bundle, or the image of an older device."""
    effect = (
        f"A signed file (…{SUFFIX}) says itself what it is for. Any other file is taken for the image of an older"
        " device, unsigned: say then for which kind of device it is."
    )
    blanks = (
        Blank("path", "Path of the file on this machine", "", something),
        Blank("target", "Only for an unsigned image: kind of device"),
        Blank("notes", "Notes (may be empty)"),
    )
    answer = await ask(screen, Question("Upload firmware", effect, (("do", "Upload"),), blanks, False))
    if answer is None:
        return None
    values = answer.values
    file = Path(values["path"]).expanduser()
    made = await _send(screen, "/v1/artifacts", file, ArtifactView, told, values["target"], values["notes"])
    screen.site.firmware.put_artifact(made)
    screen.redraw()
    return made


async def upload_image(screen: SiteScreen, told: Told) -> BoardImageView | None:
    """Give the hub a MicroPython for boards on a cable."""
    effect = (
        "The .bin for your chip from micropython.org, 1.22 or newer; the variant OTA where there is one. It is"
        " looked at before it is kept."
    )
    blanks = (Blank("path", "Path of the file on this machine", "", something),)
    answer = await ask(screen, Question("Upload MicroPython", effect, (("do", "Upload"),), blanks, False))
    if answer is None:
        return None
    file = Path(answer.values["path"]).expanduser()
    made = await _send(screen, "/v1/board-images", file, BoardImageView, told)
    screen.site.boards.images[made.id] = made
    screen.redraw()
    screen.tell(f"“{name(made.name)}” for {name(made.chip)} is kept.")
    return made


async def remove(screen: SiteScreen, view: ArtifactView) -> None:
    """Let the hub hold it no more."""
    what = update_words.called(view)
    effect = f"{what} is removed from this hub. Devices that run it go on; nobody new gets it."
    if await ask(screen, sure("Remove this firmware?", effect, "Remove")):
        await screen.session.client.change("DELETE", f"/v1/artifacts/{segment(view.id)}")
        screen.site.firmware.drop_artifact(view.id)
        screen.redraw()
        screen.tell(f"{what} is removed.")


async def _send(
    screen: SiteScreen, where: str, file: Path, kind: type[T], told: Told, target: str = "", notes: str = ""
) -> T:
    def sent(done: int, size: int) -> None:
        told(
            f"Sending {file.name}: {done * 100 // max(1, size)} %"
            if done < size
            else f"The hub looks at {file.name}"
        )

    more = {"name": file.name} if kind is BoardImageView else {"target": target, "notes": notes}
    told(f"Sending {file.name}")
    try:
        return await screen.session.client.upload(where, file, kind, sent, **more)
    finally:
        told("")

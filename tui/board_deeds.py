"""What a technician can do to a board on a cable: look, flash, recover, reset, erase."""

from __future__ import annotations

from edge.wire.firmware import Kind
from edge.wire.flashing import FlashState, FlashView, NewFlash, Work
from edge.wire.views import PortView
from tui import ages, update_words
from tui.client import segment
from tui.deeds import ask, choose, name, sure
from tui.dialogs.choose import Choice
from tui.dialogs.question import Blank, Question, means_yes, yes_or_no
from tui.screens.site_screen import SiteScreen

NONE = " none"  # the key of a choice that takes nothing: no id has a blank
AS_IT_IS = Choice(NONE, "(as it is)", "MicroPython stays, the app is new")
JUST_FIND = Choice(NONE, "(just find it)", "and say what is wrong with it")
NO_APP = Choice(NONE, "(no app)", "MicroPython alone")
KEEP = Blank("keep", "Keep WiFi, hub, name and wiring (yes or no)", "yes", yes_or_no)


async def identify(screen: SiteScreen, port: PortView) -> None:
    """Ask a board what it is."""
    effect = f"{where(screen, port)}: the board is asked what it is. Nothing on it changes, but it starts anew."
    if await ask(screen, sure("Identify this board?", effect, "Identify")):
        await _begin(screen, NewFlash(path=port.path, what=Work.IDENTIFY))


async def flash(screen: SiteScreen, port: PortView) -> None:
    """MicroPython and an app, or an app alone."""
    image = await _choose_image(screen, port, AS_IT_IS)
    if image is None:
        return
    artifact = await _choose_app(screen, port, [NO_APP] if image else [])
    if artifact is None:
        return
    what = Work.WHOLE if image else Work.APP
    if what is Work.APP:
        effect = (
            f"{where(screen, port)}: the app goes beside the one that runs, is compared, starts. All else stays."
        )
        blanks: tuple[Blank, ...] = ()
    else:
        effect = (
            f"{where(screen, port)}: all of the board is written anew and read back. Files it stored go. Whatever"
            " is cut off in the middle, begin again: no board is lost."
        )
        blanks = (KEEP, Blank("erase", "Erase every byte first, which takes longer (yes or no)", "no", yes_or_no))
    answer = await ask(screen, Question("Flash this board?", effect, (("do", "Flash"),), blanks))
    if answer is None:
        return
    keep, erase = answer.values.get("keep", "yes"), answer.values.get("erase", "no")
    wanted = NewFlash(
        path=port.path,
        what=what,
        image=image,
        artifact=artifact,
        erase=means_yes(erase),
        keep_settings=means_yes(keep),
    )
    await _begin(screen, wanted)


async def recover(screen: SiteScreen, port: PortView) -> None:
    """Find a board that does not answer, and make it whole."""
    image = await _choose_image(screen, port, JUST_FIND)
    if image is None:
        return
    artifact = await _choose_app(screen, port, [NO_APP]) if image else ""
    if artifact is None:
        return
    then = "Then it is written anew. " if image else ""
    effect = f"{where(screen, port)}: the chip is looked for with patience. {then}{update_words.BUTTONS}"
    blanks = (KEEP,) if image else ()
    answer = await ask(screen, Question("Recover this board?", effect, (("do", "Recover"),), blanks))
    if answer:
        keep = means_yes(answer.values.get("keep", "yes"))
        await _begin(
            screen,
            NewFlash(path=port.path, what=Work.RECOVER, image=image, artifact=artifact, keep_settings=keep),
        )


async def erase(screen: SiteScreen, port: PortView) -> None:
    """Every byte."""
    effect = (
        f"{where(screen, port)}: every byte of the board's flash goes. It does nothing until it is flashed again."
    )
    kept = Blank("keep", "Keep its settings at the hub until then (yes or no)", "yes", yes_or_no)
    answer = await ask(screen, Question("Erase this board?", effect, (("do", "Erase"),), (kept,)))
    if answer:
        keep = means_yes(answer.values["keep"])
        await _begin(screen, NewFlash(path=port.path, what=Work.ERASE, keep_settings=keep))


async def factory_reset(screen: SiteScreen, port: PortView) -> None:
    """It forgets its settings."""
    effect = (
        f"{where(screen, port)}: the board forgets WiFi, hub, name and what it stored. It keeps its app, what it is"
        " and how it is wired."
    )
    if await ask(screen, sure("Reset this board?", effect, "Reset")):
        await _begin(screen, NewFlash(path=port.path, what=Work.FACTORY_RESET))


async def cancel(screen: SiteScreen, job: FlashView) -> None:
    """End a job."""
    effect = (
        f"{name(job.path)}: {update_words.work(job.what)} is broken off. The board may have to be flashed again."
    )
    if await ask(screen, sure("End this now?", effect, "End it")):
        _show(
            screen, await screen.session.client.send("POST", f"/v1/flash/{segment(job.id)}/cancel", None, FlashView)
        )
        screen.tell(f"{name(job.path)} is the hub's again.")


def where(screen: SiteScreen, port: PortView) -> str:
    """A port in a sentence, and the device that hangs on it."""
    device = f", device “{name(screen.site.device_name(port.device))}”" if port.device else ""
    return f"{name(port.path)}{device}"


async def _choose_image(screen: SiteScreen, port: PortView, nothing: Choice) -> str | None:
    """The id of a MicroPython, '' for none, None when nothing was chosen."""
    images = sorted(screen.site.boards.images.values(), key=lambda it: (it.chip, it.name))
    choices = [
        Choice(
            view.id,
            view.name,
            f"{view.chip}, {ages.size(view.size)}{'' if view.slots else ', not updated over the air'}",
        )
        for view in images
    ]
    effect = f"{where(screen, port)}. u gives the hub another file." if images else update_words.NO_IMAGES
    chosen = await choose(screen, "Which MicroPython?", effect, [*choices, nothing])
    return None if chosen is None else "" if chosen == NONE else chosen


async def _choose_app(screen: SiteScreen, port: PortView, nothing: list[Choice]) -> str | None:
    """The id of an app, '' for none, None when nothing was chosen."""
    apps = [view for view in screen.site.firmware.artifacts() if view.kind is Kind.APP]
    choices = [
        Choice(view.id, f"{view.target} {view.version}", f"{view.chip}, {update_words.signed(view)}")
        for view in apps
    ]
    if not choices and not nothing:
        screen.tell(f"There is no app to put on it. {update_words.NO_FIRMWARE}")
        return None
    chosen = await choose(screen, "Which app?", where(screen, port) + ".", [*choices, *nothing])
    return None if chosen is None else "" if chosen == NONE else chosen


async def _begin(screen: SiteScreen, wanted: NewFlash) -> None:
    _show(screen, await screen.session.client.send("POST", "/v1/flash", wanted, FlashView))


def _show(screen: SiteScreen, view: FlashView) -> None:
    screen.site.boards.put_flash(view)
    screen.redraw()


def runs(job: FlashView | None) -> bool:
    """Whether a job is under way."""
    return job is not None and job.state is FlashState.RUNNING

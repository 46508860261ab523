"""What a technician can do to a device or a request: the question that names it and its effect, then the call.

Each runs on behalf of a screen, asks first where it is dangerous, and says what came of it. Refusals of the hub
travel up as errors of edge/errors.py; the app shows them with their hint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from edge.wire.views import BindAgent, BindWorkstation, ChangeDevice, ClaimView, DeviceView, NewCommand
from tui.dialogs.choose import Choice, ChooseDialog
from tui.dialogs.question import Answer, Blank, Question, QuestionDialog, something
from tui.literal import literal, typeable
from tui.screens.site_screen import SiteScreen

NAME_LENGTH = 60  # of a name within a sentence


def name(text: str) -> str:
    """A name from outside, within a sentence."""
    return literal(text, NAME_LENGTH)


def called(view: DeviceView) -> str:
    """A device by name and id, so that two of one name cannot be mixed up."""
    return f"“{name(view.name)}” ({name(view.id)})" if view.name and view.name != view.id else f"“{name(view.id)}”"


async def ask(screen: SiteScreen, question: Question) -> Answer | None:
    """Put a question to the technician."""
    return await screen.app.push_screen_wait(QuestionDialog(question))


async def choose(screen: SiteScreen, title: str, effect: str, choices: Sequence[Choice]) -> str | None:
    """Have one of several chosen: its key, None for none."""
    return await screen.app.push_screen_wait(ChooseDialog(title, effect, choices))


def sure(title: str, effect: str, do: str) -> Question:
    """A plain yes or no about something dangerous."""
    return Question(title, effect, (("do", do),))


def path(device: str, rest: str = "") -> str:
    """The address of a device."""
    return f"/v1/devices/{quote(device, safe='')}{rest}"


async def approve(screen: SiteScreen, view: DeviceView) -> None:
    """Let a pending device act."""
    waits = view.trust == "paired" and view.code_wanted
    if view.state != "pending" and not waits:
        screen.tell(f"{called(view)} is approved already.")
        return
    if waits:
        await _approve_by_code(screen, view)
        return
    effect = f"{called(view)} is let in. From then on what it reports counts, and it is sent pictures and commands."
    if await ask(screen, sure("Approve this device?", effect, "Approve")):
        await _change(screen, "POST", path(view.id, "/approve"))
        screen.tell(f"{called(view)} is approved.")


async def _approve_by_code(screen: SiteScreen, view: DeviceView) -> None:
    """A device found over the network: only the code it shows proves that it is this one."""
    effect = (
        f"{called(view)} was found over the network. Read the six digits it shows, on its screen or"
        " its cable, and type them: then it may also act. Left empty it may report and be switched, but not act."
    )
    blank = Blank("code", "Code the device shows", "", _code)
    answer = await ask(screen, Question("Approve this device?", effect, (("do", "Approve"),), (blank,)))
    if answer:
        code = answer.values["code"]
        await _change(screen, "POST", path(view.id, "/approve"), {"code": code} if code else None)
        screen.tell(f"{called(view)} is approved{' and confirmed' if code else ', but not confirmed'}.")


def _code(text: str) -> str:
    return "" if not text.strip() or text.strip().isdecimal() else "Digits alone."


async def confirm(screen: SiteScreen, view: DeviceView) -> None:
    """Its flash was erased: a person says that it may do physical things again."""
    if not view.epoch_new:
        screen.tell(f"{called(view)} has not lost its memory.")
        return
    effect = (
        f"{called(view)} has lost its memory of what it did: its flash was erased or its board replaced. Look at"
        " it: is it the right one, and is nothing half done? Then it may act again."
    )
    if await ask(screen, sure("Let it act again?", effect, "Confirm")):
        await _change(screen, "POST", path(view.id, "/confirm"))
        screen.tell(f"{called(view)} may act again.")


async def rename(screen: SiteScreen, view: DeviceView) -> None:
    """Another name, for people."""
    blank = Blank("name", "New name", view.name if typeable(view.name) else "", something)
    question = Question(
        "Rename", f"{called(view)} gets another name. Its id stays.", (("do", "Rename"),), (blank,), False
    )
    answer = await ask(screen, question)
    if answer:
        await _change(screen, "PATCH", path(view.id), ChangeDevice(name=answer.values["name"]))
        screen.tell(f"It is called “{name(answer.values['name'])}” now.")


async def forget(screen: SiteScreen, view: DeviceView) -> bool:
    """Remove a device; its name, or its id where the name cannot be typed, must be typed. True: it is gone."""
    word = view.name if typeable(view.name) else view.id
    effect = f"{called(view)} is removed with its token, workstations and session. What waits is cancelled."
    blank = Blank(
        "word",
        f"Type {word} to confirm",
        check=lambda text: "" if text.strip() == word else "Nothing happens until it is typed exactly.",
    )
    answer = await ask(screen, Question("Forget this device?", effect, (("do", "Forget"),), (blank,)))
    if not answer:
        return False
    await screen.session.client.change("DELETE", path(view.id))
    screen.site.drop_device(view.id)
    screen.tell(f"{called(view)} is forgotten.")
    return True


async def link_agent(screen: SiteScreen, view: DeviceView) -> None:
    """Seat an agent at a display."""
    sits = f" {name(view.agent.name or view.agent.agent)}, who sits there now, is unseated." if view.agent else ""
    effect = f"From now on the agent's payment codes are shown on {called(view)}.{sits}"
    blanks = (Blank("agent", "Agent's id", "", something), Blank("name", "Agent's name (may be empty)"))
    answer = await ask(screen, Question("Link an agent", effect, (("do", "Link"),), blanks))
    if answer:
        body = BindAgent(agent=answer.values["agent"], name=answer.values["name"])
        await _change(screen, "PUT", path(view.id, "/agent"), body)
        screen.tell(f"{name(body.agent)} sits at {called(view)}.")


async def end_session(screen: SiteScreen, view: DeviceView) -> None:
    """Unseat the agent."""
    if view.agent is None:
        screen.tell(f"Nobody sits at {called(view)}.")
        return
    who = name(view.agent.name or view.agent.agent)
    effect = f"{who} is unseated from {called(view)}. Payment codes of {who} are shown nowhere until linked again."
    if await ask(screen, sure("End this session?", effect, "End session")):
        await _change(screen, "DELETE", path(view.id, "/agent"))
        screen.tell(f"{who} no longer sits at {called(view)}.")


async def bind_desk(screen: SiteScreen, view: DeviceView) -> None:
    """Say at which computer a display stands."""
    effect = f"{called(view)} stands at this computer. Whoever signs in there gets this display."
    question = Question(
        "Workstation", effect, (("do", "Bind"),), (Blank("desk", "Computer's name", "", something),), False
    )
    answer = await ask(screen, question)
    if answer:
        body = BindWorkstation(computer_name=answer.values["desk"])
        await _change(screen, "PUT", path(view.id, "/workstation"), body)
        screen.tell(f"{called(view)} stands at {name(body.computer_name)}.")


async def unbind_desk(screen: SiteScreen, view: DeviceView) -> None:
    """Forget at which computer it stands."""
    if not view.workstations:
        screen.tell(f"{called(view)} is bound to no computer.")
        return
    desks = ", ".join(name(desk) for desk in view.workstations)
    effect = f"{called(view)} is bound to {desks} no longer. Whoever signs in there must name the display."
    if await ask(screen, sure("Unbind from its workstation?", effect, "Unbind")):
        await _change(screen, "DELETE", path(view.id, "/workstation"))
        screen.tell(f"{called(view)} is bound to no computer.")


async def rotation(screen: SiteScreen, view: DeviceView, kind: str) -> None:
    """Start or halt the rotation of stored pictures."""
    command = await screen.session.client.command(view.id, NewCommand(kind=kind))
    screen.site.put_commands([command])
    screen.redraw()
    screen.tell(f"Asked {called(view)} to {'start' if kind == 'start_rotation' else 'halt'} its rotation.")


async def approve_claim(screen: SiteScreen, claim: ClaimView) -> None:
    """Give an agent the display asked for, or another."""
    who = name(claim.name or claim.agent)
    place = f" at {name(claim.computer_name)}" if claim.computer_name else ""
    effect = f"{who} ({name(claim.agent)}){place} gets the display below: its payment codes are shown there."
    ids = {view.id for view in screen.site.devices()}
    named = {view.name: view.id for view in screen.site.devices()}
    known = ids | named.keys()
    wanted = screen.site.device_name(claim.device) if claim.device in ids else ""
    blank = Blank(
        "device",
        "Display's name or id",
        wanted,
        lambda text: "" if not text.strip() or text.strip() in known else "No device here has that name or id.",
    )
    answer = await ask(screen, Question("Give this agent a display?", effect, (("do", "Give"),), (blank,)))
    if answer:
        asked = answer.values["device"].strip()
        device = named.get(asked, asked)
        await screen.session.client.change("POST", _claim_path(claim, "/approve"), {"device": device})
        screen.site.claims.pop(claim.agent, None)
        screen.redraw()
        screen.tell(f"{who} sits at {name(screen.site.device_name(device))}.")


async def dismiss_claim(screen: SiteScreen, claim: ClaimView) -> None:
    """Refuse an agent's request."""
    who = name(claim.name or claim.agent)
    effect = f"The request of {who} ({name(claim.agent)}) is removed. It comes back if the agent asks again."
    if await ask(screen, sure("Dismiss this request?", effect, "Dismiss")):
        await screen.session.client.change("DELETE", _claim_path(claim))
        screen.site.claims.pop(claim.agent, None)
        screen.redraw()
        screen.tell(f"The request of {who} is dismissed.")


def _claim_path(claim: ClaimView, rest: str = "") -> str:
    return f"/v1/claims/{quote(claim.agent, safe='')}{rest}"


async def _change(screen: SiteScreen, method: str, where: str, body: Any = None) -> None:
    """A change to a device, then what it is now."""
    client = screen.session.client
    await client.change(method, where, body)
    base = "/".join(where.split("/")[:4])
    screen.site.put_device(await client.get(base, DeviceView))
    screen.redraw()

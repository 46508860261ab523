"""What a technician can do about firmware that is rolled out: begin, pause, go on, try again, abort; and for one
device alone."""

from __future__ import annotations

import re
import uuid
from collections import Counter

import msgspec

from edge.wire.updates import (
    BAD,
    RETRYABLE,
    ArtifactView,
    AssignFirmware,
    DeviceFirmware,
    GroupView,
    NewRollout,
    PauseRollout,
    Plan,
    RetryRollout,
    RolloutDevice,
    RolloutView,
    Target,
)
from edge.wire.views import DeviceView
from tui import ages, update_words
from tui.client import segment
from tui.deeds import ask, called, choose, name, path, sure
from tui.dialogs.choose import Choice
from tui.dialogs.form import FormDialog
from tui.dialogs.question import Answer, Blank, Question
from tui.screens.site_screen import SiteScreen
from tui.wording import counted

PLAIN = Plan()
GROUP, KIND, DEVICE = "group", "kind", "device"


def _help(text: str, default: str) -> str:
    return f"{text} Usual: {default}."


async def choose_artifact(screen: SiteScreen, title: str, effect: str) -> ArtifactView | None:
    """One that is held."""
    firmware = screen.site.firmware
    choices = [
        Choice(view.id, f"{view.target} {view.version}", f"{update_words.signed(view)}, {ages.size(view.size)}")
        for view in firmware.artifacts()
    ]
    if not choices:
        screen.tell(update_words.NO_FIRMWARE)
        return None
    chosen = await choose(screen, title, effect, choices)
    return firmware.artifact(chosen) if chosen else None


async def start(screen: SiteScreen, view: ArtifactView | None) -> RolloutView | None:
    """Let devices run an artifact: which, in what waves. `view` None: it is asked which firmware."""
    view = view or await choose_artifact(screen, "Roll out which firmware?", "What the hub holds:")
    if view is None:
        return None
    target = await _choose_target(screen, view)
    if target is None:
        return None
    answer = await screen.app.push_screen_wait(FormDialog(_question(view, target)))
    if answer is None:
        return None
    wanted = NewRollout(
        artifact=view.id,
        target=target,
        plan=_plan(answer),
        name=answer.values["name"],
        starts_at=answer.values["at"].replace(" ", "T"),
    )
    once = {"Idempotency-Key": uuid.uuid4().hex}
    made = await screen.session.client.send("POST", "/v1/rollouts", wanted, RolloutView, headers=once)
    _show(screen, made)
    screen.tell(f"“{name(update_words.title(made))}” goes to {counted(made.devices, 'device')}.")
    return made


async def pause(screen: SiteScreen, view: RolloutView) -> None:
    """Offer nothing new for now."""
    effect = f"{_called(view)}: nobody new is offered it. A device that has switched already goes on by itself."
    blank = Blank("reason", "Why, for those who come after (may be empty)")
    answer = await ask(screen, Question("Pause this rollout", effect, (("do", "Pause"),), (blank,), False))
    if answer:
        await _act(screen, view, "pause", PauseRollout(reason=answer.values["reason"]))
        screen.tell(f"{_called(view)} is paused.")


async def resume(screen: SiteScreen, view: RolloutView) -> None:
    """Go on."""
    wrong = update_words.bad(view)
    settled = f" The {counted(wrong, 'device')} that went wrong so far count no more." if wrong else ""
    effect = f"{_called(view)} goes on: more devices are offered it.{settled}"
    if await ask(screen, sure("Go on with this rollout?", effect, "Go on")):
        await _act(screen, view, "resume", None)
        screen.tell(f"{_called(view)} goes on.")


async def abort(screen: SiteScreen, view: RolloutView) -> None:
    """Take it back."""
    effect = (
        f"{_called(view)} ends for good: what was offered is taken back from every device that has not switched."
        " Those that run it keep it."
    )
    blank = Blank("reason", "Why, for those who come after (may be empty)")
    if answer := await ask(screen, Question("Abort this rollout?", effect, (("do", "Abort"),), (blank,))):
        await _act(screen, view, "abort", PauseRollout(reason=answer.values["reason"]))
        screen.tell(f"{_called(view)} is aborted.")


async def retry(screen: SiteScreen, view: RolloutView, device: RolloutDevice | None) -> None:
    """Try again: the device under the cursor, or all that may go well another time."""
    again = sum(view.steps.get(step.value, 0) for step in RETRYABLE)
    one = device is not None and device.step in BAD
    if not again and not one:
        screen.tell(f"Nothing of {_called(view)} went wrong that may go well another time.")
        return
    effect = f"{_called(view)} is offered again to what you choose, and goes on where it had stopped."
    choices = [("one", "This device")] if one else []
    choices += [("all", f"All {again}")] if again else []
    answer = await ask(screen, Question("Try again?", effect, tuple(choices)))
    if answer:
        devices = [device.device] if answer.choice == "one" and device is not None else []
        await _act(screen, view, "retry", RetryRollout(devices=devices))
        screen.tell(f"{_called(view)} is tried again.")


async def assign(screen: SiteScreen, device: DeviceView) -> DeviceFirmware | None:
    """Let one device run some firmware."""
    effect = f"{called(device)} gets what you choose, whatever went wrong on it before:"
    view = await choose_artifact(screen, "Assign which firmware?", effect)
    if view is None:
        return None
    effect = (
        f"{called(device)} is offered {update_words.called(view)} at once. It goes back by itself unless it"
        " is well at this hub within 90 s of its start."
    )
    if not await ask(screen, sure("Assign this firmware?", effect, "Assign")):
        return None
    where = path(device.id, "/firmware")
    fresh = await screen.session.client.send("PUT", where, AssignFirmware(artifact=view.id), DeviceFirmware)
    screen.tell(f"{called(device)} is to run {update_words.called(view)}.")
    return fresh


async def unassign(screen: SiteScreen, device: DeviceView) -> bool:
    """Take back what one device is offered; whether it was."""
    effect = f"What {called(device)} is offered is taken back. It stays as it is."
    if not await ask(screen, sure("Take the offer back?", effect, "Take back")):
        return False
    await screen.session.client.change("DELETE", path(device.id, "/firmware"))
    screen.tell(f"Nothing is offered to {called(device)} any more.")
    return True


async def _choose_target(screen: SiteScreen, view: ArtifactView) -> Target | None:
    groups = await screen.session.client.items("/v1/groups", GroupView)
    approved = [device for device in screen.site.devices() if device.state == "approved"]
    kinds = Counter(device.kind for device in approved)
    choices = [
        Choice(f"{GROUP} {group.name}", f"group {group.name}", counted(len(group.devices), "device"))
        for group in groups
    ]
    choices += [
        Choice(f"{KIND} {kind}", f"every {kind}", counted(count, "device")) for kind, count in sorted(kinds.items())
    ]
    choices += [Choice(f"{DEVICE} {device.id}", device.name or device.id, device.kind) for device in approved]
    if not choices:
        screen.tell("No device is approved yet: there is nobody to roll out to.")
        return None
    effect = f"{update_words.called(view)} goes to a group, to every device of a kind, or to one device."
    chosen = await choose(screen, "To which devices?", effect, choices)
    if chosen is None:
        return None
    what, _, which = chosen.partition(" ")
    if what == DEVICE:
        return Target(devices=[which])
    return Target(group=which) if what == GROUP else Target(kind=which)


def _question(view: ArtifactView, target: Target) -> Question:
    waves = ", ".join(map(str, PLAIN.waves))
    errors, success = str(PLAIN.errors_percent), str(PLAIN.success_percent)
    soak, deadline = update_words.lasting(PLAIN.soak_s), update_words.lasting(PLAIN.deadline_s)
    blanks = (
        Blank("name", "Name (may be empty)", help="What people call this rollout."),
        Blank(
            "waves", "Waves, % of all devices", waves, _waves,
            help=_help("How many of all have had it after each wave; a first 0 is one device, the canary.", waves),
        ),
        Blank(
            "errors", "Stop above % errors", errors, _percent,
            help=_help("It stops when more of a wave than this went wrong. 0: at the first.", errors),
        ),
        Blank(
            "success", "Next wave from % well", success, _percent,
            help=_help("So many of a wave must end well before the next begins.", success),
        ),
        Blank("soak", "Wait after each wave", soak, _time, help=_help("So long after that: 10m, 2h, 1d.", soak)),
        Blank(
            "deadline", "A device has", deadline, _time,
            help=_help("Who is not done so long after the offer has failed; silence is a failure.", deadline),
        ),
        Blank("attempts", "Tries of a download", str(PLAIN.attempts), _few, help=_help("From 1 to 5.", "2")),
        Blank(
            "window", "Only between (may be empty)", "", _window, "22:00-05:00",
            help="Offers are made within these hours of the site alone. Empty: always.",
        ),
        Blank(
            "at", "Begins at (empty: now)", "", _moment, "2026-11-21 22:00",
            help="Not before then, by the site's clock.",
        ),
    )  # fmt: skip
    effect = f"{update_words.called(view)} goes to {name(update_words.whom(target))}."
    return Question("Roll out", effect, (("do", "Roll out"),), blanks)


def _plan(answer: Answer) -> Plan:
    values = answer.values
    return msgspec.convert(
        {
            "waves": update_words.waves(values["waves"]) or PLAIN.waves,
            "errors_percent": int(values["errors"]),
            "success_percent": int(values["success"]),
            "soak_s": update_words.seconds(values["soak"]) or 0,
            "deadline_s": update_words.seconds(values["deadline"]) or PLAIN.deadline_s,
            "window": values["window"].replace(" ", ""),
            "attempts": int(values["attempts"]),
        },
        Plan,
    )


async def _act(screen: SiteScreen, view: RolloutView, verb: str, body: object | None) -> None:
    where = f"/v1/rollouts/{segment(view.id)}/{verb}"
    _show(screen, await screen.session.client.send("POST", where, body, RolloutView))


def _show(screen: SiteScreen, view: RolloutView) -> None:
    screen.site.firmware.put_rollout(view)
    screen.redraw()


def _called(view: RolloutView) -> str:
    return f"“{name(update_words.title(view))}”"


def _waves(text: str) -> str:
    return "" if update_words.waves(text) else "Shares in percent that rise to 100, such as 0, 10, 50, 100."


def _percent(text: str) -> str:
    good = text.strip().isascii() and text.strip().isdecimal() and int(text) <= 100
    return "" if good else "A whole number of percent up to 100."


def _few(text: str) -> str:
    return "" if text.strip() in {"1", "2", "3", "4", "5"} else "A number from 1 to 5."


def _time(text: str) -> str:
    return "" if update_words.seconds(text) is not None else "A length of time such as 90s, 10m, 2h or 1d."


def _window(text: str) -> str:
    hour = r"([01]?\d|2[0-3]):[0-5]\d"
    return "" if not text.strip() or re.fullmatch(rf"{hour}\s*-\s*{hour}", text.strip()) else "Such as 22:00-05:00."


def _moment(text: str) -> str:
    good = not text.strip() or re.fullmatch(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?", text.strip())
    return "" if good else "A time such as 2026-11-21 22:00."

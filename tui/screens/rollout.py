"""One rollout: how it stands and why, its waves, and how far each device is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from edge.errors import NotFound
from edge.wire.updates import BAD, GOOD, RETRYABLE, RolloutDevice, RolloutState, RolloutView, Step, WaveView
from tui import ages, rollout_deeds, update_words
from tui.actions import Action, bindings
from tui.client import segment
from tui.literal import literal
from tui.marks import ROLLOUTS, STEPS, of_wave
from tui.screens.asking_screen import AskingScreen
from tui.screens.device import DeviceScreen
from tui.screens.site_screen import SiteScreen
from tui.session import Session
from tui.widgets.cell import cell, mark_cell, number_cell
from tui.widgets.facts import COLOURS
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.wording import counted

WAVE_FIELDS = (
    Field("state", "Wave", 12),
    Field("devices", "Devices", 7),
    Field("good", "Well", 5),
    Field("bad", "Wrong", 5),
    Field("open", "Open", 5),
    Field("progress", "Progress", 10, share=1),
    Field("next", "Next begins", 12),
)
DEVICE_FIELDS = (
    Field("step", "Step", 16),
    Field("device", "Device", 12, share=2),
    Field("wave", "Wave", 4),
    Field("done", "Got", 5),
    Field("since", "Said", 6),
    Field("left", "Has", 6),
    Field("reason", "Reason", 10, share=4),
)
OPEN = (RolloutState.RUNNING, RolloutState.SCHEDULED, RolloutState.PAUSED)
GONE = "is not known to this hub (any more)."


class RolloutScreen(AskingScreen):
    """Opened from Firmware; Esc goes back there."""

    SCOPE: ClassVar[str] = "rollout"
    TAB: ClassVar[str] = "firmware"
    AUTO_FOCUS = "#targets"
    BINDINGS: ClassVar[list[BindingType]] = bindings("rollout")

    def __init__(self, session: Session, rollout: str) -> None:
        super().__init__(session)
        self.rollout = rollout

    def body(self) -> ComposeResult:
        """How it stands, waves, devices."""
        yield Static(id="rollout-facts", markup=False)
        yield KeyedTable(WAVE_FIELDS, id="waves")
        yield KeyedTable(DEVICE_FIELDS, id="targets")

    def on_unmount(self) -> None:
        """Its devices are followed no longer."""
        self.site.firmware.close(self.rollout)

    def crumb(self) -> str:
        """Its name."""
        view = self._view()
        return update_words.title(view) if view else self.rollout

    def subject(self) -> str | None:
        """The device's id when one is under the cursor, else the rollout's."""
        table = self.query_one("#targets", KeyedTable)
        return (table.current_key() if table.has_focus else None) or self.rollout

    def fits(self, action: Action) -> bool:
        """Pause what runs, go on with what is paused; what head office leads is aborted there."""
        view, verb = self._view(), action.id.partition(".")[2]
        if view is None:
            return False
        here = view.origin == "site"
        offers = {
            "pause": view.state in OPEN and view.state is not RolloutState.PAUSED,
            "resume": view.state is RolloutState.PAUSED,
            "abort": view.state in OPEN and here,
            "retry": here
            and view.state is not RolloutState.ABORTED
            and any(step.value in view.steps for step in RETRYABLE),
            "open_device": self._device() is not None,
        }
        return offers.get(verb, True)

    def on_data_table_row_highlighted(self) -> None:
        """The keys that fit the device under the cursor."""
        self.query_one(KeyHints).refresh()

    async def read(self) -> None:
        """The rollout and its devices; live news of them may leave some out."""
        client, where = self.session.client, f"/v1/rollouts/{segment(self.rollout)}"
        try:
            self.site.firmware.put_rollout(await client.get(where, RolloutView))
        except NotFound:
            return
        self.site.firmware.put_devices(self.rollout, await client.items(f"{where}/devices", RolloutDevice))

    def show(self) -> None:
        """Everything."""
        view, wanted = self._view(), self.query_one(FilterLine).filter
        facts = self._facts(view)
        self.query_one("#rollout-facts", Static).update(facts.stylize("$foreground 40%") if self.stale else facts)
        waves = self.query_one("#waves", KeyedTable)
        waves.show([self._wave(wave) for wave in view.waves] if view else [], stale=self.stale)
        waves.display = bool(view and view.waves)
        devices = [it for it in self.site.firmware.devices(self.rollout) if wanted.matches(self._fields(it))]
        devices.sort(key=_rank)
        self.query_one("#targets", KeyedTable).show([self._row(it) for it in devices], stale=self.stale)
        self.read_when_due()

    # What can be done here

    async def do_pause(self) -> None:
        """Offer nothing new."""
        await self._with_view(rollout_deeds.pause)

    async def do_resume(self) -> None:
        """Go on."""
        await self._with_view(rollout_deeds.resume)

    async def do_abort(self) -> None:
        """Take it back."""
        await self._with_view(rollout_deeds.abort)

    async def do_retry(self) -> None:
        """Try again."""
        view = self._view()
        if view is not None:
            await rollout_deeds.retry(self, view, self._device())
            self.read_again()

    def do_open_device(self) -> None:
        """The device under the cursor."""
        view = self._device()
        if view is None or self.site.device(view.device) is None:
            self.tell("The hub does not know this device (any more).")
        else:
            self.app.push_screen(DeviceScreen(self.session, view.device))

    async def _with_view(self, deed: Callable[[SiteScreen, RolloutView], Awaitable[None]]) -> None:
        view = self._view()
        if view is not None:
            await deed(self, view)
            self.read_again()

    def _view(self) -> RolloutView | None:
        return self.site.firmware.rollout(self.rollout)

    def _device(self) -> RolloutDevice | None:
        key = self.query_one("#targets", KeyedTable).current_key()
        return self.site.firmware.device(self.rollout, key or "")

    # How it is drawn

    def _facts(self, view: RolloutView | None) -> Content:
        if view is None:
            return Content(f"“{literal(self.rollout)}” {GONE if self.site.ever_reached else 'is not read yet.'}")
        mark, now = ROLLOUTS[view.state], self.session.clock.now()
        came = ages.clock_text(ages.moment(view.created_at), self.site.zone, now)
        by = "head office" if view.origin != "site" else view.created_by
        head = Content.assemble(
            (f"{mark.glyph} {mark.word}", f"bold {COLOURS.get(mark.style, '$foreground 70%')}"),
            f" · {literal(view.artifact_target, 20)} {literal(view.version, 20)}"
            f" to {literal(update_words.whom(view.target), 30)} · {came} by {literal(by, 20)}",
        )
        lines = [head]
        if view.reason:
            lines.append(Content.styled(literal(view.reason), "$warning"))
        if todo := update_words.next_step(view):
            lines.append(Content(todo))
        lines += [Content(self._progress(view)), Content.styled(update_words.plan(view), "$foreground 60%")]
        if self.failed:
            lines.append(Content.styled(f"✗ devices not read: {self.failed}", "$error"))
        return Content("\n").join(lines)

    def _progress(self, view: RolloutView) -> str:
        good, bad = update_words.good(view), update_words.bad(view)
        sent = f"{ages.size(view.bytes_done)} of {ages.size(view.bytes_all)}" if view.bytes_all else ""
        ends = update_words.ends(view, self.site.zone, self.session.clock.now())
        parts = [f"{counted(view.devices, 'device')}: {good} well, {bad} wrong", sent, ends]
        return " · ".join(part for part in parts if part)

    def _wave(self, wave: WaveView) -> Row:
        mark, table = of_wave(wave.state), self.query_one("#waves", KeyedTable)
        now, next_at = self.session.clock.now(), ages.moment(wave.next_at)
        bar = update_words.wave_bar(
            wave.good, wave.bad, wave.devices, table.width_of("progress"), self.session.glyphs
        )
        return Row(
            str(wave.number),
            (
                cell(f"{mark.glyph} {wave.number} {mark.word}", mark.style),
                number_cell(str(wave.devices)),
                number_cell(str(wave.good)),
                number_cell(str(wave.bad), "bad" if wave.bad else "quiet"),
                number_cell(str(wave.open)),
                cell(bar, "bad" if wave.bad else "good"),
                cell(ages.clock_text(next_at, self.site.zone, now) if next_at else "-", "quiet"),
            ),
        )

    def _row(self, view: RolloutDevice) -> Row:
        now = self.session.clock.now()
        said_s, ahead_s = ages.seconds_since(view.changed_at, now), ages.seconds_since(view.deadline_at, now)
        mark = STEPS[view.step]
        over = mark.style in ("good", "bad") or view.deadline_at is None
        return Row(
            view.device,
            (
                mark_cell(mark),
                cell(view.name or view.device, "strong"),
                number_cell(str(view.wave)),
                number_cell(update_words.percent(view.done, view.size)),
                number_cell(ages.age(said_s) if view.changed_at else "-"),
                number_cell("-" if over or ahead_s is None else ages.age(-ahead_s)),
                cell(view.reason or (f"try {view.attempt}" if view.attempt > 1 else "-"), "quiet"),
            ),
        )

    def _fields(self, view: RolloutDevice) -> dict[str, str]:
        return {
            "name": f"{view.name} {view.device}",
            "state": f"{view.step} {STEPS[view.step].word}",
            "wave": str(view.wave),
            "reason": view.reason,
        }


def _rank(view: RolloutDevice) -> int:
    """What went wrong first, then who is at it, then who waits, then who is done."""
    if view.step in BAD:
        return 0
    if view.step in GOOD or view.step is Step.WITHDRAWN:
        return 3
    return 2 if view.step is Step.WAITING else 1

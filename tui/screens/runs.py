"""What each device runs by its own word, and what it shall run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from edge.errors import NotFound
from edge.wire.updates import ENDED, DeviceFirmware
from edge.wire.views import DeviceView
from tui import ages, rollout_deeds
from tui.actions import Action, bindings
from tui.deeds import name, path
from tui.marks import STEPS, Mark
from tui.screens.asking_screen import AskingScreen
from tui.screens.device import DeviceScreen
from tui.session import Session
from tui.widgets.cell import cell, mark_cell, number_cell
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.wording import counted

FIELDS = (
    Field("device", "Device", 12, share=2),
    Field("kind", "Kind", 8, share=1),
    Field("runs", "Runs", 15),
    Field("said", "Said", 6),
    Field("shall", "Shall run", 15),
    Field("step", "Step", 14),
    Field("reason", "Reason", 12, share=3, from_width=100),
)
NOT_READ = "…"
STALE_S = 10.0  # after that a row is asked for again
AT_ONCE = 60  # rows that are asked for in one go; a screen shows fewer


@dataclass(frozen=True)
class _Known:
    """What was said of a device, and this terminal's monotonic time then; None: it has no firmware of ours."""

    view: DeviceFirmware | None
    at_mono_s: float


class RunsScreen(AskingScreen):
    """Opened from Firmware. Only rows that can be seen are asked for."""

    SCOPE: ClassVar[str] = "runs"
    TAB: ClassVar[str] = "firmware"
    BINDINGS: ClassVar[list[BindingType]] = bindings("runs")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._known: dict[str, _Known] = {}

    def body(self) -> ComposeResult:
        """A line of counts, devices, and the one under the cursor in full."""
        yield Static(id="counts", classes="heading", markup=False)
        yield KeyedTable(FIELDS, id="devices")
        yield Static(id="detail", markup=False)

    def crumb(self) -> str:
        """Where one is."""
        return "Devices"

    def fits(self, action: Action) -> bool:
        """An offer is taken back where one stands."""
        view, verb = self._device(), action.id.partition(".")[2]
        if verb == "unassign":
            known = self._firmware(view.id) if view else None
            return known is not None and known.step is not None and known.step not in ENDED
        if verb == "assign":
            return view is not None and view.state == "approved"
        return verb == "filter" or view is not None

    def subject(self) -> str | None:
        """The device's id."""
        return self.query_one("#devices", KeyedTable).current_key()

    def on_data_table_row_highlighted(self) -> None:
        """All about the row under the cursor, and the keys that fit it."""
        self._show_detail()
        self.query_one(KeyHints).refresh()

    async def read(self) -> None:
        """Of the devices that can be seen."""
        for device in self._due():
            try:
                view = await self.session.client.get(path(device, "/firmware"), DeviceFirmware)
            except NotFound:
                view = None
            self._known[device] = _Known(view, self.session.clock.mono_s())

    def show(self) -> None:
        """Rows, counts, and the one under the cursor."""
        devices, wanted = self.site.devices(), self.query_one(FilterLine).filter
        shown = [view for view in devices if wanted.matches(self._fields(view))]
        self.query_one("#devices", KeyedTable).show([self._row(view) for view in shown], stale=self.stale)
        self.query_one("#counts", Static).update(Content(self._counts(len(shown), len(devices), wanted.text)))
        self._show_detail()
        self.read_when_due(more=bool(self._due()))

    # What can be done here

    def do_open_device(self) -> None:
        """The device under the cursor."""
        if view := self._device():
            self.app.push_screen(DeviceScreen(self.session, view.id))

    async def do_assign(self) -> None:
        """Let it run something."""
        view = self._device()
        if view is None:
            self.tell("Put the cursor on a device first.")
            return
        fresh = await rollout_deeds.assign(self, view)
        if fresh is not None:
            self._known[view.id] = _Known(fresh, self.session.clock.mono_s())
            self.redraw()

    async def do_unassign(self) -> None:
        """Take the offer back."""
        view = self._device()
        if view is None:
            self.tell("Put the cursor on a device first.")
        elif await rollout_deeds.unassign(self, view):
            self._known.pop(view.id, None)
            self.redraw()

    # How it is drawn

    def _device(self) -> DeviceView | None:
        return self.site.device(self.subject() or "")

    def _firmware(self, device: str) -> DeviceFirmware | None:
        known = self._known.get(device)
        return known.view if known else None

    def _due(self) -> list[str]:
        """Devices whose rows can be seen and are not known, or were asked for long ago."""
        table, now_s = self.query_one("#devices", KeyedTable), self.session.clock.mono_s()
        seen = [row.key.value for row in table.ordered_rows]
        first = int(table.scroll_y)
        return [
            key
            for key in seen[first : first + max(1, min(AT_ONCE, table.size.height))]
            if key and (key not in self._known or now_s - self._known[key].at_mono_s >= STALE_S)
        ]

    def _shall(self, view: DeviceFirmware) -> str:
        """The version that was last wanted of it."""
        artifact = self.site.firmware.artifact(view.artifact or "")
        return artifact.version if artifact else (view.artifact or "-")[:15]

    def _row(self, device: DeviceView) -> Row:
        view, now = self._firmware(device.id), self.session.clock.now()
        first = (cell(device.name or device.id, "strong"), cell(device.kind))
        if view is None:
            unknown = "-" if device.id in self._known else NOT_READ
            return Row(device.id, (*first, cell(unknown, "quiet"), *[cell("-", "quiet")] * 4))
        said_s = ages.seconds_since(view.seen_at, now)
        return Row(
            device.id,
            (
                *first,
                cell(f"{view.version}{' on trial' if view.trial else ''}" or "-", "" if view.version else "quiet"),
                number_cell(ages.age(said_s) if view.seen_at else "never"),
                cell(self._shall(view)),
                mark_cell(_mark(view)),
                cell(view.reason or "-", "quiet"),
            ),
        )

    def _fields(self, device: DeviceView) -> dict[str, str]:
        view = self._firmware(device.id)
        return {
            "name": f"{device.name} {device.id}",
            "kind": device.kind,
            "runs": view.version if view else "",
            "state": f"{view.step or ''} {_mark(view).word}" if view else "",
        }

    def _counts(self, shown: int, of: int, wanted: str) -> str:
        if not of:
            return "No device is known yet." if self.site.ever_reached else ""
        if self.failed:
            return f"✗ {self.failed}"
        if wanted:
            return f"Filter “{name(wanted)}” shows {shown} of {of} · Esc clears it"
        return f"{counted(of, 'device')} · what each runs by its own word, and since when it said so"

    def _show_detail(self) -> None:
        device = self._device()
        view, lines = (self._firmware(device.id) if device else None), []
        if view is not None:
            parts = [f"app {view.app[:16]}" if view.app else "", f"image {view.image[:16]}" if view.image else ""]
            parts += [
                f"security {view.security}" if view.version else "",
                "takes unsigned images" if view.legacy else "",
            ]
            lines = [name(" · ".join(part for part in parts if part)) or "It has not said what it runs."]
            if view.reason:
                lines.append(name(view.reason))
            if view.held_off_until:
                until = ages.clock_text(ages.moment(view.held_off_until), self.site.zone, self.session.clock.now())
                lines.append(f"Not offered again before {until}: what it was offered went wrong. s lifts that.")
        self.query_one("#detail", Static).update(Content("\n".join(lines)))


def _mark(view: DeviceFirmware) -> Mark:
    if view.held_off_until:
        return Mark("▲", "held off", "warn")
    return STEPS[view.step] if view.step is not None else Mark("○", "nothing new", "quiet")

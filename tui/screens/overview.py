"""All devices at one look, and below them who asks for something only a technician can give."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from edge.wire.views import ClaimView, DeviceView, KnockView
from tui import ages, deeds
from tui.actions import Action, bindings
from tui.marks import Mark, of_device
from tui.screens.device import DeviceScreen
from tui.screens.site_screen import SiteScreen
from tui.widgets.cell import cell, mark_cell, number_cell
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.wording import counted, panel_shows, short_link, waiting_text

DEVICES = (
    Field("state", "State", 9),
    Field("name", "Name", 12, share=3),
    Field("kind", "Kind", 8, from_width=100),
    Field("shows", "Shows", 13, share=1),
    Field("agent", "Agent", 14, share=2, from_width=100),
    Field("link", "Link", 9, share=2),
    Field("queue", "Queue", 6),
    Field("seen", "Seen", 6),
)
REQUESTS = (
    Field("what", "Asks", 9),
    Field("who", "Who", 12, share=2),
    Field("want", "For", 12, share=2),
    Field("why", "Why not yet", 16, share=3),
    Field("count", "Times", 5),
    Field("at", "Last", 6),
)
CLAIM = "claim "
KNOCK = "knock "


class OverviewScreen(SiteScreen):
    """Enter drills into a device."""

    SCOPE: ClassVar[str] = "overview"
    TAB: ClassVar[str] = "overview"
    BINDINGS: ClassVar[list[BindingType]] = bindings("overview")

    def body(self) -> ComposeResult:
        """A line of counts, devices, requests."""
        yield Static(id="counts", classes="heading", markup=False)
        yield KeyedTable(DEVICES, id="devices")
        yield Static(id="asking", classes="heading", markup=False)
        yield KeyedTable(REQUESTS, id="requests")

    def fits(self, action: Action) -> bool:
        """Approve what is pending or claimed, dismiss what is claimed."""
        claimed = self._claim() is not None
        if action.id == "overview.dismiss":
            return claimed
        if action.id != "overview.approve":
            return True
        device = self.site.device(self.subject() or "")
        return claimed or (device is not None and device.state == "pending")

    def on_data_table_row_highlighted(self) -> None:
        """The keys that fit the row under the cursor."""
        self.query_one(KeyHints).refresh()

    def on_descendant_focus(self) -> None:
        """The keys that fit the list one went to."""
        self.query_one(KeyHints).refresh()

    def show(self) -> None:
        """Rows and counts."""
        devices = self.site.devices()
        wanted = self.query_one(FilterLine).filter
        shown = [view for view in devices if wanted.matches(_fields(view))]
        rows = [self._device_row(view) for view in shown]
        self.query_one("#devices", KeyedTable).show(rows, stale=self.stale)
        self.query_one("#counts", Static).update(self._counts(devices, len(shown), wanted.text))
        self._show_requests()

    def subject(self) -> str | None:
        """The device's id, or the agent's."""
        table = self._table()
        key = table.current_key()
        return key if table.id == "devices" or key is None else key.removeprefix(CLAIM).removeprefix(KNOCK)

    # What can be done here

    def do_open_row(self) -> None:
        """A device: its screen. A claim: approve it. A knock: why it was refused."""
        key = self._table().current_key()
        if key is None:
            self.tell("Nothing is selected.")
        elif self._table().id == "devices":
            self.app.push_screen(DeviceScreen(self.session, key))
        else:
            self._explain(key)

    async def do_approve(self) -> None:
        """The pending device or the claim under the cursor."""
        claim = self._claim()
        if claim is not None:
            await deeds.approve_claim(self, claim)
            return
        device = self.site.device(self.subject() or "")
        if device is None:
            self.tell("Put the cursor on a pending device or on an agent's request first.")
        else:
            await deeds.approve(self, device)

    async def do_dismiss(self) -> None:
        """The claim under the cursor."""
        claim = self._claim()
        if claim is None:
            self.tell("Put the cursor on an agent's request first: Tab goes to the list below.")
        else:
            await deeds.dismiss_claim(self, claim)

    # How it is drawn

    def _table(self) -> KeyedTable:
        requests = self.query_one("#requests", KeyedTable)
        return requests if requests.has_focus else self.query_one("#devices", KeyedTable)

    def _claim(self) -> ClaimView | None:
        key = self._table().current_key() or ""
        return self.site.claims.get(key.removeprefix(CLAIM)) if key.startswith(CLAIM) else None

    def _explain(self, key: str) -> None:
        claim = self.site.claims.get(key.removeprefix(CLAIM))
        knock = next((it for it in self.site.knocks if _knock_key(it) == key), None)
        if claim is not None:
            self.tell(
                f"{deeds.name(claim.name or claim.agent)}: {deeds.name(claim.why)}. a gives the display, x refuses."
            )
        elif knock is not None:
            self.tell(f"{deeds.name(knock.peer)} asked for {deeds.name(knock.what)}: {deeds.name(knock.why)}")

    def _device_row(self, view: DeviceView) -> Row:
        return Row(
            view.id,
            (
                mark_cell(of_device(view)),
                cell(view.name or view.id, "strong"),
                cell(view.kind, "quiet"),
                cell(panel_shows(view, self.site.zone)),
                cell((view.agent.name or view.agent.agent) if view.agent else "-", "" if view.agent else "quiet"),
                cell(short_link(view.link), "quiet"),
                cell(waiting_text(view), "warn" if view.in_doubt else ""),
                number_cell(self._seen(view), "" if view.online else "quiet"),
            ),
        )

    def _counts(self, devices: list[DeviceView], shown: int, wanted: str) -> str:
        if not devices:
            return "No devices yet. Plug one in, or point one at this hub." if self.site.ever_reached else ""
        online = sum(1 for view in devices if view.online)
        pending = sum(1 for view in devices if view.state == "pending")
        parts = [counted(len(devices), "device"), f"● {online} online", f"○ {len(devices) - online} offline"]
        parts += [f"▲ {pending} pending: press a to approve"] if pending else []
        text = " · ".join(parts)
        return f"Filter “{deeds.name(wanted)}” shows {shown} of {len(devices)} · Esc clears it" if wanted else text

    def _show_requests(self) -> None:
        now = self.session.clock.now()
        rows = [
            self._claim_row(it, ages.age(ages.seconds_since(it.asked_at, now))) for it in self.site.claims.values()
        ]
        rows += [self._knock_row(it, ages.age(ages.seconds_since(it.last_at, now))) for it in self.site.knocks]
        heading = self.query_one("#asking", Static)
        table = self.query_one("#requests", KeyedTable)
        heading.display = table.display = bool(rows)
        heading.update(f"Asking and refused ({len(rows)}) · Tab to go there")
        table.show(rows, stale=self.stale)

    def _seen(self, view: DeviceView) -> str:
        """How long ago it gave a sign of life; the time of it where the clocks cannot tell."""
        age_s = self.site.evidence_age_s(view.id)
        when = ages.moment(view.evidence_at)
        return f"{when.astimezone(self.site.zone):%H:%M}" if age_s is None and when else ages.age(age_s)

    def _claim_row(self, view: ClaimView, age: str) -> Row:
        wanted = self.site.device_name(view.device) if view.device else view.computer_name
        return Row(
            CLAIM + view.agent,
            (
                mark_cell(Mark("▲", "display", "warn")),
                cell(view.name or view.agent, "strong"),
                cell(wanted or "-"),
                cell(view.why, "quiet"),
                number_cell(str(view.count)),
                number_cell(age),
            ),
        )

    def _knock_row(self, view: KnockView, age: str) -> Row:
        return Row(
            _knock_key(view),
            (
                mark_cell(Mark("✗", "refused", "bad")),
                cell(view.peer, "strong"),
                cell(view.what),
                cell(view.why, "quiet"),
                number_cell(str(view.count)),
                number_cell(age),
            ),
        )


def _knock_key(view: KnockView) -> str:
    return f"{KNOCK}{view.peer} {view.what}"


def _fields(view: DeviceView) -> dict[str, str]:
    mark = of_device(view)
    state = mark.word if view.state != "pending" else f"pending {'online' if view.online else 'offline'}"
    return {
        "state": state,
        "name": view.name,
        "id": view.id,
        "kind": view.kind,
        "link": view.link,
        "agent": f"{view.agent.agent} {view.agent.name}" if view.agent else "",
        "desk": " ".join(view.workstations),
    }

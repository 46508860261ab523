"""Provision: give a new board its WiFi and its hub, over its cable, over Bluetooth, or by the page it serves."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from edge.errors import Conflict, NotFound
from edge.wire.provision import NearbyBoard, ProvisionView
from edge.wire.views import DeviceView, PortView
from tui import ages, deeds, setup_deeds, update_words
from tui.actions import Action, bindings
from tui.boards import AIR, CABLE, PORTAL
from tui.deeds import name
from tui.literal import literal
from tui.marks import Mark, of_job, of_port
from tui.screens.asking_screen import AskingScreen
from tui.screens.device import DeviceScreen
from tui.setup_deeds import Place
from tui.widgets.cell import cell, mark_cell, number_cell
from tui.widgets.facts import COLOURS
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row

FIELDS = (
    Field("state", "State", 11),
    Field("way", "Over", 9),
    Field("where", "Where", 17),
    Field("what", "What is there", 12, share=2),
    Field("heard", "Heard", 5),
    Field("told", "Last", 10, share=4),
)
HOW = "Enter sets up what is under the cursor; over its cable it gets its key too"
LOOK_ONLY = "You may only look here: a technician sets boards up."
NEARBY = {
    "ready": Mark("●", "ready", "good"),
    "needs-authorization": Mark("▲", "button", "warn"),
    "provisioning": Mark("◐", "joining", "busy"),
    "provisioned": Mark("○", "set up", "quiet"),
    "stopped": Mark("○", "stopped", "quiet"),
}
WAITS = Mark("○", "", "quiet")
ABOUT = {
    CABLE: "Enter asks the board who it is and which WiFi it hears; you choose one and type its password. d types"
    " at the console of our firmware instead, for a board that does not answer otherwise.",
    AIR: "Enter connects to it (it blinks, if it can), asks which WiFi it hears, and passes yours on. It then finds"
    " the hub by itself, and is approved with the code it shows.",
    PORTAL: "For a board without a cable: Enter tells step by step what to do with a phone, then waits for it.",
}


class ProvisionScreen(AskingScreen):
    """Places above, the steps of the one under the cursor below."""

    SCOPE: ClassVar[str] = "provision"
    TAB: ClassVar[str] = "provision"
    AGAIN_S: ClassVar[float] = 5.0
    BINDINGS: ClassVar[list[BindingType]] = bindings("provision")

    def body(self) -> ComposeResult:
        """How, where, and what happened."""
        yield Static(id="counts", classes="heading", markup=False)
        yield KeyedTable(FIELDS, id="places")
        yield Static(id="bluetooth", classes="heading", markup=False)
        yield Static(id="setup", markup=False)

    def on_mount(self) -> None:
        """Titles, then draw."""
        self.query_one("#setup").border_title = "Step by step"
        super().on_mount()

    def fits(self, action: Action) -> bool:
        """Begin where nothing is under way; approve what came."""
        place, verb = self._place(), action.id.partition(".")[2]
        job = self._job()
        runs = job is not None and job.state == "running"
        device = self._came()
        offers = {
            "set_up": place is not None and not runs,
            "type_it": place is not None and place.way == CABLE and not runs,
            "cancel": runs,
            "approve": device is not None and (device.state == "pending" or device.code_wanted),
            "open_device": device is not None,
        }
        return offers.get(verb, True)

    def subject(self) -> str | None:
        """The id of the device that came, else the port or the address."""
        place, device = self._place(), self._came()
        if device is not None:
            return device.id
        return place.where or None if place else None

    def on_data_table_row_highlighted(self) -> None:
        """The steps of the row under the cursor, and the keys that fit it."""
        self._show_setup()
        self.query_one(KeyHints).refresh()

    def on_resize(self) -> None:
        """As many steps are listed as there is room for."""
        self.call_after_refresh(self.redraw)

    async def read(self) -> None:
        """Which boards offer themselves over Bluetooth."""
        boards = self.site.boards
        if self.site.looks_only:
            return
        try:
            boards.put_nearby(await self.session.client.items("/v1/provision/boards", NearbyBoard))
        except (Conflict, NotFound) as error:
            boards.put_nearby([], f"{error.detail.rstrip('.')}. {error.advice}".strip())

    def show(self) -> None:
        """Rows and steps."""
        table = self.query_one("#places", KeyedTable)
        table.show([self._row(place) for place in self._places()], stale=self.stale)
        changing = self.session.may_change or not self.site.ever_reached
        self.query_one("#counts", Static).update(HOW if changing else LOOK_ONLY)
        self.query_one("#bluetooth", Static).update(Content(self._bluetooth()))
        self._show_setup()
        self.read_when_due()

    # What can be done here

    async def do_set_up(self) -> None:
        """Step by step."""
        if place := self._free_place():
            await setup_deeds.set_up(self, place)

    async def do_type_it(self) -> None:
        """At the console of our firmware."""
        place = self._free_place()
        if place is not None and place.way != CABLE:
            self.tell("That is for a board on a cable.")
        elif place is not None:
            await setup_deeds.set_up(self, place._replace(way="dialogue"))

    async def do_cancel(self) -> None:
        """End it."""
        job = self._job()
        if job is None or job.state != "running":
            self.tell("No board is being set up here.")
        else:
            await setup_deeds.cancel(self, job)

    async def do_approve(self) -> None:
        """Let the device in that came."""
        view = self._came()
        if view is None:
            self.tell("No device has come of this yet.")
        else:
            await deeds.approve(self, view)

    def do_open_device(self) -> None:
        """The device that came."""
        view = self._came()
        if view is None:
            self.tell("No device has come of this yet.")
        else:
            self.app.push_screen(DeviceScreen(self.session, view.id))

    def _free_place(self) -> Place | None:
        place, job = self._place(), self._job()
        if place is None:
            self.tell("Put the cursor on a board first.")
        elif job is not None and job.state == "running":
            self.tell("This board is being set up: wait for its end, or c ends it.")
        else:
            return place
        return None

    def _places(self) -> list[Place]:
        """Every port, every board nearby, and a phone."""
        ports = sorted(self.site.ports.values(), key=lambda port: (port.device is not None, port.path))
        return [
            *[
                Place(f"{CABLE}:{port.path}", "cable", port.path, f"The board at {name(port.path)}")
                for port in ports
            ],
            *[
                Place(
                    f"{AIR}:{it.address}",
                    "ble",
                    it.address,
                    f"“{name(it.name or it.address)}”",
                    "identify" in it.can,
                )
                for it in self.site.boards.nearby
            ],
            Place(PORTAL, "portal", "", "A board"),
        ]

    def _place(self) -> Place | None:
        key = self.query_one("#places", KeyedTable).current_key()
        return next((place for place in self._places() if place.key == key), None)

    def _job(self) -> ProvisionView | None:
        place = self._place()
        return next(iter(self.site.boards.setups_of(place.key)), None) if place else None

    def _came(self) -> DeviceView | None:
        """The device that the board under the cursor became."""
        job = self._job()
        return self.site.device(job.device) if job is not None and job.device else None

    # How it is drawn

    def _row(self, place: Place) -> Row:
        job = next(iter(self.site.boards.setups_of(place.key)), None)
        port, board = self.site.ports.get(place.where), self._nearby(place)
        over = {CABLE: "cable", AIR: "Bluetooth"}.get(place.way, "its page")
        heard = ages.age(self.site.boards.heard_s(board)) if board else "-"
        return Row(
            place.key,
            (
                mark_cell(_mark(job, port, board)),
                cell(over),
                cell(place.where.removeprefix("/dev/") or "a phone", "strong"),
                cell(self._what(port, board), "quiet"),
                number_cell(heard, "quiet"),
                cell(_last(job), "bad" if job and job.state == "failed" else "quiet"),
            ),
        )

    def _what(self, port: PortView | None, board: NearbyBoard | None) -> str:
        if board is not None:
            return f"{board.name or 'a board'}, {board.rssi} dBm"
        if port is None:
            return "a board with no cable"
        return self.site.device_name(port.device) if port.device else port.description or "-"

    def _nearby(self, place: Place) -> NearbyBoard | None:
        if place.way != AIR:
            return None
        return next((board for board in self.site.boards.nearby if board.address == place.where), None)

    def _bluetooth(self) -> str:
        if self.failed:
            return f"✗ Bluetooth: {self.failed}"
        if self.site.boards.no_bluetooth:
            return f"○ {literal(self.site.boards.no_bluetooth)}"
        if self.site.boards.nearby or self.site.looks_only:
            return ""
        return "○ Bluetooth: no board nearby asks to be set up."

    def _show_setup(self) -> None:
        area = self.query_one("#setup", Static)
        text = self._told(area.content_size.width, area.content_size.height)
        area.update(text.stylize("$foreground 40%") if self.stale else text)

    def _told(self, width: int, lines: int) -> Content:
        place, job = self._place(), self._job()
        if job is None:
            return Content(ABOUT[place.way] if place else "")
        mark, now = of_job(job.state), self.session.clock.now()
        since = ages.clock_text(ages.moment(job.started_at), self.site.zone, now)
        for_ = f"into “{name(job.ssid)}”" if job.ssid else "asked what it hears" if job.only_asks else ""
        head = Content.assemble(
            (f"{mark.glyph} {mark.word}", f"bold {COLOURS.get(mark.style, '$foreground 70%')}"),
            f" {for_} · begun {since} by {literal(job.started_by, 20)}",
        )
        below = self._outcome(job)
        used = sum(1 + max(0, part.cell_length - 1) // max(1, width) for part in [head, *below])
        return Content("\n").join([head, *self._steps(job, width, max(0, lines - used)), *below])

    def _steps(self, job: ProvisionView, width: int, room: int) -> list[Content]:
        """The last steps, as many as fit."""
        steps: list[Content] = []
        for step in reversed(job.steps):
            at = ages.clock_text(ages.moment(step.at), self.site.zone)
            line = Content.assemble((f"{at} ", "$foreground 60%"), literal(step.text))
            room -= 1 + max(0, line.cell_length - 1) // max(1, width)
            if room < 0:
                break
            steps.insert(0, line)
        return steps

    def _outcome(self, job: ProvisionView) -> list[Content]:
        found = []
        if said := update_words.board_info(job):
            found.append(Content(f"The board: {said}"))
        if job.error:
            found.append(Content.styled(f"Wrong  {literal(job.error)}", "$error"))
        if job.hint:
            found.append(Content.styled(f"Do     {literal(job.hint)}", "$warning"))
        found += [Content(f"Its own page: {literal(url, 80)}") for url in job.urls[:1]]
        if job.only_asks and job.state == "done":
            found.append(Content(f"It hears {len(job.networks)} WiFi networks: Enter goes on."))
        return [*found, *self._here_as(job)]

    def _here_as(self, job: ProvisionView) -> list[Content]:
        """Which device it is, and what is left to do."""
        view = self._came()
        if view is None or job.state == "running":
            return []
        called = deeds.called(view)
        if view.state == "pending" or (view.trust == "paired" and view.code_wanted):
            return [Content.styled(f"▲ It is here as {called}: press a to approve it.", "bold $warning")]
        seen_s = self.site.evidence_age_s(view.id)
        age = f", heard {ages.age(seen_s)} ago" if seen_s is not None else ""
        return [Content.styled(f"● It is here as {called}, approved{age}.", "bold $success")]


def _mark(job: ProvisionView | None, port: PortView | None, board: NearbyBoard | None) -> Mark:
    """How it is set up at present, else how it is otherwise."""
    if job is not None and (job.state != "done" or not job.only_asks):
        return of_job(job.state)
    if board is not None:
        return NEARBY.get(board.state, Mark("?", board.state, "warn"))
    return of_port(port) if port is not None else WAITS


def _last(job: ProvisionView | None) -> str:
    """What happened last, in a few words."""
    if job is None:
        return "-"
    return job.error or (job.steps[-1].text if job.steps else "-")

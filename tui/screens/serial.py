"""Serial ports: who owns each, what is wrong with it, and what to do."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from edge.wire.views import PortAction, PortView
from tui import ages, deeds
from tui.actions import bindings
from tui.literal import literal
from tui.marks import of_port
from tui.screens.monitor import MonitorScreen
from tui.screens.site_screen import SiteScreen
from tui.widgets.cell import cell, mark_cell
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.wording import counted

PORTS = (
    Field("state", "State", 11),
    Field("path", "Port", 14, share=1),
    Field("owner", "Owner", 10, share=1),
    Field("speaks", "Speaks", 18),
    Field("device", "Device", 12, share=3),
    Field("since", "Since", 12, from_width=90),
    Field("detail", "What is wrong", 14, share=3, from_width=116),
)


class SerialScreen(SiteScreen):
    """Monitor, reset, let go, own."""

    SCOPE: ClassVar[str] = "serial"
    TAB: ClassVar[str] = "serial"
    BINDINGS: ClassVar[list[BindingType]] = bindings("serial")

    def body(self) -> ComposeResult:
        """Ports, and all about the one under the cursor."""
        yield Static(id="counts", classes="heading", markup=False)
        yield KeyedTable(PORTS, id="ports")
        yield Static(id="port-detail", markup=False)

    def on_mount(self) -> None:
        """Titles, then draw."""
        self.query_one("#port-detail").border_title = "This port"
        super().on_mount()

    def show(self) -> None:
        """Rows, counts, detail."""
        ports = sorted(self.site.ports.values(), key=lambda port: (port.state != "failed", port.path))
        self.query_one("#ports", KeyedTable).show([self._row(port) for port in ports], stale=self.stale)
        self.query_one("#counts", Static).update(self._counts(ports))
        self._show_detail()

    def subject(self) -> str | None:
        """The port's path."""
        return self.query_one("#ports", KeyedTable).current_key()

    def on_data_table_row_highlighted(self) -> None:
        """All about the row under the cursor."""
        self._show_detail()

    # What can be done here

    def do_monitor(self) -> None:
        """Watch its bytes."""
        if port := self._selected():
            self.app.push_screen(MonitorScreen(self.session, port.path))

    async def do_reset(self) -> None:
        """Reset the board."""
        effect = "The board starts anew: what it shows goes dark and a command on its way is broken off."
        await self._act("reset", "Reset this board?", effect, "Reset")

    async def do_release(self) -> None:
        """Let go of the port."""
        effect = "The hub closes it, so that another program can open it. The device is offline until you press o."
        await self._act("release", "Let go of this port?", effect, "Let go")

    async def do_own(self) -> None:
        """Take the port; harmless, so it does not ask."""
        if port := self._selected():
            await self._send(port, "own")

    async def _act(self, action: str, title: str, effect: str, do: str) -> None:
        port = self._selected()
        if port is None:
            return
        device = f", device “{deeds.name(self.site.device_name(port.device))}”" if port.device else ""
        if await deeds.ask(self, deeds.sure(title, f"{deeds.name(port.path)}{device}. {effect}", do)):
            await self._send(port, action)

    async def _send(self, port: PortView, action: str) -> None:
        await self.session.client.change("POST", "/v1/ports/action", PortAction(path=port.path, action=action))
        done = {"reset": "Reset sent to", "release": "The hub lets go of", "own": "The hub takes"}[action]
        self.tell(f"{done} {deeds.name(port.path)}.")

    def _selected(self) -> PortView | None:
        port = self.site.ports.get(self.subject() or "")
        if port is None:
            self.tell("There is no port here.")
        return port

    # How it is drawn

    def _row(self, port: PortView) -> Row:
        now = self.session.clock.now()
        return Row(
            port.path,
            (
                mark_cell(of_port(port)),
                cell(port.path.removeprefix("/dev/"), "strong"),
                cell(port.owner, "" if port.owner == "hub" else "warn"),
                cell(f"{port.profile or '?'} @{port.baud}" if port.baud else port.profile or "-"),
                cell(self.site.device_name(port.device) if port.device else "-"),
                cell(ages.clock_text(ages.moment(port.since), self.site.zone, now), "quiet"),
                cell(port.detail or "-", "quiet"),
            ),
        )

    def _counts(self, ports: list[PortView]) -> str:
        if not ports:
            return "No serial ports. Plug a board in; it appears here by itself." if self.site.ever_reached else ""
        failed = sum(1 for port in ports if port.state == "failed")
        online = sum(1 for port in ports if port.state == "online")
        text = f"{counted(len(ports), 'port')} · ● {online} online"
        return f"{text} · ✗ {failed} failed: what to do is below" if failed else text

    def _show_detail(self) -> None:
        port = self.site.ports.get(self.subject() or "")
        if port is None:
            self.query_one("#port-detail", Static).update("")
            return
        lines = [(literal(port.path), "bold")]
        pairs = (("Is", port.description), ("By id", port.by_id), ("By path", port.by_path), ("Owner", port.owner))
        lines += [(f"{label:<8} {literal(text)}", "") for label, text in pairs if text]
        lines += [(f"{'Wrong':<8} {literal(port.detail)}", "$error")] if port.detail else []
        lines += [(f"{'Do':<8} {literal(port.hint)}", "$warning")] if port.hint else []
        text = Content("\n").join(
            [Content.styled(line, style) if style else Content(line) for line, style in lines]
        )
        self.query_one("#port-detail", Static).update(text.stylize("$foreground 40%") if self.stale else text)

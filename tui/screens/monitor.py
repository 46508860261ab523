"""The bytes on one port, both ways, as they pass. The hub keeps the port and the conversation: this only looks."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import aiohttp
import msgspec
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType

from edge.errors import OutpostError
from edge.wire.views import PortBytes
from tui import ages
from tui.actions import bindings
from tui.looks import STYLES
from tui.screens.site_screen import SiteScreen
from tui.session import Session
from tui.widgets.tail import Tail

AGAIN_S = 2.0  # between attempts to watch a port that went away
BYTES_PER_LINE = 16


class MonitorScreen(SiteScreen):
    """Opened from Serial; Esc goes back and stops watching."""

    SCOPE: ClassVar[str] = "monitor"
    TAB: ClassVar[str] = ""
    AUTO_FOCUS = "Tail"
    BINDINGS: ClassVar[list[BindingType]] = bindings("monitor")

    def __init__(self, session: Session, path: str) -> None:
        super().__init__(session)
        self.path = path
        self.hex_shown = True

    def body(self) -> ComposeResult:
        """One tail."""
        yield Tail(id="bytes", title="Bytes (→ to the board, ← from it)")

    def on_mount(self) -> None:
        """Watch."""
        super().on_mount()
        self.run_worker(self._watch(), group="watch")

    def crumb(self) -> str:
        """The port."""
        return self.path.removeprefix("/dev/")

    def subject(self) -> str | None:
        """The port's path."""
        return self.path

    def do_pause(self) -> None:
        """Hold the lines still."""
        self.query_one(Tail).toggle()

    def do_form(self) -> None:
        """Hex and text, or text alone, from here on."""
        self.hex_shown = not self.hex_shown
        self.tell("Hex and text from here on." if self.hex_shown else "Text alone from here on.")

    async def _watch(self) -> None:
        tail = self.query_one(Tail)
        while True:
            try:
                socket = await self.session.client.socket("/v1/ports/monitor", path=self.path)
                try:
                    tail.say_ended("")
                    await self._follow(socket, tail)
                finally:
                    await socket.close()
                why = "the hub stopped sending"
            except OutpostError as error:
                why = error.detail
            tail.say_ended(f"{why}; trying again every {AGAIN_S:.0f} s")
            await asyncio.sleep(AGAIN_S)

    async def _follow(self, socket: aiohttp.ClientWebSocketResponse, tail: Tail) -> None:
        async for message in socket:
            if message.type not in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                return
            try:
                seen = msgspec.json.decode(message.data, type=PortBytes)
                data = bytes.fromhex(seen.hex)
            except (msgspec.MsgspecError, ValueError):
                tail.add(Text("a message that cannot be read", style=STYLES["bad"]))
                continue
            for start in range(0, len(data), BYTES_PER_LINE):
                tail.add(self._line(seen, data[start : start + BYTES_PER_LINE]))

    def _line(self, seen: PortBytes, data: bytes) -> Text:
        at = ages.clock_text(ages.moment(seen.at), self.site.zone)
        arrow, style = ("→", "key") if seen.dir == "tx" else ("←", "good")
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in data)
        line = Text(f"{at} ", style=STYLES["quiet"], no_wrap=True)
        line.append(f"{arrow} ", style=STYLES[style])
        if self.hex_shown:
            line.append(f"{data.hex(' '):<{BYTES_PER_LINE * 3}}", style=STYLES["quiet"])
        return line.append(f" {shown}", style=STYLES[""])

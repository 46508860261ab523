"""Show a QR code on a display: typed or from a file, previewed as the panel will show it, then sent."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from edge.errors import OutpostError
from edge.wire.views import DeviceView, Json, NewCommand, Preview, PreviewRequest
from tui import ages
from tui.half_blocks import Modules, drawn
from tui.literal import literal
from tui.picture_file import data_uri
from tui.qr_modules import modules_in
from tui.session import Session
from tui.widgets.panel_view import Shown

LONGEST_TEXT = 2000  # characters; a QR code holds 4,296 at most, a panel far fewer
ABOUT = "Enter previews it as the panel will show it."


class Source(Enum):
    """Where the code comes from."""

    TEXT = "Text of the code"
    FILE = "Picture file (PNG or JPEG)"


class ShowQr(ModalScreen[Shown | None]):
    """Dismissed with the command sent, or None."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    def __init__(self, session: Session, device: DeviceView, source: Source) -> None:
        super().__init__()
        self._session = session
        self._device = device
        self._source = source
        self._modules: Modules | None = None

    def compose(self) -> ComposeResult:
        """Blanks at the left, the preview at the right."""
        with Vertical(id="dialog", classes="-wide"):
            yield Label(
                f"Show a QR code on “{literal(self._device.name or self._device.id, 50)}”", id="title", markup=False
            )
            with Horizontal(id="halves"):
                with Vertical(id="blanks"):
                    yield Label(self._source.value, classes="blank", markup=False)
                    yield Input(id="code", compact=True, max_length=LONGEST_TEXT)
                    yield Label("Caption (may be empty)", classes="blank", markup=False)
                    yield Input(id="caption", compact=True, max_length=60)
                    yield Label("Amount (may be empty)", classes="blank", markup=False)
                    yield Input(id="amount", compact=True, max_length=30)
                    yield Label(ABOUT, id="wrong", markup=False)
                yield Static(id="preview", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Preview", id="look", compact=True)
                yield Button("Show", id="send", compact=True, variant="primary")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter looks first."""
        event.stop()
        self._start_look()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Cancel, preview or send."""
        event.stop()
        if event.button.id == "cancel":
            self.dismiss(None)
        elif event.button.id == "look":
            self._start_look()
        else:
            self.run_worker(self._guarded(self._send), group="qr", exclusive=True)

    def action_cancel(self) -> None:
        """Send nothing."""
        self.dismiss(None)

    def _start_look(self) -> None:
        self.run_worker(self._guarded(self._look), group="qr", exclusive=True)

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> None:
        self._say("Asking the hub …")
        try:
            await step()
        except OutpostError as error:
            self._say(f"✗ {error.detail.rstrip('.')}. {error.advice}")

    async def _look(self) -> None:
        code = await self._code()
        caption, amount = self._text("caption"), self._text("amount")
        asked = PreviewRequest(panel=self._device.panel, caption=caption, amount=amount, **code)
        made = await self._session.client.preview(asked)
        self._modules = await asyncio.to_thread(_modules, made)
        self._draw(made)
        took = f"about {made.seconds_on_line:.1f} s on the line"
        self._say(f"{made.width}x{made.height}, {ages.size(made.bytes)}, {took}.")
        self.query_one("#send").focus()

    async def _send(self) -> None:
        args: dict[str, Json] = dict(await self._code())
        args |= {key: text for key in ("caption", "amount") if (text := self._text(key))}
        command = await self._session.client.command(self._device.id, NewCommand(kind="display_qr", args=args))
        self.dismiss(Shown(command, self._modules))

    async def _code(self) -> dict[str, str]:
        text = self._text("code")
        if not text:
            raise OutpostError(f"{self._source.value} is empty", hint="Fill it in first.")
        if self._source is Source.TEXT:
            return {"payload": text}
        return {"image": await asyncio.to_thread(data_uri, text)}

    def _draw(self, made: Preview) -> None:
        area = self.query_one("#preview", Static)
        columns, lines = area.content_size
        picture = drawn(self._modules, columns, lines) if self._modules else ""
        if picture:
            area.update(Content.styled(picture, "black on white"))
        else:
            side = f"{len(self._modules)} modules a side: " if self._modules else ""
            area.update(Content(f"The panel can show it.\n{side}too large to draw in this terminal."))

    def _text(self, blank: str) -> str:
        return self.query_one(f"#{blank}", Input).value.strip()

    def _say(self, text: str) -> None:
        self.query_one("#wrong", Label).update(Content(literal(text)))


def _modules(made: Preview) -> Modules | None:
    try:
        return modules_in(base64.b64decode(made.png, validate=True), made.module_px)
    except binascii.Error:
        return None

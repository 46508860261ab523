"""Pictures for commands: arguments checked when a command is accepted, drawn when it is handed to its device.

A picture is reduced to the text of its QR code at once, and the code is drawn anew for the panel that shows it.
"""

from __future__ import annotations

import asyncio
import base64
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from edge.commands.model import Command
from edge.content.intake.pictures import Pictures
from edge.content.render import Rendered, panel_named, render_qr
from edge.devices.model import Device
from edge.errors import BadInput, BadPicture

CACHED_PICTURES = 64  # a few KB each; the same code is often sent again while a customer waits
PAYLOAD_BYTES = 2000  # past this no panel here can show the code; finer limits show when it is drawn
CAPTION_CHARS = 200
SLOTS = range(1, 100)
QR_TEXTS = ("caption", "amount", "reference")

Args = dict[str, Any]


class Content:
    """Prepares and renders the commands that show something."""

    def __init__(self, pictures: Pictures, *, show_s: float) -> None:
        self._pictures, self._show_s = pictures, show_s
        self._cache: OrderedDict[tuple[str, str, str], Rendered] = OrderedDict()

    async def prepare_qr(self, args: Mapping[str, Any], device: Device | None = None) -> Args:
        """`payload` (the code's text) or `image` (a picture of it), and texts to stand beneath.

        Raises BadInput, BadPicture (no code in it, or not one), TooLarge.
        """
        _only(args, {"payload", "image", *QR_TEXTS})
        texts = {name: _text(args, name, CAPTION_CHARS) for name in QR_TEXTS}
        if ("payload" in args) == ("image" in args):
            raise BadInput("Give either `payload` (the code's text) or `image` (a picture of it).")
        if "image" in args:
            payload = await self._pictures.qr_payload(_text(args, "image", None), text_allowed=False)
        else:
            payload = _text(args, "payload", None)
        if not payload:
            raise BadInput("`payload` is the text of a QR code, and not empty.")
        if len(payload.encode()) > PAYLOAD_BYTES:
            raise BadPicture(f"A code of more than {PAYLOAD_BYTES} bytes cannot be shown here.")
        return {"payload": payload, **{name: text for name, text in texts.items() if text}}

    async def prepare_picture(self, args: Mapping[str, Any], device: Device) -> Args:
        """`image` and `slot`: the picture is fitted to the device's panel at once."""
        _only(args, {"image", "slot"})
        slot = _slot(args)
        rendered = await self._pictures.photo(_text(args, "image", None), panel_named(device.panel))
        blob = base64.b64encode(rendered.data).decode()
        return {"slot": slot, "blob": blob, "content_hash": rendered.content_hash}

    async def prepare_slot(self, args: Mapping[str, Any], device: Device) -> Args:
        """`slot` alone."""
        _only(args, {"slot"})
        return {"slot": _slot(args)}

    async def render(self, command: Command, device: Device) -> tuple[Args, bytes]:
        """What the device gets: small arguments, and the picture for its panel. Raises BadInput, BadPicture."""
        args = command.args or {}
        if command.kind == "display_qr":
            rendered = await self.qr(args["payload"], device.panel, caption(args))
            return {"show_s": self._show_s}, rendered.data
        if command.kind == "store_picture":
            return {"slot": args["slot"]}, base64.b64decode(args["blob"])
        return dict(args), b""

    async def qr(self, payload: str, panel: str, caption: str) -> Rendered:
        """The code drawn and verified for a panel; the same again comes from memory. Raises BadPicture."""
        key = (payload, panel, caption)
        cached = self._cache.get(key)
        if cached is None:
            cached = await asyncio.to_thread(render_qr, payload, panel_named(panel), caption)
            self._cache[key] = cached
            if len(self._cache) > CACHED_PICTURES:
                self._cache.popitem(last=False)
        self._cache.move_to_end(key)
        return cached


def caption(args: Mapping[str, Any]) -> str:
    """The lines beneath a code: who, what for, how much."""
    return "\n".join(str(args[name]) for name in QR_TEXTS if args.get(name))


def _only(args: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(args) - known)
    if unknown:
        raise BadInput(f"Unknown argument {unknown[0][:40]!r}; known: {', '.join(sorted(known))}.")


def _text(args: Mapping[str, Any], name: str, limit: int | None) -> str:
    value = args.get(name, "")
    if not isinstance(value, str):
        raise BadInput(f"`{name}` is text.")
    if limit is not None and len(value) > limit:
        raise BadInput(f"`{name}` has at most {limit} characters.")
    try:
        value.encode()
    except UnicodeEncodeError:  # half a surrogate pair: some JSON readers let it pass, nothing can draw it
        raise BadInput(f"`{name}` is not valid Unicode text.") from None
    return value


def _slot(args: Mapping[str, Any]) -> int:
    slot = args.get("slot")
    if isinstance(slot, bool) or not isinstance(slot, int) or slot not in SLOTS:
        raise BadInput(f"`slot` is a number from {SLOTS.start} to {SLOTS.stop - 1}.")
    return slot

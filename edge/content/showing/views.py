"""How each panel stands, as the API and head office are shown it."""

from __future__ import annotations

from edge.clock import iso
from edge.content.codes.screens import QR
from edge.content.codes.screens import Screens as Codes
from edge.content.render.panels import Panel, panel_named
from edge.content.showing.offered import Looked, Offered
from edge.content.showing.receipts import Receipts
from edge.content.showing.showing import Showing
from edge.content.showing.store import Receipt
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.errors import NotFound
from edge.store.boots import Boots
from edge.wire.content import PanelKindView, PanelView, ReceiptView

CODES_ALONE = frozenset({"nic-display", "nic-client"})
"""Devices that cannot be given a scheduled picture."""
SEEN_FETCHING = frozenset({"personalcms"})
"""Devices that say nothing of what they show, nor always who they are when they fetch it."""


class PanelViews:
    """Draws panels together from all who know of them."""

    def __init__(
        self, showing: Showing, receipts: Receipts, codes: Codes, presences: Presences, boots: Boots
    ) -> None:
        self._showing, self._receipts, self._codes = showing, receipts, codes
        self._presences, self._boots = presences, boots

    async def view(self, device: Device) -> PanelView:
        """A device's panel at this moment."""
        looked = await self._showing.look(device)
        offered, turn, last = looked.offered, looked.turn, self._receipts.of(device.id)
        panel = panel_of(device)
        return PanelView(
            device=device.id,
            name=device.name,
            panel=device.panel,
            width=panel.width if panel is not None else 0,
            height=panel.height if panel is not None else 0,
            screen=offered.screen if offered is not None else "",
            version=offered.version if offered is not None else 0,
            playlist=offered.playlist if offered is not None else "",
            schedule=turn.schedule if turn is not None else "",
            wanted=offered.picture if offered is not None else "",
            until=iso(turn.until_us) if turn is not None and turn.until_us is not None else None,
            refresh_s=turn.refresh_s if turn is not None else 0,
            shown=last.picture if last is not None else "",
            shown_screen=last.screen if last is not None else "",
            shown_version=last.version if last is not None else 0,
            shown_at=self._at(last) if last is not None else None,
            evidence=last.evidence if last is not None else "",
            sharp=_shows(offered, last) and not looked.trouble and not self._code_is_up(device),
            behind=self._behind(device, looked, last),
            notes=[*looked.notes, *_other_size(device, panel)],
        )

    def receipt(self, receipt: Receipt) -> ReceiptView:
        """One receipt."""
        return ReceiptView(
            device=receipt.device,
            at=self._at(receipt),
            screen=receipt.screen,
            version=receipt.version,
            picture=receipt.picture,
            evidence=receipt.evidence,
        )

    def _at(self, receipt: Receipt) -> str:
        return iso(self._boots.when(receipt.at_us, receipt.at_clock))

    def _code_is_up(self, device: Device) -> bool:
        screen = self._codes.of(device.id)
        return screen is not None and screen.shows == QR

    def _behind(self, device: Device, looked: Looked, last: Receipt | None) -> str:
        """Why it does not show what it should, in a sentence; '' when it does, or need not."""
        offered = looked.offered
        if offered is None:
            return ""
        if self._code_is_up(device):
            return "A payment code is up."  # a customer's goes before everything
        if _shows(offered, last):
            return looked.trouble
        picture, why = self._showing.failed(device.id)
        if device.profile in CODES_ALONE:
            return "Its firmware shows payment codes and stored pictures alone: give it ours."
        if not device.approved:
            return "Nobody has approved it yet."
        if picture == offered.picture:
            return f"It could not show it: {why}."
        if not self._presences.online(device):
            return "It is offline."
        return _not_yet(device, looked, last)


def panel_of(device: Device) -> Panel | None:
    """Its panel, as it is drawn for; None for one that Outpost cannot draw for."""
    try:
        return panel_named(device.panel)
    except NotFound:
        return None


def kind_view(panel: Panel) -> PanelKindView:
    """A panel that Outpost can draw for."""
    return PanelKindView(
        name=panel.name,
        title=panel.title or panel.name,
        width=panel.width,
        height=panel.height,
        format=panel.format.value,
        shades=panel.shades,
    )


def _shows(offered: Offered | None, last: Receipt | None) -> bool:
    """Whether it shows the very picture that it is offered."""
    return offered is not None and last is not None and last.picture == offered.picture


def _not_yet(device: Device, looked: Looked, last: Receipt | None) -> str:
    """Why a device that is online may not show what it is offered."""
    if device.profile in SEEN_FETCHING:
        return "It was not seen to fetch it: it may sleep until its button is pressed, or share its address."
    if device.facts.get("sleeps"):
        return "It sleeps, and takes the picture when it wakes."
    if last is None:
        return "It has not said that it shows it."
    if last.picture and looked.fresh and looked.turn is not None:
        return f"It takes the new picture at its next look, within {_time(looked.turn.refresh_s)}."
    return "It still shows an earlier picture." if last.picture else "Something else is on its panel."


def _time(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} minutes"


def _other_size(device: Device, panel: Panel | None) -> list[str]:
    before = device.facts.get("panel_before")
    if not before or panel is None:
        return []
    return [
        f"It reports a panel of {panel.width}x{panel.height}, and was registered as {before}: what it says counts."
    ]

"""What a terminal shall show now, and which pictures it may fetch: what it was offered, and no other's."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from typing import TypeVar

import msgspec

from edge.compat.trmnl import notices
from edge.compat.trmnl.terminals import MODEL, panel_of
from edge.content.render import Panel, PanelFormat, Rendered, panel_named
from edge.content.showing.showing import Showing
from edge.devices.model import Device

log = logging.getLogger(__name__)

WAITING_S, NOTHING_S = 60, 900  # how soon it looks again: while a person is about to approve it; for a schedule
LEAST_S, MOST_S = 10, 86_400
SMALL_PNG_BYTES, PNG_BYTES = 90_000, 750_000  # without memory besides its chip's own, and with
SMALL_MODELS = frozenset({"", "og"})
OFFERED = 4  # pictures it may fetch: it fetches at once, and after an error a few times again
KEPT = 16  # pictures it has fetched whole, and may have on its flash
TERMINALS = 1024
Thing = TypeVar("Thing")
NAME_CHARS = 24  # of a hash; the terminal keeps 31 of a name, and takes digits at its end for a time


class Told(msgspec.Struct, frozen=True):
    """What it is told. `data` and `picture`, its hash: '' where the panel shall stay as it is. `notice`: whether
    the hub says something itself, which is nothing of the site's content. `refresh_s`: when it comes again, at most
    after `longest_s`, as its schedule says.
    """

    picture: str
    data: bytes
    panel: Panel
    refresh_s: int
    longest_s: int
    notice: bool

    @property
    def name(self) -> str:
        """The name under which a terminal keeps it: the same name, the same picture."""
        return f"{self.picture[:NAME_CHARS]}{_END[self.panel.format]}" if self.picture else ""

    @property
    def site_picture(self) -> str:
        """The hash where it is the site's content, '' where the hub says something itself."""
        return "" if self.notice else self.picture


class Offer(msgspec.Struct, frozen=True):
    """What a terminal was told of, as it is remembered."""

    name: str
    picture: str
    notice: bool

    @property
    def site_picture(self) -> str:
        """As of `Told`."""
        return "" if self.notice else self.picture


class Offering:
    """What terminals were offered lately."""

    def __init__(self, showing: Showing) -> None:
        self._showing = showing
        self._offered: OrderedDict[str, deque[Offer]] = OrderedDict()  # by device
        self._fetched: OrderedDict[str, deque[str]] = OrderedDict()  # by device: hashes

    async def now(self, device: Device) -> Told:
        """What it shall show now, and is told. Never raises for a fault in drawing: then its panel stays as it
        is."""
        told = await self._drawn(device)
        if told.picture:
            self._note(device, Offer(told.name, told.picture, told.notice))
        return told

    async def fetched(self, device: Device, name: str) -> Told | None:
        """The picture of that name, for the terminal that was offered it; None for whatever it was not."""
        for offer in self._offered.get(device.id, ()):
            held = self._showing.picture(offer.picture) if offer.name == name and not offer.notice else None
            if held is not None and device.approved:
                return Told(offer.picture, *held, LEAST_S, LEAST_S, False)
        told = await self._drawn(device)  # nobody is told of it by that, so it is no offer
        return told if name and told.name == name else None

    def has(self, device: Device, picture: str) -> None:
        """It has fetched all of this picture."""
        _remember(self._fetched, device, picture, KEPT)

    def had(self, device: Device, offer: Offer) -> bool:
        """Whether it once fetched all of what it was offered here."""
        return offer.picture in self._fetched.get(device.id, ())

    def last(self, device: Device) -> Offer | None:
        """What it was offered last."""
        offered = self._offered.get(device.id)
        return offered[-1] if offered else None

    def forget(self, device: Device) -> None:
        """The device is gone."""
        self._offered.pop(device.id, None)
        self._fetched.pop(device.id, None)

    # --- inside

    async def _drawn(self, device: Device) -> Told:
        try:
            return await self._now(device)
        except Exception:  # the task's edge: logged; the terminal keeps its picture and comes again
            log.exception("nothing could be drawn for a TRMNL", extra={"device": device.id})
            return Told("", b"", panel_named(panel_of(device)), NOTHING_S, NOTHING_S, True)

    async def _now(self, device: Device) -> Told:
        if not device.approved:
            return _notice(await notices.waiting(device), device, WAITING_S)
        offered = await self._showing.now(device)
        if offered is None:
            return _notice(await notices.nothing(device), device, NOTHING_S)
        refresh_s, longest_s = (min(MOST_S, max(LEAST_S, told)) for told in (offered.again_s, offered.refresh_s))
        most = _most(device, offered.panel)
        if len(offered.data) > most:
            return _notice(await notices.too_large(device, len(offered.data), most), device, longest_s)
        return Told(offered.picture, offered.data, offered.panel, refresh_s, max(refresh_s, longest_s), False)

    def _note(self, device: Device, offer: Offer) -> None:
        _remember(self._offered, device, offer, OFFERED)


def _remember(of: OrderedDict[str, deque[Thing]], device: Device, thing: Thing, most: int) -> None:
    """The newest last, each once; of so many terminals and no more."""
    known = of.setdefault(device.id, deque(maxlen=most))
    of.move_to_end(device.id)
    if thing in known:
        known.remove(thing)
    known.append(thing)
    if len(of) > TERMINALS:
        of.popitem(last=False)


def _notice(drawn: Rendered, device: Device, refresh_s: int) -> Told:
    return Told(drawn.content_hash, drawn.data, panel_named(panel_of(device)), refresh_s, refresh_s, True)


def _most(device: Device, panel: Panel) -> int:
    """How many bytes a terminal takes of a picture."""
    small = str(device.facts.get(MODEL) or "").lower() in SMALL_MODELS
    return SMALL_PNG_BYTES if small and panel.format is PanelFormat.PNG else PNG_BYTES


_END = {PanelFormat.BMP_1BPP: ".bmp"} | {one: ".png" for one in PanelFormat if one is not PanelFormat.BMP_1BPP}

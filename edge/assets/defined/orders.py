"""What head office asks to be changed about assets: the same requests as at the site, in one struct each.

A body is `{"do": word, …}`. `asset` names the asset, `stop` its stop, `id` the reason, shift or planned time; what
else is in it is the request of that word, as /v1 takes it. An asset that is added has its id from head office, so
that it is added once however often that is asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from edge.assets.defined.definitions import Assets
from edge.assets.defined.reasons import StopReasons
from edge.assets.defined.texts import slug
from edge.errors import BadInput
from edge.store.transaction import Within
from edge.wire.assets import (
    ChangeAsset,
    GiveReason,
    NewAsset,
    SetPlanned,
    SetReason,
    SetShift,
    Wire,
)
from edge.wire.values import TIME_MAX_US

NAMES = ("do", "asset", "stop", "id", "asked_us")

T = TypeVar("T", bound=msgspec.Struct)


class _Named(msgspec.Struct, kw_only=True):
    """What an order is about, beside its request. `asked_us`: when it was asked, by the centre's clock."""

    do: str
    asset: str = ""
    stop: str | int = ""
    id: str = ""
    asked_us: Annotated[int, msgspec.Meta(ge=0, le=TIME_MAX_US)] | None = None


class AssetOrders:
    """Does them, each in one transaction with what `within` writes."""

    def __init__(self, assets: Assets, reasons: StopReasons) -> None:
        self._assets, self._reasons = assets, reasons
        self._does: dict[str, Callable[[_Named, Any, str, Within], Awaitable[object]]] = {
            "add": self._add,
            "change": self._change,
            "wire": self._wire,
            "explain": self._explain,
            "reason": self._reason,
            "shift": self._shift,
            "no_shift": self._no_shift,
            "planned": self._planned,
            "no_planned": self._no_planned,
        }

    async def apply(self, body: Mapping[str, Any], actor: str, within: Within) -> None:
        """Do what is asked. Raises OutpostError; then nothing of it is done, and `within` has written nothing."""
        named = _converted(body, _Named)
        if named.do not in self._does:
            raise BadInput(f"This hub does not know how to {named.do[:40]!r} assets; update it.")
        request = {name: value for name, value in body.items() if name not in NAMES}
        await self._does[named.do](named, request, actor, within)

    async def _add(self, named: _Named, request: Any, actor: str, within: Within) -> None:
        asset_id = slug(named.asset, "asset") if named.asset else ""
        wanted = _converted(request, NewAsset)
        await self._assets.add(wanted, actor=actor, within=within, asset_id=asset_id, asked_us=named.asked_us)

    async def _change(self, named: _Named, request: Any, actor: str, within: Within) -> None:
        asset = self._assets.get(named.asset)
        await self._assets.change(asset, _converted(request, ChangeAsset), actor=actor, within=within)

    async def _wire(self, named: _Named, request: Any, actor: str, within: Within) -> None:
        asset = self._assets.get(named.asset)
        wanted = _converted(request, Wire)
        await self._assets.wire(asset, wanted, actor=actor, within=within, asked_us=named.asked_us)

    async def _explain(self, named: _Named, request: Any, actor: str, within: Within) -> None:
        asset, given = self._assets.get(named.asset), _converted(request, GiveReason)
        await self._reasons.give(asset, str(named.stop), given, actor=actor, within=within)

    async def _reason(self, named: _Named, request: Any, actor: str, within: Within) -> None:
        await self._assets.set_reason(named.id, _converted(request, SetReason), actor=actor, within=within)

    async def _shift(self, named: _Named, request: Any, actor: str, within: Within) -> None:
        await self._assets.set_shift(named.id, _converted(request, SetShift), actor=actor, within=within)

    async def _no_shift(self, named: _Named, request: Any, actor: str, within: Within) -> None:
        await self._assets.remove_shift(named.id, actor=actor, within=within)

    async def _planned(self, named: _Named, request: Any, actor: str, within: Within) -> None:
        await self._assets.set_planned(named.id, _converted(request, SetPlanned), actor=actor, within=within)

    async def _no_planned(self, named: _Named, request: Any, actor: str, within: Within) -> None:
        await self._assets.remove_planned(named.id, actor=actor, within=within)


def _converted(body: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"What the centre sent cannot be used: {error}.") from error

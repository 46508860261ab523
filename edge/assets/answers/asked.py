"""What a request asks of assets, read from its query: the same words at hub and centre."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge.assets.answers.asking import Chosen, K
from edge.assets.answers.stops import Wanted
from edge.assets.answers.windows import Question
from edge.errors import BadInput, NotFound
from edge.serving.moments import moment
from edge.serving.routing import Call, number

TIME = ("from", "to", "shift")
CHOICE = ("asset", "device", "line")
WANTED = ("reason", "open")
WITHOUT = "-"  # reason=- are the stops without one


def asked(call: Call, now_us: int) -> Question:
    """The time and the rows that are asked about: the last day and a row for each asset, unless it says so. Raises
    BadInput."""
    from_us = moment("from", call.query("from", "-24h"), now_us)
    to_us = moment("to", call.query("to", "-0s"), now_us)
    if from_us > to_us:
        raise BadInput("from lies behind to.")
    return Question(from_us=from_us, to_us=to_us, shift=call.query("shift"), by=call.query("by", "asset"))


def chosen(call: Call, assets: Sequence[Chosen[K]], names: Mapping[str, str]) -> list[Chosen[K]]:
    """Of these assets the ones that are asked about: `asset=` by id or name, `device=` those of a logger, by id or
    name (`names` has them by id), `line=` those of a line. Raises NotFound for an asset or a logger without one."""
    left = list(assets)
    asset, device, line = (call.query(name) for name in CHOICE)
    if asset:
        left = _named(asset, [(one, one.id, one.name) for one in left])
        if not left:
            raise NotFound(f"There is no asset {asset[:80]!r}.", hint="`outpost asset list` has them all.")
    if device:
        left = _named(device, [(one, one.device, names.get(one.device, "")) for one in left])
        if not left:
            raise NotFound(
                f"No asset is wired to {device[:80]!r}.", hint="`outpost asset list` has each one's logger."
            )
    if line:
        left = [one for one in left if one.line.casefold() == line.casefold()]
    return left


def wanted(call: Call) -> Wanted:
    """Which stops: `reason=` with this one (`-`: with none), `open=1` those that go on. Raises BadInput."""
    reason, open_ = call.query("reason"), call.query("open")
    if open_ not in ("", "0", "1"):
        raise BadInput("open is 1 or 0.")
    return Wanted(reason=None if not reason else "" if reason == WITHOUT else reason, open=open_ == "1")


def cursor(began_us: int, *key: str) -> str:
    """Where a page of stops ends, as its `next` says it; `key` is the asset's."""
    return ".".join((str(began_us), *key))


def place(call: Call, names: int = 1) -> tuple[int, tuple[str, ...]] | None:
    """Where the page before ended: when that stop began and its asset's key, which has so many names; None for the
    first page. Raises BadInput for a cursor that no page gave."""
    text = call.query("cursor")
    if not text:
        return None
    began, *key = text.split(".", names)
    began_us = number("cursor", began) if len(key) == names else None
    if began_us is None:
        raise BadInput("The cursor is not one that a page gave.", hint="Begin again without a cursor.")
    return began_us, tuple(key)


def _named(text: str, of: Sequence[tuple[Chosen[K], str, str]]) -> list[Chosen[K]]:
    """Those with this id; without any, those with this name."""
    by_id = [one for one, its_id, _ in of if its_id == text]
    return by_id or [one for one, _, name in of if name.casefold() == text.casefold()]

"""Choosing sites on a form: boxes to tick where they are few, their ids to type where they are many."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import msgspec

from cloud.web.frame import Visit
from edge.wire.centre import SiteView

FEW = 50  # sites that are worth a box each
BOX = "site:"  # how a box's field begins; behind it the id of its site
TYPED = "sites"


class SiteChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What a form offers. `sites`: every site the reader reaches, or None where they are too many to list.

    `every`: all sites are chosen, whichever come; `chosen`: the ids of those that are.
    """

    sites: list[SiteView] | None
    every: bool
    chosen: list[str]


async def reached(visit: Visit) -> list[SiteView] | None:
    """The sites the reader reaches, by name; None where they are more than FEW."""
    page = await visit.get("/v1/sites", {"limit": FEW})
    return None if page.next is not None else list(page.items)


async def offered(visit: Visit, chosen: Collection[str] = (), *, every: bool | None = None) -> SiteChoice:
    """The choice as it stands at first: `chosen`, or all where none is."""
    return SiteChoice(
        sites=await reached(visit), every=not chosen if every is None else every, chosen=sorted(chosen)
    )


def chosen_in(form: Mapping[str, str]) -> list[str]:
    """The ids somebody ticked or typed, each once; what was chosen before "all sites" was does not count."""
    if is_every(form):
        return []
    ticked = [name.removeprefix(BOX) for name in form if name.startswith(BOX)]
    return sorted({*ticked, *filter(None, re.split(r"[\s,;]+", form.get(TYPED, "")))})


def is_every(form: Mapping[str, str]) -> bool:
    """Whether all sites were chosen. A form that does not say is not taken for one that does."""
    return form.get("reach") == "all"

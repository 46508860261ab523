"""The addresses of all pages that can be looked at, from the router itself: a page that is new is in it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from cloud.service import Centre
from cloud.web.frame import ROOT


def every_page(centre: Centre, values: Mapping[str, str]) -> list[str]:
    """Each page by its path, its parts filled in from `values`: `{"commands.id": …}` is the part `{id}` behind
    `/commands/`. Raises KeyError for a part that is missing there: add what the new page is of."""
    return [_filled(page.path, values) for page in centre.web.pages if page.method == "GET"]


def every_file(centre: Centre, values: Mapping[str, str]) -> list[str]:
    """Each table of each page as a file, in both forms."""
    return [
        f"{_filled(page.path, values)}.{form}?table={table}"
        for page in centre.web.pages
        for table in page.tables
        for form in ("csv", "json")
    ]


def _filled(path: str, values: Mapping[str, str]) -> str:
    parts = path.split("/")
    for place, part in enumerate(parts):
        if part.startswith("{"):
            name = part[1:-1].partition(":")[0]
            parts[place] = quote(values[f"{parts[place - 1]}.{name}"], safe="")
    return ROOT + "/".join(parts)

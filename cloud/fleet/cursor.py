"""Where a page of what hubs told of their things ends, as its `next` says it."""

from __future__ import annotations

from cloud.fleet.lookup import Found
from edge.errors import BadInput

ID_DIGITS = 9  # of a site's number


def cursor_of(last: Found) -> str:
    """The cursor of the page behind this one, which ended with that thing."""
    return f"{last.place.site_id}.{len(last.device)}.{last.device}.{last.id}"


def behind_of(cursor: str) -> tuple[str, int, str] | None:
    """Behind which thing the page goes on: device, site and id. Raises BadInput."""
    if not cursor:
        return None
    site_id, _, rest = cursor.partition(".")
    length, _, names = rest.partition(".")
    wrong = not (site_id.isdecimal() and length.isdecimal()) or max(len(site_id), len(length)) > ID_DIGITS
    if wrong or names[int(length) : int(length) + 1] != ".":
        raise BadInput("The cursor is not one that a page gave.", hint="Begin again without a cursor.")
    return names[: int(length)], int(site_id), names[int(length) + 1 :]

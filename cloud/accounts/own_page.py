"""Whether a request comes from a page of this centre: a browser sends its cookie along with anybody's."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from aiohttp import hdrs, web

from edge.errors import Forbidden

SAFE = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})


def require_own_page(request: web.Request) -> None:
    """Raise Forbidden unless a page of this very centre makes the request, as the browser itself says.

    By Sec-Fetch-Site where the browser sends it (all that are kept up do), else by Origin. A browser that says
    neither cannot be told from one that another page made send this.
    """
    said = request.headers.get("Sec-Fetch-Site")
    if said is not None:
        own = said == "same-origin"
    else:
        own = address_here(request, request.headers.get(hdrs.ORIGIN, "")) is not None
    if not own:
        raise Forbidden("This was sent by another site's page.", hint="Open the page here and send it again.")


def address_here(request: web.Request, address: str) -> SplitResult | None:
    """The parts of an address of this centre, as the request calls it; None for one elsewhere, and for none."""
    try:
        parts = urlsplit(address)
    except ValueError:  # whoever sends it writes what he likes
        return None
    return parts if parts.netloc and parts.netloc.lower() == (request.host or "").lower() else None


def changes_something(request: web.Request) -> bool:
    """Whether it may change anything, or opens a channel that another origin's page could read."""
    return request.method not in SAFE or hdrs.UPGRADE in request.headers

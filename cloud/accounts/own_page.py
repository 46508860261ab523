"""Whether a request comes from a page of this centre: a browser sends its cookie along with anybody's."""

from __future__ import annotations

from urllib.parse import urlsplit

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
        origin = urlsplit(request.headers.get(hdrs.ORIGIN, ""))
        own = bool(origin.netloc) and origin.netloc.lower() == (request.host or "").lower()
    if not own:
        raise Forbidden("This was sent by another site's page.", hint="Open the page here and send it again.")


def changes_something(request: web.Request) -> bool:
    """Whether it may change anything, or opens a channel that another origin's page could read."""
    return request.method not in SAFE or hdrs.UPGRADE in request.headers

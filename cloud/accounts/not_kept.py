"""What browsers keep of answers to people who are logged in: nothing.

Who has logged out, or sits down at the same machine later, does not see what was answered before: neither a page by
going back nor a file or an answer of the API out of the browser's store.
"""

from __future__ import annotations

from aiohttp import hdrs, web

from cloud.accounts.logins import COOKIE, SECURE_COOKIE

_SAID = {hdrs.CACHE_CONTROL: "no-store", "X-Content-Type-Options": "nosniff"}


async def not_kept(request: web.Request, response: web.StreamResponse) -> None:
    """Before an answer begins: one to a login's cookie is not kept, nor taken for another kind of file than it is.
    What the answer says of this itself stays, as that of what pages look like."""
    if hdrs.COOKIE in request.headers and not request.cookies.keys().isdisjoint((COOKIE, SECURE_COOKIE)):
        for name, value in _SAID.items():
            response.headers.setdefault(name, value)

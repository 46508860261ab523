"""How pages look to one browser: their language, and light or dark."""

from __future__ import annotations

from aiohttp import hdrs, web

from cloud.web.frame import LANGUAGE_COOKIE, ROOT, THEME_COOKIE, THEMES, PageRoute, Result, Visit, own_path
from cloud.web.words import LANGUAGES

KEPT_S = 400 * 86_400  # what browsers allow


class LookPage:
    """/office/look: the buttons at the foot of every page."""

    def all(self) -> list[PageRoute]:
        """Its route."""
        return [PageRoute("POST", "/look", self.choose, None)]

    async def choose(self, visit: Visit) -> Result:
        """Keep the choice in the browser, and go back."""
        to = own_path(visit.form.get("back", ""))
        response = web.Response(status=303, headers={hdrs.LOCATION: to, hdrs.CACHE_CONTROL: "no-store"})
        for cookie, chosen, known in (
            (LANGUAGE_COOKIE, visit.form.get("language"), LANGUAGES),
            (THEME_COOKIE, visit.form.get("theme"), THEMES),
        ):
            if chosen in known:
                response.set_cookie(cookie, chosen, max_age=KEPT_S, path=ROOT, samesite="Lax", httponly=True)
        return response

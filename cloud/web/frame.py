"""Serves pages: who looks, may he, what the page says, and the answer around it.

A page is a handler that takes a `Visit` and gives `Shown` (a template and its values) or `Went` (somewhere else,
after a form). Whatever goes wrong comes back as a page too, with what to do about it. Everything a page shows of
the world it asks `visit.get` for, which is the /v1 API as the reader himself could ask it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import msgspec
from aiohttp import hdrs, web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cloud.accounts.guard import Guard
from cloud.accounts.member import Member
from cloud.accounts.own_page import address_here, require_own_page
from cloud.web import assets
from cloud.web.inner import Api
from cloud.web.links import ROOT as ROOT
from cloud.web.links import artifact_page, asset_page, command_page, device_page, group_page, part_of, rollout_page
from cloud.web.listing import Listing, send
from cloud.web.navigation import places
from cloud.web.visit import LANGUAGE_COOKIE as LANGUAGE_COOKIE
from cloud.web.visit import SAID_COOKIE
from cloud.web.visit import Visit as Visit
from edge.clock import Clock, iso
from edge.errors import BadInput, Forbidden, NotFound, OutpostError, RateLimited, Unauthenticated
from edge.serving.bodies import read_body
from edge.serving.roles import NOBODY, Principal, Role

log = logging.getLogger(__name__)

LOGIN = ROOT + "/login"
TEMPLATES = Path(__file__).with_name("templates")
FORM_BYTES = 512 * 1024  # a picture's text is the largest thing a form carries
FORM_FIELDS = 200
THEME_COOKIE = "outpost_theme"
THEMES = ("light", "dark")
SAID_S = 60
URL_CHARS = "!#$%&'()*+,-./:;=?@[]_~"  # the rest of an address is escaped
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PASSING = frozenset({429, 500, 502, 503, 507})  # failures after which a page comes back by itself
NOT_KEPT = {"Cache-Control": "no-store"}  # by browsers: who has logged out does not see it again by going back


class Shown(msgspec.Struct, frozen=True):
    """A page. `once`: it shows what is shown this once, so it does not look for news of itself."""

    template: str
    values: Mapping[str, Any] = {}
    status: int = 200
    once: bool = False


class Went(msgspec.Struct, frozen=True):
    """Somewhere else, by a GET. `said`: what is said there once, a name of the group `said` of the catalogue."""

    to: str
    said: str = ""


Result = Shown | Went | web.StreamResponse


Handler = Callable[[Visit], Awaitable[Result]]
Lister = Callable[[Visit], Listing]


class PageRoute(msgspec.Struct, frozen=True):
    """One page, at `ROOT` + `path`. `role` None: for everybody. `tables`: its tables as files, by name; the first
    is what the page's address with `.csv` or `.json` gives, others are chosen by `?table=`. `receives`: its form
    brings a file, so its handler reads it (cloud/web/receiving.py). `fields`: how many its form may have."""

    method: str
    path: str
    handler: Handler
    role: Role | None
    tables: Mapping[str, Lister] = {}
    receives: bool = False
    fields: int = FORM_FIELDS


class Frame:
    """Makes aiohttp routes of pages."""

    def __init__(
        self, guard: Guard, api: Api, clock: Clock, *, name: str, url: str, secure: bool, body_s: float
    ) -> None:
        self._guard, self._api, self._clock, self._name, self._body_s = guard, api, clock, name, body_s
        self._url, self._secure = url.rstrip("/"), secure
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.globals.update(asset=assets.address, part_of=part_of)
        self._templates.globals.update(asset_page=asset_page, device_page=device_page, command_page=command_page)
        self._templates.globals.update(
            artifact_page=artifact_page, rollout_page=rollout_page, group_page=group_page
        )
        self._templates.filters["path"] = lambda text: quote(str(text), safe="")

    def paths(self, pages: list[PageRoute]) -> list[web.RouteDef]:
        """Every page, and its tables as files."""
        made = []
        for page in pages:
            # the files first: a path that ends with a part of any name would take theirs
            made += [web.get(f"{ROOT}{page.path}.{form}", self._file(page, form)) for form in _forms(page)]
            made.append(web.route(page.method, ROOT + page.path, self._served(page)))
        return made

    async def to_first_page(self, request: web.Request) -> web.StreamResponse:
        """GET /office."""
        return self._went(Went(ROOT + "/"))

    def _served(self, page: PageRoute) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            visit: Visit | None = None
            try:
                visit = await self._enter(page, request)
                return self._answer(visit, await page.handler(visit))
            except OutpostError as error:
                return self._refused(request, visit, error)
            except web.HTTPException:
                raise
            except Exception:  # the task's edge: reported, logged with its id, never shown
                instance = secrets.token_hex(4)
                log.exception("a page failed", extra={"instance": instance, "path": request.path[:200]})
                return self._refused(request, visit, OutpostError(f"Something went wrong here ({instance})."))

        return serve

    def _file(self, page: PageRoute, form: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            visit: Visit | None = None
            try:
                visit = await self._enter(page, request)
                wanted = visit.query("table") or next(iter(page.tables))
                if wanted not in page.tables:
                    raise NotFound(f"This page has no table {wanted[:40]!r}.")
                return await send(visit.call, page.tables[wanted](visit), form, {**HEADERS, **NOT_KEPT})
            except OutpostError as error:
                return self._refused(request, visit, error)

        return serve

    async def _enter(self, page: PageRoute, request: web.Request) -> Visit:
        """Who looks, counted, and found to have the role; with the form he sends, from a page of ours."""
        principal: Principal = NOBODY
        try:
            await self._guard.learn(request)
            principal = self._guard.identify(request)
        except Unauthenticated:
            if page.role is not None:
                self._guard.count_address(request)
                raise
        if principal is NOBODY:
            self._guard.count_address(request)
            if page.role is not None:
                raise Unauthenticated("Log in to see this.")
        else:
            self._guard.count(principal, request)
        if page.role is not None:
            principal.require(page.role)
        form: Mapping[str, str] = {}
        if request.method == hdrs.METH_POST:
            require_own_page(request)
        if request.method == hdrs.METH_POST and not page.receives:
            raw = await read_body(request, self._body_s, FORM_BYTES, known=principal is not NOBODY)
            form = _form(raw, page.fields)
        return self._visit(request, principal, form)

    def _visit(self, request: web.Request, principal: Principal, form: Mapping[str, str]) -> Visit:
        return Visit(
            request,
            principal,
            self._api,
            self._clock,
            form,
            url=self._url,
            still_allowed=lambda: self._guard.still(principal, request),
        )

    def _answer(self, visit: Visit, result: Result) -> web.StreamResponse:
        if isinstance(result, web.StreamResponse):
            result.headers.update(HEADERS)
            return result
        if isinstance(result, Went):
            return self._went(result)
        body = self.render(visit, result).encode("utf-8", "replace")
        response = web.Response(
            body=body,
            status=result.status,
            content_type="text/html",
            charset="utf-8",
            headers={**HEADERS, **NOT_KEPT},
        )
        if visit.said:
            response.del_cookie(SAID_COOKIE, path=ROOT, httponly=True, samesite="Strict", secure=self._secure)
        response.enable_compression()
        return response

    def _went(self, result: Went) -> web.Response:
        to = quote(result.to, safe=URL_CHARS, errors="replace")
        response = web.Response(status=303, headers={**HEADERS, **NOT_KEPT, hdrs.LOCATION: to})
        if result.said:
            response.set_cookie(
                SAID_COOKIE,
                result.said,
                max_age=SAID_S,
                path=ROOT,
                httponly=True,
                samesite="Strict",
                secure=self._secure,
            )
        return response

    def render(self, visit: Visit, shown: Shown) -> str:
        """The page as text."""
        request = visit.request
        member = visit.principal if isinstance(visit.principal, Member) else None
        theme = request.cookies.get(THEME_COOKIE, "")
        return self._templates.get_template(shown.template).render(
            {
                "t": visit.words,
                "f": visit.figures,
                "visit": visit,
                "member": member,
                "nav": places(member, request.path) if member else [],
                "centre": self._name,
                "theme": theme if theme in THEMES else "",
                "rendered_at": iso(visit.now_us),
                "http_status": shown.status,
                "refreshes": _refreshes(visit, shown),
                "said": visit.said,
                "advice": lambda error: _advice(visit, error),
                **shown.values,
            }
        )

    def _refused(self, request: web.Request, visit: Visit | None, error: OutpostError) -> web.StreamResponse:
        """The page that says why not; who is not logged in is led to where he does."""
        if isinstance(error, Unauthenticated) and request.method == hdrs.METH_GET and _is_page(request):
            return self._went(Went(f"{LOGIN}?{urlencode({'next': request.path_qs})}"))
        visit = visit or self._visit(request, NOBODY, {})
        shown = Shown("error.html", {"error": error, "back": came_from(request)}, status=error.status)
        response = self._answer(visit, shown)
        if isinstance(error, RateLimited) and error.retry_after_s is not None:
            response.headers["Retry-After"] = str(max(1, int(error.retry_after_s + 0.999)))
        return response


def _refreshes(visit: Visit, shown: Shown) -> bool:
    """Whether a page looks for news of itself: not one that a form made, and of failures those that pass."""
    if visit.request.method != hdrs.METH_GET or shown.once:
        return False
    return shown.status in PASSING or (shown.status == 200 and isinstance(visit.principal, Member))


def _advice(visit: Visit, error: OutpostError) -> str:
    """What to do about it, for somebody at a page: he has a login, where the API speaks of keys."""
    if isinstance(error, Forbidden) and error.advice == Forbidden.hint:
        return str(visit.words("error.role"))
    return error.advice


def own_path(path: str, default: str = ROOT + "/") -> str:
    """`path` when it is one of our pages: somebody else's link does not choose where a login leads."""
    plain = path.isprintable() and "\\" not in path and not path.startswith("//")
    return path if plain and path.startswith(ROOT + "/") else default


def came_from(request: web.Request) -> str:
    """The page of ours that led here, the first one where it is not known."""
    referrer = address_here(request, request.headers.get(hdrs.REFERER, ""))
    if referrer is None:
        return ROOT + "/"
    return own_path(referrer.path + (f"?{referrer.query}" if referrer.query else ""))


def _forms(page: PageRoute) -> tuple[str, ...]:
    return ("csv", "json") if page.tables else ()


def _is_page(request: web.Request) -> bool:
    return not request.path.endswith((".csv", ".json"))


def _form(raw: bytes, fields: int) -> Mapping[str, str]:
    """The fields of a form (application/x-www-form-urlencoded); of one sent twice, the last. Raises BadInput."""
    try:
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=fields, errors="strict")
    except ValueError as error:
        raise BadInput("The form cannot be read.") from error
    if any("\0" in text for pair in pairs for text in pair):
        raise BadInput("The form has a NUL in it.")
    return dict(pairs)

"""What a caller does not reach is not there: every route is asked for it, by whom it is not for.

The questions are made from the table of routes: one that is new is asked too, or says here what it lacks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
import pytest

from cloud.accounts.logins import COOKIE
from edge.serving.roles import Role
from edge.serving.routing import Route
from tests.architecture.reference_pages import centre_routes
from tests.filled_centre import Filled
from tests.integration.centre.strangers import BODIES, Planted, plant
from tests.integration.running_hub import Answer
from tests.running_centre import RunningCentre

pytestmark = pytest.mark.both_engines

MARK = "xyzzy"  # begins all that is hidden
WITHOUT_NAMES = {
    "/v1/tenants", "/v1/knocking", "/v1/status", "/metrics", "/v1/sites/{site}/chain", "/v1/me",
    "/v1/content/panel-kinds", "/v1/content/presets", "/v1/content/pictures/{picture}/thumb.png",
    "/v1/content/panels/{device}/picture.png",
}  # fmt: skip
"""What is told of no site, or in numbers or pixels alone; the tests of each look at those."""
LIVE = {"/v1/live", "/v1/events"}
"""Answers without an end; test_live.py listens to them as a stranger."""
OF_TENANT = ("/v1/artifacts", "/v1/firmware-keys", "/v1/groups", "/v1/content")
"""What is of a tenant and of no site: whoever reaches one of its sites may see that it is there."""
OF_SITE = (
    "/v1/content/panels", "/v1/content/site-documents", "/v1/content/check", "/v1/content/{kind}/{id}/sites/{site}",
)  # fmt: skip
"""What of that is of sites after all."""
FROM = "2026-09-01T00:00:00.000Z"  # before anything was planted
REFUSED = {400, 403, 404, 409}
STRANGERS = ("another tenant", "another site")
"""Who does not reach it: administrators by key, and a person of either, who shows the cookie of his login."""

PASSWORD = str(BODIES["ChangePassword"]["old"])
Ask = Callable[..., Awaitable[Answer]]

ROUTES = [route for route in centre_routes() if route.role is not None and route.path not in LIVE]


def question(planted: Planted, route: Route) -> str:
    """The route's path to a thing of the site, over all time where it asks for a time."""
    return planted.fill(route.path) + (f"?from={FROM}" if "from" in route.query else "")


def path_of(route: Route) -> str:
    """The route as one names a test."""
    return f"{route.method} {route.path}"


def of_tenant(route: Route) -> bool:
    """Whether it asks for what is of a tenant and of no site."""
    return route.path.startswith(OF_TENANT) and not route.path.startswith(OF_SITE)


async def hidden(centre: RunningCentre) -> Planted:
    """A full site of the first tenant, and keys of two admins who do not reach it."""
    planted = await plant(centre, 1, MARK)
    filled = Filled(centre.centre.db)
    await filled.site(2, "plain-site")
    await filled.tenant(2)
    await centre.add_key("another tenant", Role.ADMIN, tenant_id=2)
    await centre.add_key("another site", Role.ADMIN, sites="plain-site")
    return planted


async def strangers(centre: RunningCentre) -> dict[str, Ask]:
    """How each stranger asks."""
    asked: dict[str, Ask] = {}
    for key in STRANGERS:
        asked[key] = partial(centre.ask, key=key)
        sites = ["plain-site"] if key == "another site" else []
        person = {"email": "ann@example.com", "username": key.replace(" ", "-"), "role": "admin", "sites": sites}
        made = await centre.ask("POST", "/v1/people", {**person, "password": PASSWORD}, key=key)
        assert made.status == 201, made.body
        cookie = await centre.centre.accounts.logins.begin(person["username"], PASSWORD, address="192.0.2.1")
        headers = {"Cookie": f"{COOKIE}={cookie}", "Sec_Fetch_Site": "same-origin"}
        asked[f"a person of {key}"] = partial(centre.ask, key="", **headers)
    return asked


async def test_no_route_tells_a_stranger_anything(centre: RunningCentre) -> None:
    planted = await hidden(centre)
    asked = await strangers(centre)
    for route in ROUTES:
        for stranger, ask in asked.items():
            if of_tenant(route) and "another site" in stranger:
                continue
            path, body = question(planted, route), planted.body(route)
            answer = await ask(route.method, path, body)
            where = (path_of(route), stranger, answer.status, answer.body)
            if "{" in route.path:
                assert answer.status == 404, where
            elif answer.status not in REFUSED:
                assert MARK not in str(answer.body), where
    await everything_is_still_there(centre, planted)


async def test_no_list_tells_a_stranger_of_a_site_he_names(centre: RunningCentre) -> None:
    planted = await hidden(centre)
    asked = await strangers(centre)
    named = f"site={planted.slug}&device={MARK}-device&person={MARK}-person&actor={MARK}&from={FROM}"
    for route in [route for route in ROUTES if route.method == "GET" and "{" not in route.path]:
        for stranger, ask in asked.items():
            if of_tenant(route) and "another site" in stranger:
                continue
            answer = await ask("GET", f"{route.path}?{named}")
            if answer.status not in REFUSED:
                assert MARK not in str(answer.body), (path_of(route), stranger, answer.body)


async def everything_is_still_there(centre: RunningCentre, planted: Planted) -> None:
    """The owner sees in each answer what is hidden from others: it was there to be seen."""
    for route in [route for route in ROUTES if route.method == "GET" and route.path not in WITHOUT_NAMES]:
        answer = await centre.get(question(planted, route))
        assert answer.status == 200, (path_of(route), answer.body)
        assert MARK in str(answer.body), (path_of(route), answer.body)
    site = (await centre.get(f"/v1/sites/{planted.slug}")).body
    assert (site["name"], site["state"] != "revoked") == ("Xyzzy-Site", True)


@pytest.mark.parametrize("route", centre_routes(), ids=path_of)
def test_every_route_can_be_asked(route: Route) -> None:
    """What a new one needs: its parameters in Planted.fill, and its body in BODIES."""
    if route.role is None:
        return
    planted = Planted(MARK)
    planted.fill(route.path)
    if route.body is not None:
        assert route.body.__name__ in BODIES, "say what is sent to it"
        msgspec.convert(planted.body(route), route.body)

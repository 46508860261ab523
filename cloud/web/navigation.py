"""The pages one can go to from everywhere, as far as they are open to who looks."""

from __future__ import annotations

import re

import msgspec

from cloud.accounts.member import Member
from edge.serving.roles import Role


class Place(msgspec.Struct, frozen=True):
    """One of them: its name in the group `nav` of the catalogue, its address, and whether one is there."""

    name: str
    at: str
    here: bool


_ALL = (
    ("fleet", "/office/", Role.VIEWER),
    ("availability", "/office/availability", Role.VIEWER),
    ("commands", "/office/commands", Role.VIEWER),
    ("firmware", "/office/firmware", Role.VIEWER),
    ("content", "/office/content", Role.VIEWER),
    ("people", "/office/people", Role.ADMIN),
    ("keys", "/office/keys", Role.ADMIN),
    ("audit", "/office/audit", Role.ADMIN),
    ("knocking", "/office/knocking", Role.VIEWER),
)
_OF_ALL_SITES = frozenset({"knocking"})  # what is of no site is for those who reach all
_OF_FLEET = ("/office/fleet", "/office/sites", "/office/devices")
_OF_AVAILABILITY = re.compile(r"/office/sites/[^/]+/(availability|assets|rules)(/|$)")  # of a site's pages
_OF_CONTENT = re.compile(r"/office/sites/[^/]+/devices/[^/]+/panel$")


def places(member: Member, here: str) -> list[Place]:
    """Where `member` may go, `here` being the path of the page he is at."""
    return [
        Place(name, at, _is_within(here, at))
        for name, at, role in _ALL
        if role <= member.role and not member.scope and not (member.sites and name in _OF_ALL_SITES)
    ]


def _is_within(here: str, at: str) -> bool:
    if _OF_AVAILABILITY.match(here):
        return at == "/office/availability"
    if _OF_CONTENT.match(here):
        return at == "/office/content"
    if at == "/office/":
        return here == at or any(here == each or here.startswith(each + "/") for each in _OF_FLEET)
    return here == at or here.startswith(at + "/")

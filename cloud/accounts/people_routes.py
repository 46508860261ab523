"""/v1/people, /v1/logins and /v1/me."""

from __future__ import annotations

import msgspec
from sqlalchemy import RowMapping

from cloud.accounts.logins import Logins
from cloud.accounts.member import member
from cloud.accounts.people import People
from cloud.accounts.person import Changes, Wanted
from edge.clock import iso
from edge.serving.addresses import address_of
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire.people import (
    ChangeMe,
    ChangePassword,
    ChangePerson,
    CreatePerson,
    LoginView,
    MeView,
    NewPerson,
    PersonCode,
    PersonView,
    SetPassword,
)


class PeopleRoutes:
    """The routes of this capability."""

    def __init__(self, people: People, logins: Logins) -> None:
        self._people, self._logins = people, logins

    def all(self) -> list[Route]:
        """Every route."""
        admin, viewer, view, one = Role.ADMIN, Role.VIEWER, PersonView, "/v1/people/{id}"
        add = "Add somebody; without a password, with a code that sets one"
        change = "Change somebody's role, sites, name, address, or shut his account; open logins follow at once"
        reset, renew = "A code to set a new password with, once", "Set somebody's password; all his logins end"
        logins = "Open logins: an administrator sees those of everybody he reaches, others their own"
        return [
            Route("GET", "/v1/people", self.every, "Who there is", admin, returns=view, many=True),
            Route("POST", "/v1/people", self.add, add, admin, body=CreatePerson, returns=NewPerson, created=True),
            Route("GET", one, self.one, "One person, by id, address or username", admin, returns=view),
            Route("PATCH", one, self.change, change, admin, body=ChangePerson, returns=view),
            Route("PUT", one + "/password", self.password, renew, admin, body=SetPassword),
            Route("POST", one + "/reset", self.reset, reset, admin, returns=PersonCode, created=True),
            Route(
                "GET", "/v1/logins", self.logins, logins, viewer, returns=LoginView, many=True, query=("person",)
            ),
            Route("DELETE", "/v1/logins/{id}", self.end, "End a login at once", viewer),
            Route("GET", "/v1/me", self.me, "Who asks", viewer, returns=MeView),
            Route("PATCH", "/v1/me", self.change_me, "Change one's name", viewer, body=ChangeMe, returns=MeView),
            Route(
                "POST", "/v1/me/password", self.own_password, "Change one's own password; one's other logins end",
                viewer, body=ChangePassword,
            ),
        ]  # fmt: skip

    async def every(self, call: Call) -> Answer:
        """GET /v1/people."""
        return Page([person_view(row) for row in await self._people.listed(member(call))])

    async def add(self, call: Call) -> Answer:
        """POST /v1/people."""
        asked: CreatePerson = call.body
        wanted = Wanted(
            email=asked.email,
            role=asked.role,
            sites=frozenset(asked.sites),
            full_name=asked.full_name,
            username=asked.username,
            password=asked.password,
        )
        row, code, until_us = await self._people.add(member(call), wanted)
        until = iso(until_us) if code else ""
        return Created(NewPerson(person=person_view(row), code=code, code_until=until))

    async def one(self, call: Call) -> Answer:
        """GET /v1/people/{id}."""
        return person_view(await self._people.get(member(call), call.param("id")))

    async def change(self, call: Call) -> Answer:
        """PATCH /v1/people/{id}."""
        given = {
            name: value for name, value in msgspec.structs.asdict(call.body).items() if value is not msgspec.UNSET
        }
        if "sites" in given:
            given["sites"] = frozenset(given["sites"])
        return person_view(await self._people.change(member(call), call.param("id"), Changes(**given)))

    async def password(self, call: Call) -> Answer:
        """PUT /v1/people/{id}/password."""
        await self._people.set_password(member(call), call.param("id"), call.body.password)
        return None

    async def reset(self, call: Call) -> Answer:
        """POST /v1/people/{id}/reset."""
        row, code, until_us = await self._people.reset(member(call), call.param("id"))
        return Created(PersonCode(person=person_view(row), code=code, until=iso(until_us)))

    async def logins(self, call: Call) -> Answer:
        """GET /v1/logins?person=, by id, address or username."""
        caller, whose = member(call), call.query("person")
        if whose and whose != caller.person:
            caller.require(Role.ADMIN)
            whose = (await self._people.get(caller, whose))["id"]
        rows = await self._logins.listed(caller, person=whose)
        return Page([_login_view(row, caller.login) for row in rows])

    async def end(self, call: Call) -> Answer:
        """DELETE /v1/logins/{id}."""
        await self._logins.end(member(call), call.param("id"))
        return None

    async def me(self, call: Call) -> Answer:
        """GET /v1/me."""
        caller = member(call)
        row = await self._people.himself(caller)
        return MeView(
            actor=caller.actor,
            role=caller.role.label,
            sites=sorted(caller.sites),
            tenant=await self._people.tenant_name(caller),
            person=None if row is None else person_view(row),
        )

    async def change_me(self, call: Call) -> Answer:
        """PATCH /v1/me."""
        await self._people.rename_himself(member(call), call.body.full_name)
        return await self.me(call)

    async def own_password(self, call: Call) -> Answer:
        """POST /v1/me/password."""
        asked: ChangePassword = call.body
        address = address_of(call.request)
        await self._people.change_own_password(member(call), asked.old, asked.new, address=address)
        return None


def person_view(row: RowMapping) -> PersonView:
    """Somebody as the API shows him."""
    return PersonView(
        id=row["id"],
        email=row["email"],
        username=row["username"],
        full_name=row["full_name"],
        role=row["role"],
        sites=row["sites"].split(),
        state=row["state"],
        has_password=bool(row["password"]),
        created_at=iso(row["created_us"]),
        created_by=row["created_by"],
        seen_at=iso(row["seen_us"]) if row["seen_us"] else None,
    )


def _login_view(row: RowMapping, current: str) -> LoginView:
    return LoginView(
        id=row["id"],
        person=row["person"],
        username=row["username"],
        kind=row["kind"],
        created_at=iso(row["created_us"]),
        seen_at=iso(row["seen_us"]),
        until=iso(row["until_us"]),
        address=row["address"],
        agent=row["agent"],
        current=row["id"] == current,
    )

"""People: everybody of the tenant, and the form that adds one. The code he comes in with is shown once."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence

from cloud.web.cut import cut
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit
from cloud.web.links import link
from cloud.web.listing import Listing
from cloud.web.site_choice import chosen_in, is_every, offered
from edge.errors import BadInput, Conflict, Forbidden, NotFound, OutpostError
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.people import NewPerson, PersonView

HERE = ROOT + "/people"
ROLES = ("viewer", "technician", "admin")
COLUMNS = (
    "id", "email", "username", "full_name", "role", "sites", "state", "has_password", "created_at", "created_by",
    "seen_at",
)  # fmt: skip


class PeoplePage:
    """/office/people and /office/people/new."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        admin = Role.ADMIN
        return [
            PageRoute("GET", "/people", self.show, admin, tables={"people": self.people}),
            PageRoute("GET", "/people/new", self.ask, admin),
            PageRoute("POST", "/people/new", self.add, admin),
        ]

    async def show(self, visit: Visit) -> Result:
        """Everybody: first those who wait to be let in, those who are shut out last."""
        found: list[PersonView] = (await visit.get("/v1/people")).items
        ordered = sorted(found, key=lambda person: (person.state != "waiting", person.state == "disabled"))
        people, following = cut(ordered, visit.query("cursor"))
        return Shown(
            "people.html",
            {
                "people": people,
                "first": HERE if visit.query("cursor") else "",
                "more": link(HERE, cursor=following) if following else "",
                "logins": Counter([login.person for login in (await visit.get("/v1/logins")).items]),
            },
        )

    def people(self, visit: Visit) -> Listing:
        """All of them, as a file."""
        return Listing("people", COLUMNS, _rows(visit.every("/v1/people")))

    async def ask(self, visit: Visit) -> Result:
        """The form."""
        return await _form(visit)

    async def add(self, visit: Visit) -> Result:
        """Somebody new, and the code with which he sets his password."""
        wanted = {name: visit.form.get(name, "").strip() for name in ("email", "username", "full_name", "role")}
        sites = chosen_in(visit.form)
        try:
            if not sites and not is_every(visit.form):
                raise BadInput(str(visit.words("sites_of.choose")), hint="")
            made: NewPerson = await visit.act("POST", "/v1/people", {**wanted, "sites": sites})
        except (BadInput, Conflict, Forbidden, NotFound) as error:
            return await _form(visit, error)
        return code_shown(visit, made.person, made.code, made.code_until, title="people.added")


def code_shown(visit: Visit, person: PersonView, code: str, until: str, *, title: str) -> Shown:
    """The page with somebody's code. `title`: its words, which take `email`."""
    words = visit.words
    return Shown(
        "once.html",
        {
            "title": words(title, email=person.email),
            "says": [words("people.once"), words("people.how", email=person.email)],
            "secrets": [
                (words("people.code"), code),
                (words("people.where"), f"{visit.origin}{ROOT}/reset"),
            ],
            "until": until,
            "on": f"{HERE}/{person.id}",
        },
        once=True,
    )


async def _form(visit: Visit, refused: OutpostError | None = None) -> Shown:
    every = is_every(visit.form) if visit.form else not visit.member.sites
    values = {
        "typed": {name: visit.form.get(name, "") for name in ("email", "username", "full_name")},
        "role": visit.form.get("role", "viewer"),
        "roles": ROLES,
        "choice": await offered(visit, chosen_in(visit.form), every=every),
        "refused": refused,
    }
    return Shown("person_new.html", values, status=refused.status if refused else 200)


async def _rows(pages: AsyncIterator[list[PersonView]]) -> AsyncIterator[Sequence[Row]]:
    async for page in pages:
        yield [
            tuple(" ".join(each.sites) if column == "sites" else getattr(each, column) for column in COLUMNS)
            for each in page
        ]

"""One person: his role and sites, how he is logged in; changed, given a code, shut out, let in again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from markupsafe import Markup

from cloud.web.confirming import confirm
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit, Went
from cloud.web.listing import Listing
from cloud.web.pages.people import ROLES, code_shown
from cloud.web.site_choice import chosen_in, is_every, offered
from edge.errors import BadInput, Conflict, Forbidden, NotFound, OutpostError
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.people import LoginView, PersonCode, PersonView

HERE = ROOT + "/people"
ONE = "/v1/people/{id}"
LOGIN_COLUMNS = ("id", "username", "kind", "created_at", "seen_at", "until", "address", "agent", "current")
STATES = {"disable": "disabled", "enable": "active"}  # by the last part of the page's path


class PersonPage:
    """/office/people/{id}, and behind it /change, /reset, /disable, /enable, /logins/{login}/end, /end-logins."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        admin, one = Role.ADMIN, "/people/{id}"
        acts = (
            ("/change", self.ask_to_change, self.change),
            ("/reset", self.ask_to_reset, self.reset),
            ("/disable", self.ask_to_disable, self.set_state),
            ("/enable", self.ask_to_enable, self.set_state),
            ("/logins/{login}/end", self.ask_to_end, self.end),
            ("/end-logins", self.ask_to_end_all, self.end_all),
        )
        return [
            PageRoute("GET", one, self.show, admin, tables={"logins": self.logins}),
            *(PageRoute("GET", one + path, ask, admin) for path, ask, _ in acts),
            *(PageRoute("POST", one + path, act, admin) for path, _, act in acts),
        ]

    async def show(self, visit: Visit) -> Result:
        """Who he is and where he is logged in."""
        person = await _person(visit)
        logins = (await visit.get("/v1/logins", {"person": person.id})).items
        return Shown("person.html", {"person": person, "logins": logins, "own": person.id == visit.member.person})

    def logins(self, visit: Visit) -> Listing:
        """His open logins, as a file."""
        return Listing("logins", LOGIN_COLUMNS, login_rows(visit, visit.param("id")))

    # --- changing

    async def ask_to_change(self, visit: Visit) -> Result:
        """The form, with what is so now."""
        return await _form(visit, await _person(visit))

    async def change(self, visit: Visit) -> Result:
        """What the form has: name, address, role and sites, and nothing else of him."""
        person, sites = await _person(visit), chosen_in(visit.form)
        wanted = {name: visit.form.get(name, "").strip() for name in ("full_name", "email", "role")}
        try:
            if not sites and not is_every(visit.form):
                raise BadInput(str(visit.words("sites_of.choose")), hint="")
            await visit.act("PATCH", ONE, {**wanted, "sites": sites}, id=person.id)
        except (BadInput, Conflict, Forbidden, NotFound) as error:
            return await _form(visit, person, error)
        return Went(f"{HERE}/{person.id}", said="person_changed")

    # --- a code for a new password

    async def ask_to_reset(self, visit: Visit) -> Result:
        """Are you sure?"""
        return _asked(visit, await _person(visit), "reset", danger=False)

    async def reset(self, visit: Visit) -> Result:
        """A code, shown once."""
        made: PersonCode = await visit.act("POST", ONE + "/reset", id=visit.param("id"))
        return code_shown(visit, made.person, made.code, made.until, title="people.reset_made")

    # --- out and in

    async def ask_to_disable(self, visit: Visit) -> Result:
        """Are you sure?"""
        return _asked(visit, await _person(visit), "disable")

    async def ask_to_enable(self, visit: Visit) -> Result:
        """Are you sure? Somebody who waits is let in for the first time."""
        person = await _person(visit)
        return _asked(visit, person, "approve" if person.state == "waiting" else "enable", danger=False)

    async def set_state(self, visit: Visit) -> Result:
        """Shut him out, or let him in."""
        act = visit.request.path.rpartition("/")[2]
        person = await _person(visit)
        try:
            await visit.act("PATCH", ONE, {"state": STATES[act]}, id=person.id)
        except (BadInput, Conflict, Forbidden) as error:
            return _asked(visit, person, act, danger=act == "disable", refused=error)
        return Went(f"{HERE}/{person.id}", said=f"person_{STATES[act]}")

    # --- his logins

    async def ask_to_end(self, visit: Visit) -> Result:
        """Are you sure?"""
        person, login = await _person(visit), await _login(visit)
        return ask_to_end_login(visit, login, back=f"{HERE}/{person.id}")

    async def end(self, visit: Visit) -> Result:
        """Over."""
        person, login = await _person(visit), await _login(visit)
        await end_logins(visit, [login.id])
        return Went(f"{HERE}/{person.id}", said="login_ended")

    async def ask_to_end_all(self, visit: Visit) -> Result:
        """Are you sure?"""
        return _asked(visit, await _person(visit), "end_all")

    async def end_all(self, visit: Visit) -> Result:
        """All of his."""
        person = await _person(visit)
        logins: list[LoginView] = (await visit.get("/v1/logins", {"person": person.id})).items
        await end_logins(visit, [login.id for login in logins])
        return Went(f"{HERE}/{person.id}", said="logins_ended")


def ask_to_end_login(visit: Visit, login: LoginView, *, back: str) -> Shown:
    """The question about one login."""
    words, figures = visit.words, visit.figures
    says = [
        words("logins.what", who=login.username, agent=login.agent or "?", address=login.address or "?"),
        words("logins.seen_at", when=figures.when(login.seen_at)),
        words("logins.end_current" if login.current else "logins.end_does"),
    ]
    return confirm(words("logins.end_title"), says, button=words("logins.end"), back=back)


async def end_logins(visit: Visit, ids: Sequence[str]) -> None:
    """End these; one that is over already is passed over."""
    for login_id in ids:
        try:
            await visit.act("DELETE", "/v1/logins/{id}", id=login_id)
        except NotFound:
            continue


async def login_rows(visit: Visit, person: str) -> AsyncIterator[Sequence[Row]]:
    """The logins of a person as rows of a file."""
    async for page in visit.every("/v1/logins", {"person": person}):
        yield [tuple(getattr(login, column) for column in LOGIN_COLUMNS) for login in page]


async def _person(visit: Visit) -> PersonView:
    found: PersonView = await visit.get(ONE, id=visit.param("id"))
    return found


async def _login(visit: Visit) -> LoginView:
    found: list[LoginView] = (await visit.get("/v1/logins", {"person": visit.param("id")})).items
    for login in found:
        if login.id == visit.param("login"):
            return login
    raise NotFound("There is no such open login.")


def _asked(
    visit: Visit, person: PersonView, act: str, *, danger: bool = True, refused: OutpostError | None = None
) -> Shown:
    """A question of the group `person` of the catalogue: `ACT_title`, `ACT_does`, `ACT`."""
    words = visit.words
    named: Markup = words("person.named", username=person.username, email=person.email)
    return confirm(
        words(f"person.{act}_title", email=person.email),
        [named, words(f"person.{act}_does")],
        button=words(f"person.{act}"),
        back=f"{HERE}/{person.id}",
        danger=danger,
        refused=refused,
    )


async def _form(visit: Visit, person: PersonView, refused: OutpostError | None = None) -> Shown:
    form = visit.form
    typed = {name: form.get(name, getattr(person, name)) for name in ("full_name", "email")}
    chosen, every = (chosen_in(form), is_every(form)) if form else (person.sites, not person.sites)
    values = {
        "person": person,
        "typed": typed,
        "role": form.get("role", person.role),
        "roles": ROLES,
        "choice": await offered(visit, chosen, every=every),
        "refused": refused,
    }
    return Shown("person_change.html", values, status=refused.status if refused else 200)

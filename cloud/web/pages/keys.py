"""Keys: those that programs show, made and revoked. A key's secret is shown once, on the page that made it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from cloud.web.confirming import confirm
from cloud.web.cut import cut
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit, Went
from cloud.web.links import link
from cloud.web.listing import Listing
from cloud.web.site_choice import chosen_in, is_every, offered
from cloud.web.words import isolated
from edge.errors import BadInput, Conflict, Forbidden, NotFound, OutpostError
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.centre import SiteKeyView

HERE = ROOT + "/keys"
ROLES = ("viewer", "technician", "admin", "app")
COLUMNS = (
    "id", "name", "role", "scope", "weak", "sites", "created_at", "created_by", "last_used_at", "revoked_at",
)  # fmt: skip


class KeysPage:
    """/office/keys, /office/keys/new and /office/keys/{id}/revoke."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        admin = Role.ADMIN
        return [
            PageRoute("GET", "/keys", self.show, admin, tables={"keys": self.keys}),
            PageRoute("GET", "/keys/new", self.ask, admin),
            PageRoute("POST", "/keys/new", self.make, admin),
            PageRoute("GET", "/keys/{id}/revoke", self.ask_to_revoke, admin),
            PageRoute("POST", "/keys/{id}/revoke", self.revoke, admin),
        ]

    async def show(self, visit: Visit) -> Result:
        """Those in use, or those that were revoked."""
        revoked = visit.query("state") == "revoked"
        found: list[SiteKeyView] = (await visit.get("/v1/keys")).items
        wanted = [key for key in found if (key.revoked_at is not None) == revoked]
        keys, following = cut(list(reversed(wanted)), visit.query("cursor"))
        asked = {"state": "revoked" if revoked else ""}
        return Shown(
            "keys.html",
            {
                "keys": keys,
                "revoked": revoked,
                "counts": {"used": sum(key.revoked_at is None for key in found), "all": len(found)},
                "first": link(HERE, asked) if visit.query("cursor") else "",
                "more": link(HERE, asked, cursor=following) if following else "",
            },
        )

    def keys(self, visit: Visit) -> Listing:
        """All of them, as a file."""
        return Listing("keys", COLUMNS, _rows(visit))

    async def ask(self, visit: Visit) -> Result:
        """The form."""
        return await _form(visit)

    async def make(self, visit: Visit) -> Result:
        """A new key, and its secret."""
        wanted = {"name": visit.form.get("name", "").strip(), "role": visit.form.get("role", "")}
        sites = chosen_in(visit.form)
        try:
            if not sites and not is_every(visit.form):
                raise BadInput(str(visit.words("sites_of.choose")), hint="")
            made = await visit.act("POST", "/v1/keys", {**wanted, "sites": sites})
        except (BadInput, Conflict, Forbidden, NotFound) as error:
            return await _form(visit, error)
        words = visit.words
        return Shown(
            "once.html",
            {
                "title": words("keys.made", name=isolated(made.name)),
                "says": [words("keys.once"), words("keys.use")],
                "secrets": [(words("keys.secret"), made.key)],
                "until": None,
                "on": HERE,
            },
            once=True,
        )

    async def ask_to_revoke(self, visit: Visit) -> Result:
        """Are you sure?"""
        key, words = await _key(visit), visit.words
        says = [
            words("keys.what", name=isolated(key.name), role=words.named("role", key.role)),
            words("keys.revoke_does"),
        ]
        if key.last_used_at:
            says.append(words("keys.last_used", when=visit.figures.when(key.last_used_at)))
        return confirm(words("keys.revoke_title"), says, button=words("keys.revoke"), back=HERE)

    async def revoke(self, visit: Visit) -> Result:
        """Refuse it from now on; one that was revoked meanwhile is what was wanted."""
        key = await _key(visit)
        if key.revoked_at is None:
            await visit.act("DELETE", "/v1/keys/{id}", id=key.id)
        return Went(HERE, said="key_revoked")


async def _key(visit: Visit) -> SiteKeyView:
    found: list[SiteKeyView] = (await visit.get("/v1/keys")).items
    for key in found:
        if key.id == visit.param("id"):
            return key
    raise NotFound("There is no such key.")


async def _form(visit: Visit, refused: OutpostError | None = None) -> Shown:
    every = is_every(visit.form) if visit.form else not visit.member.sites
    values = {
        "name": visit.form.get("name", ""),
        "role": visit.form.get("role", "viewer"),
        "roles": ROLES,
        "choice": await offered(visit, chosen_in(visit.form), every=every),
        "refused": refused,
    }
    return Shown("key_new.html", values, status=refused.status if refused else 200)


async def _rows(visit: Visit) -> AsyncIterator[Sequence[Row]]:
    found: list[SiteKeyView] = (await visit.get("/v1/keys")).items
    yield [
        tuple(" ".join(key.sites) if column == "sites" else getattr(key, column) for column in COLUMNS)
        for key in found
    ]

"""A new password with a code that an administrator gave: open to everybody, since who comes here cannot log in.

What is said back is the same for a code that never was, one that was used and one that is too old, and says nothing
of whose it is.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from cloud.web.frame import LOGIN, PageRoute, Result, Shown, Visit, Went
from edge.access.accounts.model import PASSWORD_MIN_CHARS
from edge.errors import BadInput, Conflict, NotAllowed, NotFound, OutpostError
from edge.serving.addresses import address_of


class SetsByCode(Protocol):
    """Who knows the codes."""

    def set_by_code(self, code: str, password: str, *, address: str) -> Awaitable[object]:
        """Use up a code. Raises BadInput for a password that is none, NotFound for a code, RateLimited."""


class ResetPage:
    """/office/reset."""

    def __init__(self, people: SetsByCode) -> None:
        self._people = people

    def all(self) -> list[PageRoute]:
        """Its routes."""
        return [PageRoute("GET", "/reset", self.show, None), PageRoute("POST", "/reset", self.set, None)]

    async def show(self, visit: Visit) -> Result:
        """The form."""
        return _form(visit)

    async def set(self, visit: Visit) -> Result:
        """Take the code for a new password; he logs in with it then."""
        code, password = visit.form.get("code", "").strip(), visit.form.get("password", "")
        try:
            if password != visit.form.get("again", ""):
                raise BadInput(str(visit.words("me.differ")), hint="")
            await self._people.set_by_code(code, password, address=address_of(visit.request))
        except (BadInput, Conflict, NotAllowed, NotFound) as error:
            return _form(visit, error)
        return Went(LOGIN, said="password_set")


def _form(visit: Visit, refused: OutpostError | None = None) -> Shown:
    values = {"code": visit.form.get("code", ""), "least": PASSWORD_MIN_CHARS, "refused": refused}
    return Shown("reset.html", values, status=refused.status if refused else 200, once=True)

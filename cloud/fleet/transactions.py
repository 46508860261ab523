"""/v1/transactions: the vends of all sites."""

from __future__ import annotations

from sqlalchemy import RowMapping

from cloud.accounts.member import member
from cloud.db.database import Database
from cloud.fleet import transaction_store as sql
from cloud.fleet.lookup import find_device, find_site, said_where
from edge.clock import iso
from edge.errors import BadInput, Conflict, NotFound
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.centre import SiteTransaction
from edge.wire.commands import OPEN, State

STATES = ("open", *(state.value for state in State))


class TransactionRoutes:
    """The routes of vends."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> list[Route]:
        """Every route."""
        viewer, view = Role.VIEWER, SiteTransaction
        return [
            Route(
                "GET",
                "/v1/transactions",
                self.every,
                "Vends of all sites, newest first",
                viewer,
                returns=view,
                many=True,
                query=("site", "device", "state"),
            ),
            Route("GET", "/v1/transactions/{id}", self.one, "One vend", viewer, returns=view, query=("site",)),
        ]

    async def every(self, call: Call) -> Answer:
        """GET /v1/transactions?site=&device=&state=."""
        caller, site, named, state = member(call), call.query("site"), call.query("device"), call.query("state")
        if state and state not in STATES:
            raise BadInput(f"There is no state {state[:40]!r}; known: {', '.join(STATES)}.")
        device, before, limit = "", call.cursor(), call.limit()
        async with self._db.read() as connection:
            if named:
                found = await find_device(connection, caller, named, site)
                device, site = found.id, found.place.slug
            elif site:
                await find_site(connection, caller, site)
            rows = await sql.transactions(
                connection, caller, site=site, device=device, state=state, before=before, limit=limit
            )
        more = str(rows[-1]["number"]) if len(rows) == limit else None
        return Page([transaction_view(row) for row in rows], more)

    async def one(self, call: Call) -> Answer:
        """GET /v1/transactions/{id}?site=."""
        asked = call.param("id")
        async with self._db.read() as connection:
            rows = await sql.transactions_by_id(connection, member(call), [asked], call.query("site"))
        if not rows:
            raise NotFound(f"There is no transaction {asked[:80]!r}.", hint="GET /v1/transactions lists them.")
        if len(rows) > 1:
            hint = said_where(rows[0]["slug"])
            raise Conflict(f"There is a transaction {asked[:80]!r} at {len(rows)} sites.", hint=hint)
        return transaction_view(rows[0])


def transaction_view(row: RowMapping) -> SiteTransaction:
    """A row of `transactions` with its site's slug."""
    return SiteTransaction(
        id=row["id"],
        site=row["slug"],
        device=row["device"],
        slot=row["slot"],
        item=row["item"],
        price=row["price"],
        currency=row["currency"],
        state=row["state"],
        evidence=row["evidence"],
        reason="" if row["state"] in OPEN else row["reason"],  # that of an attempt is none of the vend
        todo=_todo(row),
        actor=row["actor"],
        created_at=iso(row["created_us"]),
        ended_at=iso(row["ended_us"]) if row["ended_us"] else None,
        resolved_by=row["resolved_by"],
        note=row["note"],
    )


def _todo(row: RowMapping) -> str:
    """What a person does about a vend in doubt; '' for any other."""
    if row["state"] != State.IN_DOUBT:
        return ""
    piece = f"“{row['item']}”" if row["item"] else "piece"
    return (
        f"Have somebody at {row['slug']} see whether a {piece} fell from slot {row['slot']} of {row['device']}, at"
        f" the flap and with the customer. Then `outpost command resolve {row['id']} succeeded` when it did,"
        " `… failed` when it did not, with --note saying how you know."
    )

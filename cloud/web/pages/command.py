"""One command: how it stands, each attempt at it, what came of it; and what a technician can do about it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence

from markupsafe import Markup

from cloud.web.confirming import confirm
from cloud.web.doubt import doubt_of
from cloud.web.frame import PageRoute, Result, Shown, Visit, Went
from cloud.web.links import command_page, name_of
from cloud.web.listing import Listing
from cloud.web.words import isolated
from edge.clock import iso
from edge.errors import BadInput, Conflict, NotFound, OutpostError
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire import money
from edge.wire.centre import SiteCommand
from edge.wire.commands import ENDED, State
from edge.wire.kinds import KINDS, NOTE_CHARS
from edge.wire.views import AttemptView

OUTCOMES = (State.SUCCEEDED.value, State.FAILED.value)
COLUMNS = ("attempt", "at", "link", "verdict", "reason", "duration_s")


class CommandPage:
    """/office/commands/{id}, and what is done to it from there: /resolve, /cancel, /retry."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        viewer, tech, one = Role.VIEWER, Role.TECHNICIAN, "/commands/{id}"
        return [
            PageRoute("GET", one, self.show, viewer, tables={"attempts": self.attempts}),
            PageRoute("GET", one + "/resolve", self.ask_what_happened, tech),
            PageRoute("POST", one + "/resolve", self.resolve, tech),
            PageRoute("GET", one + "/cancel", self.ask_to_cancel, tech),
            PageRoute("POST", one + "/cancel", self.cancel, tech),
            PageRoute("GET", one + "/retry", self.ask_to_send_again, tech),
            PageRoute("POST", one + "/retry", self.send_again, tech),
        ]

    async def show(self, visit: Visit) -> Result:
        """How it stands."""
        command = await _command(visit)
        tries = await visit.get("/v1/commands/{id}/attempts", {"site": command.site}, id=command.id)
        vend = None
        if command.kind == "vend":
            try:
                vend = await visit.get("/v1/transactions/{id}", {"site": command.site}, id=command.id)
            except NotFound:
                vend = None  # asked of an older hub, or its facts are not here yet
        until_us = visit.now_us + int((command.expires_in_s or 0) * 1_000_000)
        return Shown(
            "command.html",
            {
                "command": command,
                "attempts": tries.items,
                "vend": vend,
                "until": None if command.expires_in_s is None else iso(until_us),
                "doubt": doubt_of(command, visit.words) if command.state is State.IN_DOUBT else None,
                "acts": _acts(command) if visit.may(Role.TECHNICIAN) else [],
                "address": _address,
                "price": money.shown,
            },
        )

    def attempts(self, visit: Visit) -> Listing:
        """Each attempt, as a file."""
        return Listing("attempts", COLUMNS, _attempts(visit))

    # --- what happened

    async def ask_what_happened(self, visit: Visit) -> Result:
        """The form for one in doubt."""
        command = await _command(visit)
        if command.state is not State.IN_DOUBT:
            return Went(_address(command), said="changed_meanwhile")
        return _resolving(visit, command)

    async def resolve(self, visit: Visit) -> Result:
        """Say what happened."""
        command = await _command(visit)
        outcome, note = visit.form.get("outcome", ""), visit.form.get("note", "")
        try:
            if outcome not in OUTCOMES:
                raise BadInput(str(visit.words("resolve.choose")), hint="")
            after: SiteCommand = await visit.act(
                "POST",
                "/v1/commands/{id}/resolve",
                {"outcome": outcome, "note": note},
                {"site": command.site},
                id=command.id,
            )
        except BadInput as error:
            return _resolving(visit, command, error)
        except Conflict:
            return Went(_address(command), said="changed_meanwhile")
        settled = after.state is not State.IN_DOUBT
        return Went(_address(command), said="resolved" if settled else "resolve_asked")

    # --- taking it back

    async def ask_to_cancel(self, visit: Visit) -> Result:
        """Are you sure?"""
        command = await _command(visit)
        words = visit.words
        return confirm(
            words("cancel.title"),
            [_what(visit, command), words("cancel.does")],
            button=words("cancel.button"),
            back=_address(command),
        )

    async def cancel(self, visit: Visit) -> Result:
        """Take it back before it is sent."""
        command = await _command(visit)
        try:
            after = await visit.act("POST", "/v1/commands/{id}/cancel", None, {"site": command.site}, id=command.id)
        except Conflict:
            return Went(_address(command), said="changed_meanwhile")
        gone = after.state is State.CANCELLED
        return Went(_address(command), said="cancelled" if gone else "cancel_asked")

    # --- once more

    async def ask_to_send_again(self, visit: Visit) -> Result:
        """Are you sure?"""
        return _sending_again(visit, await _command(visit), secrets.token_urlsafe(16))

    async def send_again(self, visit: Visit) -> Result:
        """Send a harmless one again, once for each form."""
        command = await _command(visit)
        key = visit.form.get("key", "")
        try:
            made = await visit.act(
                "POST", "/v1/commands/{id}/retry", None, {"site": command.site}, key, id=command.id
            )
        except (BadInput, Conflict, NotFound) as error:
            return _sending_again(visit, command, key, error)
        return Went(_address(made), said="sent_again")


async def _attempts(visit: Visit) -> AsyncIterator[Sequence[Row]]:
    asked = {"site": visit.query("site")}
    tries: list[AttemptView] = (
        await visit.get("/v1/commands/{id}/attempts", asked, id=name_of(visit.param("id")))
    ).items
    yield [tuple(getattr(each, column) for column in COLUMNS) for each in tries]


async def _command(visit: Visit) -> SiteCommand:
    found: SiteCommand = await visit.get(
        "/v1/commands/{id}", {"site": visit.query("site")}, id=name_of(visit.param("id"))
    )
    return found


def _address(command: SiteCommand, act: str = "") -> str:
    return command_page(command.site, command.id, act)


def _acts(command: SiteCommand) -> list[str]:
    """What can be done about it, by its state and its kind; words of the group `act`."""
    kind = KINDS.get(command.kind)
    harmless = kind is not None and kind.repeatable and not kind.private
    acts = []
    if command.state is State.IN_DOUBT:
        acts.append("resolve")
    if command.state is State.QUEUED:
        acts.append("cancel")
    if harmless and (command.state is State.IN_DOUBT or command.state in ENDED):
        acts.append("retry")
    return acts


def _resolving(visit: Visit, command: SiteCommand, refused: OutpostError | None = None) -> Shown:
    return Shown(
        "command_resolve.html",
        {
            "command": command,
            "what": _what(visit, command),
            "doubt": doubt_of(command, visit.words),
            "outcome": visit.form.get("outcome", ""),
            "note": visit.form.get("note", ""),
            "note_chars": NOTE_CHARS,
            "back": _address(command),
            "refused": refused,
        },
        status=refused.status if refused else 200,
    )


def _sending_again(visit: Visit, command: SiteCommand, key: str, refused: OutpostError | None = None) -> Shown:
    words = visit.words
    return confirm(
        words("retry.title"),
        [_what(visit, command), words("retry.does")],
        button=words("retry.button"),
        back=_address(command),
        fields={"key": key},
        danger=False,
        refused=refused,
    )


def _what(visit: Visit, command: SiteCommand) -> Markup:
    kind = visit.words.named("command_kind", command.kind)
    device, site = isolated(command.device), isolated(command.site_name)
    return visit.words("command.what", kind=kind, device=device, site=site, id=command.id)

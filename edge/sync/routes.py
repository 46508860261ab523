"""/v1/sync: how syncing stands, enrolling, leaving, dead letters."""

from __future__ import annotations

from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.sync.enrolment import Enrolments
from edge.sync.figures import Figures
from edge.sync.letters import Letters
from edge.sync.uplink import Uplink
from edge.wire.site import DeadLetterDone, DeadLetterView, DiscardLetters, EnrolSite, LettersDiscarded, SyncView


class SyncRoutes:
    """The routes of this capability."""

    def __init__(self, enrolments: Enrolments, figures: Figures, letters: Letters, uplink: Uplink) -> None:
        self._enrolments, self._figures, self._letters, self._uplink = enrolments, figures, letters, uplink

    def all(self) -> list[Route]:
        """Every route."""
        technician, letters = Role.TECHNICIAN, "/v1/sync/dead-letters"
        join, end = "Trade head office's code for this site's token", "Send nothing to the centre any more"
        never = "Leave rows that the centre would not take out for good"
        again = "Send rows that the centre would not take once more"
        look, dead = "How syncing with the centre stands", "Rows that the centre would not take"
        return [
            Route("GET", "/v1/sync", self.show, look, Role.VIEWER, returns=SyncView),
            Route("POST", "/v1/sync/enrol", self.enrol, join, technician, body=EnrolSite, returns=SyncView),
            Route("POST", "/v1/sync/leave", self.leave, end, Role.ADMIN, returns=SyncView),
            Route("GET", letters, self.letters, dead, Role.VIEWER, returns=DeadLetterView, many=True),
            Route("POST", f"{letters}/retry", self.retry, again, technician, returns=DeadLetterDone),
            Route(
                "POST",
                f"{letters}/discard",
                self.discard,
                never,
                technician,
                body=DiscardLetters,
                returns=LettersDiscarded,
            ),
        ]

    async def show(self, call: Call) -> Answer:
        """GET /v1/sync."""
        if self._enrolments.current is not None:
            await self._figures.look()
        return self._figures.view()

    async def enrol(self, call: Call) -> Answer:
        """POST /v1/sync/enrol."""
        wanted: EnrolSite = call.body
        await self._enrolments.enrol(wanted.code, wanted.url, call.actor)
        return self._figures.view()

    async def leave(self, call: Call) -> Answer:
        """POST /v1/sync/leave."""
        await self._enrolments.leave(call.actor)
        return self._figures.view()

    async def letters(self, call: Call) -> Answer:
        """GET /v1/sync/dead-letters."""
        return Page(await self._letters.listed())

    async def retry(self, call: Call) -> Answer:
        """POST /v1/sync/dead-letters/retry."""
        return DeadLetterDone(sent=await self._letters.again(self._uplink.session))

    async def discard(self, call: Call) -> Answer:
        """POST /v1/sync/dead-letters/discard."""
        wanted: DiscardLetters = call.body
        return LettersDiscarded(discarded=await self._letters.discard(wanted.ids, call.actor))

"""One artifact: what it is, what was looked at when it came, who signed it, who uses and runs it; and its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from markupsafe import Markup

from cloud.web.confirming import confirm
from cloud.web.frame import PageRoute, Result, Shown, Visit, Went
from cloud.web.links import artifact_page, name_of
from cloud.web.listing import Listing
from cloud.web.pages.firmware import HERE
from edge.errors import Conflict, Forbidden, NotFound, OutpostError
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.updates import ArtifactFile, ArtifactView, FirmwareSummary

ROLLOUTS = 10
FILES = ("path", "size", "sha256")


class ArtifactPage:
    """/office/firmware/artifacts/{artifact}, and the question behind it."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        here = "/firmware/artifacts/{artifact}"
        return [
            PageRoute("GET", here, self.show, Role.VIEWER, tables={"files": self.files}),
            PageRoute("GET", here + "/remove", self.ask_to_remove, Role.TECHNICIAN),
            PageRoute("POST", here + "/remove", self.remove, Role.TECHNICIAN),
        ]

    async def show(self, visit: Visit) -> Result:
        """All of it; somebody who came by the begin of its id is led to its address."""
        one = await _artifact(visit)
        if name_of(visit.param("artifact")) != one.id:
            return Went(artifact_page(one.id))
        summary: FirmwareSummary = await visit.get("/v1/firmware/summary")
        rollouts = await visit.get("/v1/rollouts", {"artifact": one.id, "limit": ROLLOUTS})
        running = [count for count in summary.versions if count.version == one.version]
        return Shown(
            "artifact.html",
            {
                "artifact": one,
                "files": (await visit.get("/v1/artifacts/{artifact}/files", artifact=one.id)).items,
                "rollouts": rollouts.items,
                "more_rollouts": rollouts.next is not None,
                "running": sum(count.devices for count in running if count.target in (one.target, "")),
                "place": artifact_page(one.id),
                "may": visit.may(Role.TECHNICIAN),
                "may_remove": visit.may(Role.TECHNICIAN) and not visit.member.sites,
            },
        )

    def files(self, visit: Visit) -> Listing:
        """What it is made of, as a file."""
        return Listing("files", FILES, _files(visit))

    async def ask_to_remove(self, visit: Visit) -> Result:
        """Are you sure?"""
        return _question(visit, await _artifact(visit))

    async def remove(self, visit: Visit) -> Result:
        """Let go of it; one that is gone meanwhile is what was wanted."""
        try:
            one = await _artifact(visit)
        except NotFound:
            return Went(HERE, said="artifact_removed")
        try:
            await visit.act("DELETE", "/v1/artifacts/{artifact}", artifact=one.id)
        except (Conflict, Forbidden) as error:
            return _question(visit, one, error)
        return Went(HERE, said="artifact_removed")


async def _artifact(visit: Visit) -> ArtifactView:
    one: ArtifactView = await visit.get("/v1/artifacts/{artifact}", artifact=name_of(visit.param("artifact")))
    return one


def _question(visit: Visit, one: ArtifactView, refused: OutpostError | None = None) -> Shown:
    words = visit.words
    says: list[Markup] = [words("artifact.remove_does")]
    if one.used_by:
        says.append(words("artifact.used_now", count=one.used_by))
    return confirm(
        words("artifact.remove_title", target=one.target, version=one.version),
        says,
        button=words("artifact.remove"),
        back=artifact_page(one.id),
        refused=refused,
    )


async def _files(visit: Visit) -> AsyncIterator[Sequence[Row]]:
    of = name_of(visit.param("artifact"))
    found: list[ArtifactFile] = (await visit.get("/v1/artifacts/{artifact}/files", artifact=of)).items
    yield [tuple(getattr(file, name) for name in FILES) for file in found]

"""The older system of boards that update themselves over the air: `routes` for the application.

docs/compat/personalcms.md says what is served, and what differs. Every path also answers with leading slashes
doubled, since sketches glue their base address and the path.
"""

from __future__ import annotations

from aiohttp import web

from edge.clock import Clock
from edge.compat.assets.neighbours import mac_of
from edge.compat.personalcms.assignments import Assignments
from edge.compat.personalcms.bitmaps import Bitmaps
from edge.compat.personalcms.boards import Boards
from edge.compat.personalcms.dashboards import Dashboards
from edge.compat.personalcms.devices import CmsDevices, Readings
from edge.compat.personalcms.door import Basic, CmsDoor
from edge.compat.personalcms.evidence import Evidence
from edge.compat.personalcms.ota import CmsUpdates
from edge.compat.personalcms.pages import CmsPages
from edge.compat.personalcms.papers import Papers
from edge.compat.personalcms.people import CmsPeople, Forget
from edge.compat.personalcms.screens import CmsScreens
from edge.compat.personalcms.sketches import Sketches
from edge.compat.personalcms.tries import Tries
from edge.content.documents.documents import Documents
from edge.content.library.library import Library
from edge.content.showing.showing import Showing
from edge.devices.groups.groups import Groups
from edge.devices.log.log import DeviceLog
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.serving.downloads import Downloads
from edge.serving.visits import Gate, Knocks
from edge.updates.artifacts.artifacts import Artifacts
from edge.updates.offers.offers import Offers
from edge.updates.rollouts.rollouts import Rollouts


class PersonalCms:
    """The facade. `user` and `password`: what a board shows for a download; both empty: nothing."""

    def __init__(
        self,
        *,
        gate: Gate,
        knocks: Knocks,
        clock: Clock,
        registry: Registry,
        presences: Presences,
        device_log: DeviceLog,
        readings: Readings,
        offers: Offers,
        rollouts: Rollouts,
        artifacts: Artifacts,
        downloads: Downloads,
        showing: Showing,
        library: Library,
        documents: Documents,
        groups: Groups,
        forget: Forget,
        user: str,
        password: str,
        body_s: float,
    ) -> None:
        door, sketches = CmsDoor(gate, knocks, body_s=body_s), Sketches(artifacts)
        evidence = Evidence(offers, artifacts, sketches)
        self._tries = Tries(registry, artifacts, offers)
        self._boards = Boards(registry, presences, device_log, clock, mac_of, evidence.given)
        self._devices = CmsDevices(door, self._boards, evidence, registry, device_log, readings, clock)
        self._updates = CmsUpdates(
            door,
            Basic(user, password),
            self._devices,
            self._boards,
            evidence,
            self._tries,
            registry,
            offers,
            artifacts,
            downloads,
            device_log,
        )
        self._pages = CmsPages(door, registry, evidence, offers, artifacts, rollouts)
        papers = Papers(documents)
        dashboards = Dashboards(documents, groups, registry, papers, clock)
        assignments = Assignments(documents, library, papers)
        self._people = CmsPeople(door, registry, library, assignments, dashboards, forget)
        self._screens = CmsScreens(
            door, self._devices, showing, Bitmaps(library), assignments, dashboards, registry, device_log
        )

    def routes(self) -> list[web.RouteDef]:
        """Every path."""
        halves = (self._devices, self._updates, self._screens, self._pages, self._people)
        table = {at: handler for half in halves for at, handler in half.table().items()}
        return [
            *(web.route(method, path, handler) for (method, path), handler in table.items()),
            *(web.route(method, "/{slashes:/+}" + path[1:], handler) for (method, path), handler in table.items()),
        ]

    def start(self) -> None:
        """Recall the boards."""
        self._boards.start()

    def problems(self) -> list[str]:
        """Boards with one id, boards that are stuck, and boards that will forget their WiFi."""
        return [*self._boards.problems(), *self._tries.problems(), *self._pages.problems()]

    async def forget(self, device: Device, actor: str) -> None:
        """A device is being forgotten."""
        await self._people.forgotten(device, actor)
        self._boards.forget(device)
        self._devices.forget(device)
        self._screens.forget(device)
        self._updates.forget(device)

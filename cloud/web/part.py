"""Head office's pages, built and wired."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aiohttp import web

from cloud.accounts.part import AccountsPart
from cloud.part import Core, Part
from cloud.web import assets
from cloud.web.frame import ROOT, Frame
from cloud.web.inner import Api
from cloud.web.pages.artifact import ArtifactPage
from cloud.web.pages.asset import AssetPage
from cloud.web.pages.audit import AuditPage
from cloud.web.pages.availability import AvailabilityPage
from cloud.web.pages.command import CommandPage
from cloud.web.pages.commands import CommandsPage
from cloud.web.pages.content import ContentPage
from cloud.web.pages.content_editor import ContentEditorPage
from cloud.web.pages.content_new import ContentNewPage
from cloud.web.pages.content_panel import ContentPanelPage
from cloud.web.pages.content_pictures import ContentPicturesPage
from cloud.web.pages.content_publish import ContentPublishPage
from cloud.web.pages.device import DevicePage
from cloud.web.pages.firmware import FirmwarePage
from cloud.web.pages.firmware_figures import FirmwareFiguresPage
from cloud.web.pages.firmware_keys import FirmwareKeysPage
from cloud.web.pages.fleet import FleetPage
from cloud.web.pages.groups import GroupsPage
from cloud.web.pages.keys import KeysPage
from cloud.web.pages.knocking import KnockingPage
from cloud.web.pages.login import LoginPage
from cloud.web.pages.look import LookPage
from cloud.web.pages.me import MePage
from cloud.web.pages.people import PeoplePage
from cloud.web.pages.person import PersonPage
from cloud.web.pages.reset import ResetPage
from cloud.web.pages.rollout import RolloutPage
from cloud.web.pages.rollout_start import RolloutStartPage
from cloud.web.pages.rollouts import RolloutsPage
from cloud.web.pages.site import SitePage
from cloud.web.pages.site_availability import SiteAvailabilityPage
from cloud.web.pages.site_making import SiteMakingPage
from cloud.web.pages.site_rules import SiteRulesPage
from cloud.web.pages.stop import StopPage
from cloud.web.words import catalogue
from edge.serving.routing import Route

MB = 1024 * 1024


class WebPart(Part):
    """Every page. `routes`: the whole /v1 API, which the pages ask for what they show."""

    def __init__(self, core: Core, accounts: AccountsPart, routes: Callable[[], Iterable[Route]]) -> None:
        self._core, self._accounts, self._all_routes = core, accounts, routes

    def paths(self) -> list[web.RouteDef]:
        """Every page and its tables as files, what pages look like, and the way to the first of them."""
        core = self._core
        catalogue()  # a word that is missing stops the start
        frame = Frame(
            self._accounts.guard,
            Api(self._all_routes()),
            core.clock,
            name=core.settings.centre.name,
            url=core.settings.centre.url,
            secure=self._accounts.logins.secure,
            body_s=core.settings.limits.body_s,
        )
        self.pages = [
            *LoginPage(self._accounts.logins).all(),
            *LookPage().all(),
            *FleetPage().all(),
            *AvailabilityPage().all(),
            *SiteAvailabilityPage().all(),
            *AssetPage().all(),
            *StopPage().all(),
            *SiteRulesPage().all(),
            *DevicePage().all(),
            *CommandsPage().all(),
            *CommandPage().all(),
            *PeoplePage().all(),
            *PersonPage().all(),
            *KeysPage().all(),
            *AuditPage().all(),
            *KnockingPage().all(),
            *SiteMakingPage().all(),
            *SitePage().all(),
            *FirmwarePage(core.settings.updates.artifact_mb * MB).all(),
            *ArtifactPage().all(),
            *FirmwareKeysPage().all(),
            *GroupsPage().all(),
            *RolloutsPage().all(),
            *RolloutStartPage().all(),
            *RolloutPage().all(),
            *FirmwareFiguresPage().all(),
            *ContentPage().all(),
            *ContentPicturesPage().all(),
            *ContentPanelPage().all(),
            *ContentNewPage().all(),
            *ContentPublishPage().all(),
            *ContentEditorPage().all(),
            *MePage().all(),
            *ResetPage(self._accounts.people).all(),
        ]
        return [
            web.get(ROOT, frame.to_first_page),
            web.get(ROOT + "/static/{hash}/{name}", assets.serve),
            *frame.paths(self.pages),
        ]

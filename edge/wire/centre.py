"""What the centre's /v1 API adds to the hub's: sites, and which site a thing belongs to."""

from __future__ import annotations

import msgspec

from edge.wire.assets import AssetView, PlannedView, ReasonView, ShiftView, StopView
from edge.wire.readings import LatestView, ReadingView, TwinView
from edge.wire.updates import DeviceFirmware, GroupView, RolloutView
from edge.wire.vending import SlotView, TransactionView
from edge.wire.views import AgentView, CommandView, DeviceView, FactView, Json, KeyView, Request, View


class SiteLane(View, frozen=True, kw_only=True):
    """One stream of a site, as the centre has it. `complete_to`: everything the hub wrote up to then is here, by
    the hub's clock; `lag_s`: how long ago that was, null while it never was; `waiting`: rows the hub had at its
    last word that are not here; `moved_at`: when rows last came."""

    stream: str  # ledger, readings
    head: int
    next: int
    waiting: int
    complete_to: str | None
    lag_s: float | None
    moved_at: str | None


class SiteView(View, frozen=True, kw_only=True):
    """One site. `state`: `new` (its code is not used yet), `live`, `catching-up`, `away`, `refused`, `revoked`.

    `seen_at`: when its hub last spoke; `lag_s`: how far behind what is shown here is, null when it was never seen.
    `inbox_since`: when the oldest of what waits for it was asked.
    `report_age_s`: how old the hub's own counts (`devices`, `online`, `problems`) are. `alert`: the one of `alerts`
    that stays until somebody says that he has looked at it.
    """

    id: str
    name: str
    state: str
    reason: str
    created_at: str
    seen_at: str | None
    lag_s: float | None
    timezone: str
    version: str
    clock_quality: str
    lanes: list[SiteLane]
    inbox_waiting: int
    inbox_since: str | None
    dead_letters: int
    buffer_bytes: int
    buffer_max_bytes: int
    buffer_days: float | None
    devices: int
    online: int
    problems: list[str]
    report_age_s: float | None
    alerts: list[str]
    alert: str


class CreateSite(Request, frozen=True, kw_only=True):
    """POST /v1/sites."""

    name: str


class SiteCode(View, frozen=True, kw_only=True):
    """The one-time code that enrols a hub for this site; it is shown this once. `url`: how hubs reach the centre,
    as far as its settings say."""

    site: str
    name: str
    code: str
    expires_at: str
    url: str


class ChainView(View, frozen=True, kw_only=True):
    """Whether a site's ledger is at the centre as the hub wrote it: every fact looked at anew."""

    facts: int
    epochs: int
    whole: bool
    problem: str


class ChangeSite(Request, frozen=True, kw_only=True):
    """PATCH /v1/sites/{site}."""

    name: str


class SiteDevice(DeviceView, frozen=True, kw_only=True):
    """A device as its hub last told it. `as_of`: when that was."""

    site: str
    as_of: str
    stale: bool  # the hub is away: nobody knows what has become of it since


class SiteCommand(CommandView, frozen=True, kw_only=True):
    """A command. `where`: `centre` (waits for its site), `handed` (sent there, not confirmed), `site`.

    `reason` says what an open one waits for. One in doubt that is at the `centre`: its hub does not know of it.
    `site_name`, `timezone`: of its site, for showing times as people there say them.
    """

    site: str
    where: str
    site_name: str
    timezone: str


class SiteVended(View, frozen=True, kw_only=True):
    """A vend's command, and the slot as its hub last told of it."""

    command: SiteCommand
    slot: SiteSlot


class SiteSlot(SlotView, frozen=True, kw_only=True):
    """A slot as its hub last told it."""

    site: str
    as_of: str
    stale: bool


class SiteTwin(TwinView, frozen=True, kw_only=True):
    """A twin as its hub last told it."""

    site: str
    as_of: str
    stale: bool


class SiteAgent(AgentView, frozen=True, kw_only=True):
    """Who sits at a display, as its hub last told it."""

    site: str
    as_of: str
    stale: bool


class SiteLatest(LatestView, frozen=True, kw_only=True):
    """The newest value of a key, as its hub last told it."""

    site: str
    as_of: str
    stale: bool


class SiteAsset(AssetView, frozen=True, kw_only=True):
    """An asset as its hub last told it, its age counted on. `pending`: what was asked for here that its hub has not
    confirmed; the values are those that were asked for."""

    site: str
    as_of: str
    stale: bool
    pending: list[str] = msgspec.field(default_factory=list)


class SiteStop(StopView, frozen=True, kw_only=True):
    """A stop; `pending`: its hub has not confirmed the reason, which is the one that was asked for."""

    pending: bool = False


class SiteReason(ReasonView, frozen=True, kw_only=True):
    """A reason of a site; `pending`: as it was asked for, its hub has not confirmed it."""

    site: str
    pending: bool = False


class SiteShift(ShiftView, frozen=True, kw_only=True):
    """A shift of a site; `pending` as of a reason."""

    site: str
    pending: bool = False


class SitePlanned(PlannedView, frozen=True, kw_only=True):
    """Planned time of a site; `pending` as of a reason."""

    site: str
    pending: bool = False


class SiteTransaction(TransactionView, frozen=True, kw_only=True):
    """A vend."""

    site: str


class SiteReading(ReadingView, frozen=True, kw_only=True, omit_defaults=True):
    """A reading of a device of a site."""

    site: str = ""
    device: str = ""


class SiteGap(View, frozen=True, kw_only=True):
    """Readings that are lost: `count` of them at most.

    `where`: on the `device` itself, or at the `hub`, then of all its devices. Their time is between `from_at` and
    `to_at`, or, where nobody knows, before `at`, when it was found out. `kept_every`: of so many one was kept; 0
    where none was.
    """

    at: str
    from_at: str | None
    to_at: str | None
    where: str
    count: int
    kept_every: int
    why: str
    site: str


class SiteFact(FactView, frozen=True, kw_only=True):
    """A fact of a site's ledger. `id` is the order of arrival here, over all sites: use it to resume."""

    id: int
    site: str
    epoch: str
    received_at: str


class SiteKeyView(KeyView, frozen=True, kw_only=True):
    """A key of the centre. `sites`: those it reaches, empty for all."""

    sites: list[str]


class CreateSiteKey(Request, frozen=True, kw_only=True):
    """POST /v1/keys at the centre. With `secret` an existing key is imported, for the old system `scope`."""

    name: str
    role: str
    scope: str = ""
    secret: str = ""
    sites: list[str] = msgspec.field(default_factory=list)


class TenantView(View, frozen=True, kw_only=True):
    """Somebody whose sites nobody else sees."""

    id: int
    name: str
    created_at: str
    sites: int


class CreateTenant(Request, frozen=True, kw_only=True):
    """POST /v1/tenants."""

    name: str


class NewTenant(View, frozen=True, kw_only=True):
    """A tenant just made; `key` is its first admin key, shown this once."""

    id: int
    name: str
    key: str


class AuditView(View, frozen=True, kw_only=True):
    """One change somebody made: `where` is `centre`, or `hub` for what was done at the site's own hub. `id` is
    unique together with it; a hub's is that of its fact in /v1/ledger, and `what` the fact's kind."""

    id: int
    where: str
    at: str
    actor: str
    what: str
    site: str
    subject: str
    detail: dict[str, Json]


class CentreStatus(View, frozen=True, kw_only=True):
    """The centre at one look, for one tenant. Of `sites`, the hubs of `live` are heard, those of `away` are not,
    those of `refused` are not let in; `troubled`: sites with something that a person should look at.
    """

    name: str
    version: str
    ready: bool
    problems: list[str]
    started_at: str
    now: str
    database: str  # sqlite or postgresql
    sites: int
    live: int
    away: int
    refused: int
    troubled: int
    devices: int
    online: int
    in_doubt: int
    actor: str
    role: str


class RolloutSite(View, frozen=True, kw_only=True):
    """What one site has of a rollout: its devices, and how they ended. `stale`: its hub is away. `fetched`: of how
    many bytes the firmware has (`size`) its hub has so many; null while it fetches nothing of it. `problem`: what
    stands in the way there, in a sentence."""

    site: str
    devices: int
    good: int
    bad: int
    open: int
    stale: bool
    fetched: int | None
    size: int | None
    problem: str


class SiteRollout(RolloutView, frozen=True, kw_only=True):
    """A rollout of head office, as far as the caller reaches its sites."""

    sites: list[RolloutSite]


class PreviewSite(View, frozen=True, kw_only=True):
    """What a rollout would have of a site. `heard`: devices that are heard now; `waves`: how many each wave has."""

    site: str
    devices: int
    heard: int
    waves: list[int]


class RolloutPreview(View, frozen=True, kw_only=True):
    """What a rollout would be if it began now. How many devices a wave has is settled; which ones is drawn, and
    drawn anew when it begins."""

    artifact: str
    version: str
    artifact_target: str
    devices: int
    heard: int
    waves: list[int]
    sites: list[PreviewSite]


class GroupMember(View, frozen=True, kw_only=True):
    """A device of a group. Its name and kind are told of one group alone, not in a list of groups; `known` is false
    of one that its hub has forgotten."""

    site: str
    device: str
    name: str = ""
    kind: str = ""
    known: bool = True


class SiteGroup(GroupView, frozen=True, kw_only=True):
    """A group of devices of several sites, as far as the caller reaches them."""

    members: list[GroupMember]


class SiteFirmware(DeviceFirmware, frozen=True, kw_only=True):
    """What a device runs and shall run, as its hub last told it."""

    site: str
    as_of: str
    stale: bool

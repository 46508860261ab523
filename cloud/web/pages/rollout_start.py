"""Starting a rollout: what, to whom, in which steps; then how that would be, wave by wave and site by site; then it
begins.

What is started is what was shown: the second form brings back just what the first one had.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args
from zoneinfo import ZoneInfo

import msgspec

from cloud.web.frame import PageRoute, Result, Shown, Visit, Went
from cloud.web.links import rollout_page
from cloud.web.local_time import local_moment
from cloud.web.pages.device_acts import new_key
from cloud.web.site_choice import chosen_in, is_every, reached
from edge.errors import BadInput, OutpostError
from edge.serving.roles import Role
from edge.wire.centre import RolloutPreview, SiteGroup
from edge.wire.firmware import Kind, may_become
from edge.wire.native import BoardKind
from edge.wire.updates import ArtifactView, Plan, Target

ARTIFACTS = 100  # the newest, to choose from; an older one by its id
DEVICE_KINDS: tuple[str, ...] = get_args(BoardKind)
AIMS = ("kind", "group", "devices")
NUMBERS = ("errors_percent", "success_percent", "attempts")
MINUTES = ("soak", "deadline")
NUMBER_CHARS = 7
MINUTE_S = 60
UTC = ZoneInfo("UTC")
PLAN = Plan()
USUAL: Mapping[str, str] = {
    "waves": ", ".join(map(str, PLAN.waves)),
    "errors_percent": str(PLAN.errors_percent),
    "success_percent": str(PLAN.success_percent),
    "attempts": str(PLAN.attempts),
    "soak": str(PLAN.soak_s // MINUTE_S),
    "deadline": str(PLAN.deadline_s // MINUTE_S),
    "window": PLAN.window,
    "aim": "kind",
}


class RolloutStartPage:
    """/office/firmware/rollouts/new."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        here = "/firmware/rollouts/new"
        return [
            PageRoute("GET", here, self.ask, Role.TECHNICIAN),
            PageRoute("POST", here, self.start, Role.TECHNICIAN),
        ]

    async def ask(self, visit: Visit) -> Result:
        """The form; with `look`, what it would be too."""
        typed = {name: visit.query(name) for name in visit.request.query}
        if not typed.get("look"):
            return await _form(visit, typed)
        try:
            preview = await visit.act("POST", "/v1/rollouts/preview", wanted(typed))
        except OutpostError as error:
            return await _form(visit, typed, refused=error)
        return await _form(visit, typed, preview=preview)

    async def start(self, visit: Visit) -> Result:
        """Let it begin, once however often the form is sent."""
        try:
            key = visit.form.get("once", "")
            if not key:
                raise BadInput("The form is not whole.", hint="Open the page again.")
            made = await visit.act("POST", "/v1/rollouts", wanted(visit.form), {}, key)
        except OutpostError as error:
            return await _form(visit, visit.form, refused=error)
        return Went(rollout_page(made.id), said="rollout_started")


def wanted(typed: Mapping[str, str]) -> dict[str, object]:
    """What a form means, as the API takes it. Raises BadInput."""
    aim = typed.get("aim", "")
    if aim not in AIMS:
        raise BadInput("Say which devices are meant.")
    target: dict[str, object] = {}
    if aim == "devices":
        target["devices"] = [line.strip() for line in typed.get("devices", "").splitlines() if line.strip()]
    else:
        target[aim] = typed.get(aim, "").strip()
    if not is_every(typed):
        target["sites"] = chosen_in(typed)
        if not target["sites"]:
            raise BadInput("Say at which sites.")
    waves = [part.strip() for part in typed.get("waves", "").replace("%", " ").split(",")]
    plan: dict[str, object] = {name: _number(name, typed.get(name, "")) for name in NUMBERS}
    plan |= {f"{name}_s": _number(name, typed.get(name, "")) * MINUTE_S for name in MINUTES}
    plan |= {"waves": [_number("waves", part) for part in waves], "window": typed.get("window", "").strip()}
    return {
        "artifact": typed.get("other", "").strip() or typed.get("artifact", ""),
        "name": typed.get("name", "").strip(),
        "target": target,
        "plan": plan,
        "starts_at": local_moment(typed.get("starts_at", ""), UTC) or "",
    }


def fitting_kind(artifact: ArtifactView | None) -> str:
    """The kind of device that an app is for; empty for an image, and for a target that is no kind."""
    if artifact is None or artifact.kind != Kind.APP or artifact.target not in DEVICE_KINDS:
        return ""
    return artifact.target


def misses(artifact: ArtifactView | None, target: Target) -> bool:
    """Whether it is an app, aimed at a kind of device that does not become its target over the air."""
    if artifact is None or artifact.kind != Kind.APP or not target.kind:
        return False
    return not may_become(target.kind, artifact.target)


def _number(name: str, text: str) -> int:
    plain = text.strip()
    if not (plain.isascii() and plain.isdecimal() and len(plain) <= NUMBER_CHARS):
        raise BadInput(f"{plain[:20]!r} is no number ({name.replace('_', ' ')}).")
    return int(plain)


async def _form(
    visit: Visit,
    typed: Mapping[str, str],
    *,
    preview: RolloutPreview | None = None,
    refused: OutpostError | None = None,
) -> Shown:
    artifacts: list[ArtifactView] = (await visit.get("/v1/artifacts", {"limit": ARTIFACTS})).items
    groups: list[SiteGroup] = (await visit.get("/v1/groups")).items
    sites = await reached(visit)
    chosen = await _chosen(visit, artifacts, typed, preview)
    fields = {**USUAL, "kind": fitting_kind(chosen), **typed}
    meant = wanted(typed) if preview is not None else {}
    target = msgspec.convert(meant["target"], Target) if meant else None
    values: dict[str, Any] = {
        "artifacts": artifacts,
        "chosen": chosen,
        "groups": groups,
        "kinds": DEVICE_KINDS,
        "typed": lambda name: fields.get(name, ""),
        "choice": {"sites": sites, "every": "reach" not in typed or is_every(typed), "chosen": chosen_in(typed)},
        "site_names": {site.id: site.name for site in sites or ()},
        "preview": preview,
        "plan": msgspec.convert(meant["plan"], Plan) if meant else None,
        "target": target,
        "misses": target is not None and misses(chosen, target),
        "kept": {name: value for name, value in typed.items() if name not in ("look", "once")},
        "once": new_key(),
        "refused": refused,
    }
    return Shown("rollout_start.html", values, status=refused.status if refused else 200)


async def _chosen(
    visit: Visit, artifacts: list[ArtifactView], typed: Mapping[str, str], preview: RolloutPreview | None
) -> ArtifactView | None:
    """What is looked at; before that, what the list of firmware stands at: its first where none is named."""
    name = (
        preview.artifact if preview is not None else typed.get("artifact") or (artifacts[0].id if artifacts else "")
    )
    found = next((one for one in artifacts if one.id == name), None)
    if found is None and preview is not None:
        found = await visit.get("/v1/artifacts/{artifact}", artifact=name)
    return found

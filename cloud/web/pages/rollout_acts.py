"""What somebody does to a rollout: each is asked about first, and whoever stops one says why."""

from __future__ import annotations

from markupsafe import Markup

from cloud.web.confirming import confirm
from cloud.web.frame import PageRoute, Result, Shown, Visit, Went
from cloud.web.links import name_of, rollout_page
from cloud.web.words import isolated
from edge.errors import BadInput, OutpostError
from edge.serving.roles import Role
from edge.wire.centre import SiteRollout
from edge.wire.updates import REASON_CHARS, RETRYABLE

ACTS = ("pause", "resume", "abort", "retry")
WITH_REASON = frozenset({"pause", "abort"})


class RolloutActs:
    """The questions, and what follows."""

    def all(self, here: str) -> list[PageRoute]:
        """Every route, below `here`."""
        tech, made = Role.TECHNICIAN, list[PageRoute]()
        for act in ACTS:
            made.append(PageRoute("GET", f"{here}/{act}", self.ask, tech))
            made.append(PageRoute("POST", f"{here}/{act}", self.do, tech))
        return made

    async def ask(self, visit: Visit) -> Result:
        """Whether he means it."""
        return await _question(visit)

    async def do(self, visit: Visit) -> Result:
        """Do it, or say why not."""
        act, rollout = _act(visit), name_of(visit.param("rollout"))
        body: dict[str, object] = {}
        try:
            if act in WITH_REASON:
                body["reason"] = _reason(visit)
            if act == "retry":
                body["devices"] = list(filter(None, [visit.form.get("device", "").strip()]))
            await visit.act("POST", "/v1/rollouts/{id}/" + act, body, id=rollout)
        except OutpostError as error:
            return await _question(visit, error)
        return Went(rollout_page(rollout), said=f"rollout_{act}")


def _act(visit: Visit) -> str:
    return visit.request.path.rsplit("/", 1)[1]


def _reason(visit: Visit) -> str:
    """Why, for those who come after. Raises BadInput."""
    reason = " ".join(visit.form.get("reason", "").split())
    if not reason:
        raise BadInput(str(visit.words("rollout_act.why_missing")), hint="")
    if len(reason) > REASON_CHARS:
        raise BadInput(f"A reason has at most {REASON_CHARS} characters.")
    return reason


async def _question(visit: Visit, refused: OutpostError | None = None) -> Shown:
    act, words = _act(visit), visit.words
    one: SiteRollout = await visit.get("/v1/rollouts/{id}", id=name_of(visit.param("rollout")))
    device = visit.form.get("device", "") or visit.query("device")
    name = isolated(f"{one.artifact_target} {one.version}".strip())
    says: list[Markup] = [words(f"rollout_act.{act}_does")]
    if act == "retry":
        wrong = sum(one.steps.get(step.value, 0) for step in RETRYABLE)
        only, every = (
            words("rollout_act.retry_one", device=isolated(device)),
            words("rollout_act.retry_all", count=wrong),
        )
        says.append(only if device else every)
    if act == "resume" and one.reason:
        says.append(words("rollout_act.resume_was", reason=isolated(one.reason)))
    asks = {"reason": (words("rollout_act.why"), visit.form.get("reason", ""))} if act in WITH_REASON else {}
    return confirm(
        words(f"rollout_act.{act}_title", name=name),
        says,
        button=words(f"rollout_act.{act}"),
        back=rollout_page(one.id),
        fields={"device": device} if device else {},
        asks=asks,
        danger=act == "abort",
        refused=refused,
    )

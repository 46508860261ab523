"""Commands and vends as the centre knows them, as pure rules: what each fact of a hub makes of them.

Facts come in the order of their ledger. One that comes late (it had been refused before) changes nothing that later
ones have said. A hub that was restored says less than it once knew: what a device had reported by then stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cloud.fleet.fact_body import SMALL_MAX, name, number, numeral, text
from edge.wire.commands import ENDED, OPEN, State
from edge.wire.ledger import Fact
from edge.wire.orders import Verdict
from edge.wire.values import TIME_MAX_US

CENTRE, HANDED, SITE = "centre", "handed", "site"
"""Where a command is: waits here, handed to its site and not confirmed, at its site."""
SURE = frozenset({State.SUCCEEDED, State.FAILED})
TRIES_KEPT = 20
FORGOTTEN = "The hub was restored to a time before it had this: nobody can know whether it happened."
FORGOTTEN_HARMLESS = "The hub was restored to a time before it had this; send it again."

_VERDICTS = {
    State.SUCCEEDED: Verdict.DONE,
    State.FAILED: Verdict.FAILED,
    State.IN_DOUBT: Verdict.IN_DOUBT,
    State.QUEUED: Verdict.UNKNOWN,
}
_OF_VEND = {f"vend.{end}" for end in ("succeeded", "failed", "in_doubt", "resolved")}
FOLLOWED = frozenset({*(f"command.{state.value}" for state in State), "vend.started", *_OF_VEND})
"""The kinds of facts that make something of a command or a vend."""


class Order(msgspec.Struct, frozen=True, order=True):
    """Where in a site's history a fact stands: the number of its epoch, then its own."""

    epoch: int
    seq: int


class Try(msgspec.Struct, kw_only=True):
    """One attempt at a command."""

    attempt: int
    link: str
    at_us: int
    verdict: str = ""
    reason: str = ""
    duration_s: float | None = None


class Command(msgspec.Struct, kw_only=True):
    """A row of `commands`; see CommandRow. Whoever changes it saves it."""

    tenant_id: int
    site_id: int
    id: str
    number: int = 0
    device: str = ""
    kind: str = ""
    state: str = State.QUEUED.value
    place: str = SITE
    actor: str = ""
    agent: str = ""
    args: str = "{}"
    created_us: int = 0
    expires_us: int = 0
    ended_us: int | None = None
    attempts: int = 0
    seq: int | None = None
    reason: str = ""
    resolved_by: str = ""
    duration_s: float | None = None
    tries: str = "[]"
    first_epoch: int = 0
    first_seq: int = 0
    fact_epoch: int = 0
    fact_seq: int = 0
    change: int = 0
    txid: int = 0

    def attempted(self) -> list[Try]:
        """Each attempt, in order."""
        return msgspec.json.decode(self.tries, type=list[Try])


class Vend(msgspec.Struct, kw_only=True):
    """A row of `transactions`; see TransactionRow. Whoever changes it saves it."""

    tenant_id: int
    site_id: int
    id: str
    number: int = 0
    device: str = ""
    slot: int = 0
    item: str = ""
    price: int = 0
    currency: str = ""
    state: str = State.QUEUED.value
    evidence: str = ""
    reason: str = ""
    actor: str = ""
    note: str = ""
    created_us: int = 0
    ended_us: int | None = None
    resolved_by: str = ""
    fact_epoch: int = 0
    fact_seq: int = 0


def follow(command: Command, fact: Fact, body: Mapping[str, Any], epoch: int) -> None:
    """Take over what a fact `command.*` says; one that is known already, or is late, only fills what is missing."""
    state = _state(fact.kind)
    if state is None:
        return
    begins = state is State.QUEUED and bool(name(body, "kind"))
    if begins and not command.first_seq:
        _begin(command, fact, body, epoch)
    command.device = command.device or name(body, "device")
    now = Order(epoch, fact.seq)
    if now <= Order(command.fact_epoch, command.fact_seq):
        return
    earlier_epoch = 0 < command.fact_epoch < epoch
    command.fact_epoch, command.fact_seq, command.place = epoch, fact.seq, SITE
    if earlier_epoch and command.state in SURE and state not in SURE:
        return
    _move(command, state, fact, body)


def follow_vend(vend: Vend, command: Command | None, fact: Fact, body: Mapping[str, Any], epoch: int) -> None:
    """Take over what a fact `vend.*`, or `command.*` of a vend, says. Why is said by its `command`'s fact, which
    comes before: a person's note where one settled it."""
    if fact.kind == "vend.started":
        vend.device, vend.slot = name(body, "device"), number(body, "slot", SMALL_MAX)
        vend.item, vend.price, vend.currency = text(body, "item"), number(body, "price"), text(body, "currency")
        vend.actor, vend.created_us = vend.actor or name(body, "actor"), vend.created_us or fact.at_us
    now = Order(epoch, fact.seq)
    if now <= Order(vend.fact_epoch, vend.fact_seq):
        return
    state = _vend_state(fact.kind, body)
    if state is None:
        return
    earlier_epoch = 0 < vend.fact_epoch < epoch
    vend.fact_epoch, vend.fact_seq = epoch, fact.seq
    if earlier_epoch and vend.state in SURE and state not in SURE:
        return
    vend.state, vend.ended_us = state.value, fact.at_us if state in ENDED else None
    if fact.kind in _OF_VEND:
        vend.device = vend.device or name(body, "device")
        vend.slot = vend.slot or number(body, "slot", SMALL_MAX)
    why = command.reason if command is not None else ""
    if fact.kind == "vend.resolved":
        vend.resolved_by, vend.evidence = text(body, "by"), "person"
        vend.note = " / ".join(filter(None, (vend.note, why)))
    else:
        vend.resolved_by, vend.evidence = "", text(body, "evidence")
        vend.reason = "" if state in OPEN else why


def _begin(command: Command, fact: Fact, body: Mapping[str, Any], epoch: int) -> None:
    command.first_epoch, command.first_seq = epoch, fact.seq
    command.kind = name(body, "kind")
    command.actor = command.actor or name(body, "actor")
    command.agent = command.agent or name(body, "agent")
    if not command.created_us:
        command.created_us = fact.at_us
        command.expires_us = min(fact.at_us + max(0, number(body, "ttl_ms")) * 1000, TIME_MAX_US)


def _move(command: Command, state: State, fact: Fact, body: Mapping[str, Any]) -> None:
    was_sent = command.state == State.SENT
    command.state = state.value
    command.reason = text(body, "reason")
    command.resolved_by = text(body, "by")
    command.ended_us = fact.at_us if state in ENDED else None
    duration_s = numeral(body, "duration_s")
    command.duration_s = command.duration_s if duration_s is None else duration_s
    if state is State.SENT and "attempt" in body:
        command.attempts, command.seq = number(body, "attempt", SMALL_MAX), number(body, "seq")
        tries = command.attempted()[1 - TRIES_KEPT :]
        tries.append(Try(attempt=command.attempts, link=text(body, "link"), at_us=fact.at_us))
        command.tries = msgspec.json.encode(tries).decode()
    elif was_sent and state in _VERDICTS and not command.resolved_by:
        tries = command.attempted()
        if tries:
            last = tries[-1]
            last.verdict, last.reason = _VERDICTS[state].value, command.reason
            last.duration_s = duration_s
            command.tries = msgspec.json.encode(tries).decode()


def _state(kind: str) -> State | None:
    """The state that a fact `command.STATE` tells of."""
    try:
        return State(kind.partition(".")[2])
    except ValueError:
        return None


def _vend_state(kind: str, body: Mapping[str, Any]) -> State | None:
    """The state of a vend after a fact; an end is told by the vend's own facts alone."""
    if kind in _OF_VEND:
        state = _state(f".{text(body, 'state')}")
        return state if state not in OPEN else None
    state = State.QUEUED if kind == "vend.started" else _state(kind)
    return state if state in OPEN else None

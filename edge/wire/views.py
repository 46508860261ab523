"""The JSON of the /v1 API, as the hub sends it and its clients read it.

Times are ISO 8601 UTC with Z; durations are seconds (`_s`). Clients ignore fields they do not know.
"""

from __future__ import annotations

from typing import Any

import msgspec

from edge.wire.commands import State

Json = Any  # any JSON value: msgspec has no recursive aliases


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything sent."""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything received: an unknown field is an error, never ignored."""


class Problem(View, frozen=True, kw_only=True):
    """RFC 9457 problem details. `code` is stable; `hint` names the next thing to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str
    retryable: bool
    instance: str = ""


class Screen(View, frozen=True, kw_only=True):
    """What a display's panel shows, by its own word.

    `shows` is `rotation` (its stored pictures in turn), `picture` (one of them), `qr`, `idle` (its own idle screen,
    when it has no pictures) or `unknown`.
    """

    shows: str
    command: str | None = None
    since: str | None = None


class AgentView(View, frozen=True, kw_only=True):
    """Who sits at a display now, and what seated him: `device-id`, `workstation` or `technician`."""

    agent: str
    name: str
    since: str
    how: str
    device: str


class DeviceView(View, frozen=True, kw_only=True):
    """One device.

    `online` is judged by evidence: `evidence_at` is when it last gave a sign of life, `evidence_age_s` how long ago
    that was when this was written (null: never), `evidence` what the sign was.

    `trust`: `none` (it has no key), `paired` (a key agreed over the network, that nobody confirmed), `confirmed`,
    or `revoked` (its key was taken away).
    `code_wanted`: it shows six digits, which wait to be compared. `epoch_new`: its flash was erased, so it does
    nothing physical until a person has looked. `owner`: the account it belongs to.
    """

    id: str
    name: str
    kind: str
    profile: str
    state: str  # pending, approved, forgotten
    online: bool
    link: str  # "serial /dev/ttyUSB0 @115200", "poll", or "" when there is none
    evidence: str
    evidence_at: str | None
    evidence_age_s: float | None
    panel: str
    aliases: list[str]
    workstations: list[str]
    agent: AgentView | None
    screen: Screen | None
    queued: int
    in_doubt: int
    shown_today: int
    shown_total: int
    facts: dict[str, Json]
    created_at: str
    approved_at: str | None
    trust: str = "none"
    code_wanted: bool = False
    epoch_new: bool = False
    owner: str = ""


class CommandView(View, frozen=True, kw_only=True):
    """One command. `args` leaves out what is private: a picture, a name, an amount."""

    id: str
    device: str
    kind: str
    state: State
    actor: str
    agent: str | None
    created_at: str
    expires_in_s: float | None  # of an open command
    ended_at: str | None
    attempts: int
    reason: str
    resolved_by: str
    duration_s: float | None
    seq: int | None
    args: dict[str, Json]


class AttemptView(View, frozen=True, kw_only=True):
    """One try at a command."""

    attempt: int
    link: str
    at: str
    verdict: str
    reason: str
    duration_s: float | None


class KeyView(View, frozen=True, kw_only=True):
    """A key without its secret. `weak`: published or compiled in somewhere, so confined to `scope`."""

    id: str
    name: str
    role: str
    scope: str
    weak: bool
    created_at: str
    created_by: str
    revoked_at: str | None
    last_used_at: str | None


class NewKey(View, frozen=True, kw_only=True):
    """A key just made; `key` is shown this once, and empty when an existing one was imported."""

    id: str
    name: str
    role: str
    scope: str
    key: str


class NewDevice(View, frozen=True, kw_only=True):
    """A device just added; `token` is shown this once."""

    id: str
    name: str
    kind: str
    token: str


class PortView(View, frozen=True, kw_only=True):
    """One serial port. `owner` is `hub`, `absent`, `monitor`, `ignored` or who else holds it (`pid 812 minicom`).

    `state`: `absent`, `opening`, `detecting`, `online`, `failed`; `detail` says what is wrong, `hint` what to do.
    """

    path: str
    by_id: str
    by_path: str
    description: str
    owner: str
    state: str
    profile: str
    baud: int
    device: str | None
    detail: str
    hint: str
    since: str


class PortDone(View, frozen=True, kw_only=True):
    """What a technician's action at a port has done, as a phrase."""

    done: str


class PortBytes(View, frozen=True, kw_only=True):
    """One message of /v1/ports/monitor: bytes seen on the line, from the device (`rx`) or from the hub (`tx`)."""

    dir: str
    at: str
    hex: str


class ClaimView(View, frozen=True, kw_only=True):
    """An agent who asked for a display that only a technician can give him."""

    agent: str
    name: str
    device: str
    computer_name: str
    why: str
    asked_at: str
    count: int


class KnockView(View, frozen=True, kw_only=True):
    """Requests that match nothing here, or come with a bad key: a client that is set up wrong."""

    peer: str
    what: str
    why: str
    count: int
    last_at: str


class FactView(View, frozen=True, kw_only=True):
    """One row of the ledger."""

    seq: int
    kind: str
    subject: str
    at: str
    quality: str
    body: dict[str, Json]
    hash: str


class LogLine(View, frozen=True, kw_only=True):
    """A line a device said, or what went to it or came from it.

    `direction`: `in`, `out`, or '' for a line of the device's own log and what the hub noted. `channel`: `http`,
    `serial`, `udp`, or ''. `id` rises from line to line; 0 where it is told live.
    """

    at: str
    level: str
    text: str
    device: str = ""
    direction: str = ""
    channel: str = ""
    id: int = 0


class StatusView(View, frozen=True, kw_only=True):
    """The hub at one look. `ready` false comes with `problems`."""

    name: str
    version: str
    instance: str  # the hub's own id, made with its database
    ready: bool
    problems: list[str]
    started_at: str
    now: str
    clock_quality: str
    timezone: str
    devices: int
    online: int
    pending: int
    queued: int
    in_doubt: int
    ledger_seq: int
    free_bytes: int
    actor: str  # who the caller is taken for
    role: str


class Preview(View, frozen=True, kw_only=True):
    """A picture as a panel will show it: `png` is base64, `bytes` what goes over the link."""

    panel: str
    width: int
    height: int
    module_px: int
    bytes: int
    seconds_on_line: float
    content_hash: str
    png: str


class LiveEvent(View, frozen=True, kw_only=True):
    """One message of /v1/live and /v1/events.

    `topic`: device, command, port, claim, log, fact, reading, twin, slot, transaction, hook, hub; and what concerns
    the reader alone: missed, chosen, refused. `id` is the ledger's number where the event is a fact (use it to
    resume), else null. `data` is the view of the thing as it is now.
    """

    topic: str
    id: int | None = None
    data: dict[str, Json] = {}


class AddDevice(Request, frozen=True, kw_only=True):
    """POST /v1/devices."""

    name: str
    kind: str
    profile: str = "native"


class Approve(Request, frozen=True, kw_only=True):
    """POST /v1/devices/{id}/approve. `code`: the digits that the device shows; with them its key is sure.

    `same_as`: the id of the device that this board was here before its flash was erased.
    """

    code: str = ""
    same_as: str = ""


class ChangeDevice(Request, frozen=True, kw_only=True):
    """PATCH /v1/devices/{id}."""

    name: str


class NewCommand(Request, frozen=True, kw_only=True):
    """POST /v1/devices/{id}/commands. `ttl_s` shortens the kind's own time to live, never lengthens it.

    Arguments by kind: `display_qr` {payload | image, caption?, amount?, reference?}; `start_rotation`,
    `stop_rotation`, `machine_status`, `reboot` {}; `store_picture` {image, slot}; `erase_picture`, `vend` {slot}.
    """

    kind: str
    args: dict[str, Json] = {}
    ttl_s: float | None = None


class Resolve(Request, frozen=True, kw_only=True):
    """POST /v1/commands/{id}/resolve: a person says what happened to a command in doubt."""

    outcome: str  # succeeded or failed
    note: str


class BindAgent(Request, frozen=True, kw_only=True):
    """PUT /v1/devices/{id}/agent: a technician seats an agent."""

    agent: str
    name: str = ""


class BindWorkstation(Request, frozen=True, kw_only=True):
    """PUT /v1/devices/{id}/workstation: a technician says at which computer the display stands."""

    computer_name: str


class ClaimDevice(Request, frozen=True, kw_only=True):
    """POST /v1/claims/{agent}/approve: the display he gets."""

    device: str


class CreateKey(Request, frozen=True, kw_only=True):
    """POST /v1/keys. With `secret`, an existing key is imported: then `scope` must name the older system."""

    name: str
    role: str
    scope: str = ""
    secret: str = ""


class PreviewRequest(Request, frozen=True, kw_only=True):
    """POST /v1/content/preview."""

    panel: str
    payload: str = ""
    image: str = ""
    caption: str = ""
    amount: str = ""


class PortAction(Request, frozen=True, kw_only=True):
    """POST /v1/ports/action: `reset` pulses the board's reset line, `release` gives the port up, `own` takes it."""

    path: str
    action: str

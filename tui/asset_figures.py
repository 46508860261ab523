"""What the hub answers about assets: figures of a window, and the states of those that are looked at.

Asked only while a screen shows it, and again when it is old: figures every few seconds and after a change, the
states of an asset after they have changed, and else once a minute.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.errors import NotFound, OutpostError
from edge.wire.assets import (
    ASSETS_MAX,
    AssetView,
    AvailabilityRow,
    BandView,
    ParetoRow,
    ReasonView,
    ShiftView,
    StopView,
)
from edge.wire.state_line import Piece, cells
from tui.client import HubClient, segment
from tui.machines import Machines
from tui.session import Session
from tui.state_bar import pieces, seconds
from tui.windows import Question

AGAIN_S = 10.0  # a window that ends now moves on
SETTLE_S = 1.0  # between two reads, so that a hall that stops asks once
BANDS_AGAIN_S = 60.0  # states that go on grow by less than a cell meanwhile
PAGE = 500  # the most the hub gives at once
MOST_BANDS = 5000  # of one asset; what changes oftener is drawn as far as that reaches
STOPS = 100  # the newest of one asset


@dataclass
class Line:
    """The states of one asset. Drawn again and again, so what was worked out last is kept."""

    pieces: list[Piece]
    whole: bool  # whether all of the span is there
    read_at_s: float
    changes: int  # of the asset, as it was read
    _drawn: tuple[tuple[float, float], int, list[str]] | None = None

    def cells(self, span: tuple[float, float], width: int) -> list[str]:
        """What is drawn of it in a span."""
        if self._drawn is None or self._drawn[:2] != (span, width):
            self._drawn = span, width, cells(self.pieces, span, width)
        return self._drawn[2]


@dataclass
class Rules:
    """What the site calls shifts and reasons."""

    shifts: list[ShiftView] = field(default_factory=list)
    reasons: list[ReasonView] = field(default_factory=list)


class AssetFigures:
    """Of all assets, or of `only` one, then with its stops and reasons. `failed` says why the last read did not
    succeed, '' where it did."""

    def __init__(self, session: Session, question: Question, only: str = "") -> None:
        self._session, self.question, self._only = session, question, only
        self.rows: dict[str, AvailabilityRow] = {}
        self.lines: dict[str, Line] = {}
        self.rules = Rules()
        self.stops: list[StopView] = []
        self.more_stops = False
        self.pareto: list[ParetoRow] = []
        self.span: tuple[float, float] | None = None
        self.as_of: str | None = None
        self.failed = ""
        self._read_for: tuple[object, ...] = ()
        self._read_at_s = 0.0
        self._told = 0  # how often something was changed here

    def ask(self, question: Question) -> None:
        """Another window: what was known is of the one before."""
        if question != self.question:
            self.question, self.span, self.as_of = question, None, None
            self.rows, self.lines, self.stops, self.pareto = {}, {}, [], []
            self._read_for = ()

    def again(self) -> None:
        """Whatever is known may be old now, also what is being read."""
        self._told += 1

    def due(self, shown: list[str]) -> bool:
        """Whether to read now; `shown` are the assets whose states can be seen."""
        since_s = self._session.clock.mono_s() - self._read_at_s
        if not self._read_for or self._read_for[0] != self._session.site.contact_since:
            return True
        if any(id in self.rows and id not in self.lines for id in shown) and not self.failed:
            return True
        return since_s >= AGAIN_S or (self._read_for != self._now() and since_s >= SETTLE_S)

    async def read(self, shown: list[str]) -> None:
        """Ask the hub for what is shown. What fails is told by `failed`; the next time may succeed."""
        question, now = self.question, self._now()
        try:
            await self._read(question, shown)
            failed = ""
        except OutpostError as error:
            failed = error.detail
        if question == self.question:
            self.failed, self._read_for, self._read_at_s = failed, now, self._session.clock.mono_s()

    async def _read(self, question: Question, shown: list[str]) -> None:
        client, machines = self._session.client, self._session.site.machines
        if not await _read_assets(client, machines):
            return
        asked: dict[str, str] = question.query(self._session.clock.now(), self._session.site.zone)
        if self._only:
            asked["asset"] = self._only
        self.rules = Rules(
            await client.items("/v1/shifts", ShiftView), await client.items("/v1/stop-reasons", ReasonView)
        )
        found = await client.items("/v1/availability", AvailabilityRow, ASSETS_MAX, **asked, limit=PAGE)
        rows = {row.of: row for row in found}
        if question != self.question:
            return
        self.rows = rows
        first = next(iter(rows.values()), None)
        if first is None:
            return
        self.span, self.as_of = (seconds(first.at), seconds(first.to)), first.to
        if self._only:
            await self._read_stops(question, asked)
        for id in shown:
            if question == self.question and id in rows and self._grown(id):
                await self._read_line(question, id, first)

    async def _read_stops(self, question: Question, asked: dict[str, str]) -> None:
        client = self._session.client
        stops = await client.newest("/v1/stops", StopView, STOPS + 1, **asked)
        view = self._session.site.machines.one(self._only)
        if view is not None and view.stop and view.stop not in {stop.id for stop in stops}:
            stops = await client.newest("/v1/stops", StopView, 1, asset=self._only, open="1") + stops
        pareto = await client.items("/v1/pareto", ParetoRow, **asked)
        if question == self.question:
            self.stops, self.more_stops, self.pareto = stops[:STOPS], len(stops) > STOPS, pareto

    async def _read_line(self, question: Question, id: str, of: AvailabilityRow) -> None:
        changes = self._session.site.machines.changes(id)
        where = f"/v1/assets/{segment(id)}/timeline"
        span = {"from": of.at} if question.goes_on else {"from": of.at, "to": of.to}
        bands = await self._session.client.items(where, BandView, MOST_BANDS, **span, limit=PAGE)
        if question == self.question:
            whole = len(bands) < MOST_BANDS
            self.lines[id] = Line(pieces(bands), whole, self._session.clock.mono_s(), changes)

    def _grown(self, id: str) -> bool:
        """Whether the states of an asset are to be read (again)."""
        line = self.lines.get(id)
        if line is None or line.changes != self._session.site.machines.changes(id):
            return True
        return self._session.clock.mono_s() - line.read_at_s >= BANDS_AGAIN_S

    def _now(self) -> tuple[object, ...]:
        """What an answer depends on, as far as it is known here."""
        site = self._session.site
        ids = [self._only] if self._only else [view.id for view in site.machines.all()]
        return site.contact_since, self.question, self._told, tuple((id, site.machines.changes(id)) for id in ids)


async def _read_assets(client: HubClient, machines: Machines) -> bool:
    """How they all stand; False for a hub that watches none."""
    try:
        machines.put_all(await client.items("/v1/assets", AssetView))
    except NotFound:
        machines.none_here()
        return False
    return True

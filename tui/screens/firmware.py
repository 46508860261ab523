"""Firmware: what is rolled out and how far it is, what the hub holds, and which versions run."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from edge.errors import NotFound
from edge.wire.updates import ArtifactView, FirmwareSummary, RolloutState, RolloutView
from tui import ages, artifact_deeds, rollout_deeds, update_words
from tui.actions import Action, bindings
from tui.deeds import name
from tui.dialogs.artifact import ArtifactDialog
from tui.firmware import UNDER_WAY
from tui.literal import literal
from tui.looks import STYLES
from tui.marks import ROLLOUTS
from tui.screens.asking_screen import AskingScreen
from tui.screens.boards import BoardsScreen
from tui.screens.rollout import RolloutScreen
from tui.screens.runs import RunsScreen
from tui.session import Session
from tui.widgets.cell import cell, mark_cell, number_cell
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.wording import counted

ROLLOUT_FIELDS = (
    Field("state", "State", 12),
    Field("name", "Rollout", 10, share=2),
    Field("to", "Version", 15),
    Field("progress", "Progress", 10, share=3),
    Field("ended", "Ended", 7),
    Field("bad", "Wrong", 5),
    Field("left", "Left", 6),
    Field("whom", "To", 12, share=2, from_width=110),
)
ARTIFACT_FIELDS = (
    Field("target", "For", 8, share=1),
    Field("version", "Version", 15),
    Field("chip", "Chip", 7),
    Field("signed", "Signed", 10, share=2),
    Field("size", "Size", 8),
    Field("used", "In use", 6),
    Field("at", "Came", 12, from_width=90),
)
OF_ROLLOUTS, OF_ARTIFACTS = ("pause",), ("remove",)


class FirmwareScreen(AskingScreen):
    """Rollouts above, firmware below; Tab goes there."""

    SCOPE: ClassVar[str] = "firmware"
    TAB: ClassVar[str] = "firmware"
    BINDINGS: ClassVar[list[BindingType]] = bindings("firmware")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._summary: FirmwareSummary | None = None
        self._sending = ""

    def body(self) -> ComposeResult:
        """Counts, rollouts, firmware, which versions run."""
        yield Static(id="counts", classes="heading", markup=False)
        yield KeyedTable(ROLLOUT_FIELDS, id="rollouts")
        yield Static(id="held", classes="heading", markup=False)
        yield KeyedTable(ARTIFACT_FIELDS, id="artifacts")
        yield Static(id="detail", markup=False)

    def fits(self, action: Action) -> bool:
        """Rollouts are paused, firmware is removed."""
        verb = action.id.partition(".")[2]
        if verb == "pause":
            view = self._rollout()
            return view is not None and view.state in (RolloutState.RUNNING, RolloutState.SCHEDULED)
        if verb == "remove":
            return self._artifact() is not None
        return verb != "start" or bool(self.site.firmware.artifacts())

    def subject(self) -> str | None:
        """The rollout's id, or the firmware's."""
        return self._table().current_key()

    def on_data_table_row_highlighted(self) -> None:
        """All about the row under the cursor, and the keys that fit it."""
        self._show_detail()
        self.query_one(KeyHints).refresh()

    def on_descendant_focus(self) -> None:
        """The same for the list one went to."""
        self._show_detail()
        self.query_one(KeyHints).refresh()

    async def read(self) -> None:
        """Which versions run."""
        try:
            self._summary = await self.session.client.get("/v1/firmware/summary", FirmwareSummary)
        except NotFound:
            self._summary = None

    def show(self) -> None:
        """Everything."""
        firmware, wanted = self.site.firmware, self.query_one(FilterLine).filter
        rollouts, artifacts = firmware.rollouts(), firmware.artifacts()
        some = [view for view in rollouts if wanted.matches(self._rollout_fields(view))]
        held = [view for view in artifacts if wanted.matches(self._artifact_fields(view))]
        self.query_one("#rollouts", KeyedTable).show([self._rollout_row(view) for view in some], stale=self.stale)
        self.query_one("#artifacts", KeyedTable).show([self._artifact_row(view) for view in held], stale=self.stale)
        shown, of = len(some) + len(held), len(rollouts) + len(artifacts)
        self.query_one("#counts", Static).update(Content(self._counts(rollouts, shown, of, wanted.text)))
        self.query_one("#held", Static).update(Content(self._held(artifacts)))
        self._show_detail()
        self.read_when_due()

    # What can be done here

    def do_open_row(self) -> None:
        """The rollout, or all about the firmware."""
        rollout, artifact = self._rollout(), self._artifact()
        if rollout is not None:
            self.app.push_screen(RolloutScreen(self.session, rollout.id))
        elif artifact is not None:
            self.app.push_screen(ArtifactDialog(self.session, artifact))

    async def do_start(self) -> None:
        """Let devices run it."""
        made = await rollout_deeds.start(self, self._artifact())
        if made is not None and self.app.screen is self:
            self.app.push_screen(RolloutScreen(self.session, made.id))

    async def do_pause(self) -> None:
        """Offer nothing new of it."""
        view = self._rollout()
        if view is None:
            self.tell("Put the cursor on a rollout first.")
        else:
            await rollout_deeds.pause(self, view)

    async def do_upload(self) -> None:
        """Give the hub a file; what was looked at is shown."""
        made = await artifact_deeds.upload(self, self._say_sending)
        if made is None:
            return
        if self.app.screen is self:
            await self.app.push_screen(ArtifactDialog(self.session, made, "The hub holds this now"))
        else:
            self.tell(f"{update_words.called(made)} is held now.")

    async def do_remove(self) -> None:
        """Let the hub hold it no more."""
        view = self._artifact()
        if view is None:
            self.tell("Put the cursor on firmware first: Tab goes to the list below.")
        else:
            await artifact_deeds.remove(self, view)

    def do_open_boards(self) -> None:
        """Boards on a cable."""
        self.app.push_screen(BoardsScreen(self.session))

    def do_open_runs(self) -> None:
        """Device by device."""
        self.app.push_screen(RunsScreen(self.session))

    def _say_sending(self, text: str) -> None:
        self._sending = text
        self.redraw()

    # How it is drawn

    def _table(self) -> KeyedTable:
        below = self.query_one("#artifacts", KeyedTable)
        return below if below.has_focus else self.query_one("#rollouts", KeyedTable)

    def _rollout(self) -> RolloutView | None:
        table = self._table()
        return self.site.firmware.rollout(table.current_key() or "") if table.id == "rollouts" else None

    def _artifact(self) -> ArtifactView | None:
        table = self._table()
        return self.site.firmware.artifact(table.current_key() or "") if table.id == "artifacts" else None

    def _rollout_row(self, view: RolloutView) -> Row:
        bad = update_words.bad(view)
        return Row(
            view.id,
            (
                mark_cell(ROLLOUTS[view.state]),
                cell(update_words.title(view), "strong"),
                cell(view.version or "-"),
                self._bar(view),
                number_cell(f"{update_words.good(view) + bad}/{view.devices}"),
                number_cell(str(bad), "bad" if bad else "quiet"),
                number_cell(update_words.left(view, self.session.clock.now())),
                cell(update_words.whom(view.target), "quiet"),
            ),
        )

    def _bar(self, view: RolloutView) -> Text:
        width = self.query_one("#rollouts", KeyedTable).width_of("progress")
        good, bad = update_words.good(view), update_words.bad(view)
        bar = update_words.wave_bar(good, bad, view.devices, width, self.session.glyphs)
        return Text(bar, style=STYLES["bad" if bad else "good"], no_wrap=True, overflow="crop", end="")

    def _artifact_row(self, view: ArtifactView) -> Row:
        at = ages.clock_text(ages.moment(view.created_at), self.site.zone, self.session.clock.now())
        sure = bool(view.signed_by)
        return Row(
            view.id,
            (
                cell(view.target, "strong"),
                cell(view.version),
                cell(view.chip),
                cell(update_words.signed(view), "" if sure else "warn"),
                number_cell(ages.size(view.size)),
                number_cell(str(view.used_by or "-")),
                cell(at, "quiet"),
            ),
        )

    def _rollout_fields(self, view: RolloutView) -> dict[str, str]:
        return {
            "name": f"{view.name} {view.id}",
            "version": view.version,
            "target": view.artifact_target,
            "state": f"{view.state} {ROLLOUTS[view.state].word}",
            "to": update_words.whom(view.target),
        }

    def _artifact_fields(self, view: ArtifactView) -> dict[str, str]:
        return {
            "target": view.target,
            "version": view.version,
            "chip": view.chip,
            "signed": update_words.signed(view),
            "id": view.id,
        }

    def _counts(self, rollouts: list[RolloutView], shown: int, of: int, wanted: str) -> str:
        if not self.site.ever_reached:
            return ""
        if self.site.firmware.absent:
            return update_words.OLDER_HUB
        if wanted:
            return f"Filter “{name(wanted)}” shows {shown} of {of} · Esc clears it"
        if not rollouts:
            return update_words.NO_ROLLOUTS if self.site.firmware.artifacts() else "Nothing was rolled out yet."
        paused = sum(view.state is RolloutState.PAUSED for view in rollouts)
        going = sum(view.state in UNDER_WAY for view in rollouts) - paused
        parts = [f"▲ {counted(paused, 'rollout')} paused: Enter shows why"] if paused else []
        parts += [f"◐ {going} under way"] if going else []
        return " · ".join([*parts, counted(len(rollouts), "rollout")])

    def _held(self, artifacts: list[ArtifactView]) -> str:
        if self._sending:
            return f"◐ {name(self._sending)}"
        if self.site.firmware.absent or not self.site.ever_reached:
            return ""
        return "Firmware held here · Tab to go there" if artifacts else update_words.NO_FIRMWARE

    def _show_detail(self) -> None:
        rollout, artifact = self._rollout(), self._artifact()
        runs = f"✗ {self.failed}" if self.failed else update_words.runs(self._summary)
        lines = [Content(f"Runs: {runs}" if runs and not self.failed else runs)]
        if rollout is not None and rollout.reason:
            lines.insert(0, Content.styled(literal(rollout.reason), "$warning"))
        elif rollout is not None:
            lines.insert(0, Content(update_words.plan(rollout)))
        elif artifact is not None:
            lines.insert(
                0,
                Content(f"{update_words.kind(artifact.kind)} {literal(artifact.id, 70)} {literal(artifact.notes)}"),
            )
        text = Content("\n").join(lines)
        self.query_one("#detail", Static).update(text.stylize("$foreground 40%") if self.stale else text)

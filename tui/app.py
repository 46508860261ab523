"""The app: screens and their modes, one way for every action to run, one place where refusals are shown."""

from __future__ import annotations

import random
from collections.abc import Awaitable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import App
from textual.binding import BindingType
from textual.screen import Screen

from edge.errors import OutpostError
from tui import crash
from tui.actions import ANYWHERE, BY_ID, Action, bindings
from tui.feed import Feed
from tui.literal import literal
from tui.looks import THEME
from tui.messages import ActionAsked, SiteChanged, Tick
from tui.palette import Commands
from tui.screens.asset import AssetScreen
from tui.screens.assets import AssetsScreen
from tui.screens.content import ContentScreen
from tui.screens.device import DeviceScreen
from tui.screens.firmware import FirmwareScreen
from tui.screens.help import HelpScreen
from tui.screens.overview import OverviewScreen
from tui.screens.provision import ProvisionScreen
from tui.screens.queue import QueueScreen
from tui.screens.serial import SerialScreen
from tui.screens.site_screen import SiteScreen
from tui.screens.sync import SyncScreen
from tui.screens.talk import TalkScreen
from tui.screens.vending import VendingScreen
from tui.session import Session
from tui.windows import Question

REDRAW_S = 0.25  # what changes within is drawn once: a burst of a thousand events is one redraw
TICK_S = 1.0
REFUSAL_SHOWN_S = 8.0


class OutpostApp(App[None]):
    """The technician's terminal on one hub."""

    TITLE = "Outpost"
    CSS_PATH = "outpost.tcss"
    COMMANDS: ClassVar = {Commands}
    BINDINGS: ClassVar[list[BindingType]] = bindings(ANYWHERE)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 as Textual declares it

    def __init__(self, session: Session, rng: random.Random | None = None) -> None:
        super().__init__()
        self.session = session
        self.feed = Feed(session.client, session.site, self._mark_changed, rng)
        self.crash: Path | None = None
        self._changed = False
        self._running_actions: set[str] = set()

    def on_mount(self) -> None:
        """Open Overview and follow the hub."""
        self.register_theme(THEME)
        self.theme = THEME.name
        self.add_mode("overview", lambda: OverviewScreen(self.session))
        self.add_mode("queue", lambda: QueueScreen(self.session))
        self.add_mode("serial", lambda: SerialScreen(self.session))
        self.add_mode("vending", lambda: VendingScreen(self.session))
        self.add_mode("talk", lambda: TalkScreen(self.session))
        self.add_mode("sync", lambda: SyncScreen(self.session))
        self.add_mode("assets", lambda: AssetsScreen(self.session))
        self.add_mode("firmware", lambda: FirmwareScreen(self.session))
        self.add_mode("provision", lambda: ProvisionScreen(self.session))
        self.add_mode("content", lambda: ContentScreen(self.session))
        self.switch_mode("overview")
        self.set_interval(REDRAW_S, self._pass_on)
        self.set_interval(TICK_S, self._tick)
        self.run_worker(self.feed.run(), group="feed", exit_on_error=True)

    async def on_unmount(self) -> None:
        """Let go of the hub."""
        await self.session.client.close()

    def open_device(self, device: str) -> None:
        """Drill into a device from anywhere."""
        if not (isinstance(self.screen, DeviceScreen) and self.screen.device == device):
            self.push_screen(DeviceScreen(self.session, device))

    def open_asset(self, asset: str) -> None:
        """The same for an asset."""
        if not (isinstance(self.screen, AssetScreen) and self.screen.asset == asset):
            self.push_screen(AssetScreen(self.session, asset, Question()))

    # Actions

    def action_act(self, action_id: str) -> None:
        """Run an action of the table, once at a time, in the background where it takes time."""
        action = BY_ID[action_id]
        if action.changes and not self.session.may_change:
            why = "this terminal is read-only" if self.session.readonly else "your role may only look"
            self.notify(f"{action.label} is switched off: {why}.", severity="warning", markup=False)
            return
        if action.id in self._running_actions:
            self.notify(f"{action.label}: still waiting for the hub.", markup=False)
            return
        owner = self if action.scope == ANYWHERE else self.screen
        outcome = getattr(owner, action.handler)()
        if outcome is not None:
            self._running_actions.add(action.id)
            self.run_worker(self._finish(action, outcome), group="actions")

    async def _finish(self, action: Action, outcome: Awaitable[None]) -> None:
        try:
            await outcome
        except OutpostError as error:
            self.complain(error)
        finally:
            self._running_actions.discard(action.id)

    def complain(self, error: OutpostError) -> None:
        """A refusal, with what to do next."""
        text = literal(error.detail) + ("\n" + literal(error.advice) if error.advice else "")
        self.notify(text, title="Not done", severity="error", timeout=REFUSAL_SHOWN_S, markup=False)

    def on_action_asked(self, message: ActionAsked) -> None:
        """Enter on a row."""
        self.action_act(message.action)

    async def do_go_overview(self) -> None:
        """To Overview, whatever is open."""
        await self._go("overview")

    async def do_go_queue(self) -> None:
        """To Queue."""
        await self._go("queue")

    async def do_go_serial(self) -> None:
        """To Serial."""
        await self._go("serial")

    async def do_go_vending(self) -> None:
        """To Vending."""
        await self._go("vending")

    async def do_go_talk(self) -> None:
        """To the communication log."""
        await self._go("talk")

    async def do_go_sync(self) -> None:
        """To how the site stands with the centre."""
        await self._go("sync")

    async def do_go_assets(self) -> None:
        """To the machines that are watched."""
        await self._go("assets")

    async def do_go_firmware(self) -> None:
        """To what is held and rolled out."""
        await self._go("firmware")

    async def do_go_provision(self) -> None:
        """To where boards get their WiFi."""
        await self._go("provision")

    async def do_go_content(self) -> None:
        """To what panels show."""
        await self._go("content")

    async def _go(self, mode: str) -> None:
        await self.switch_mode(mode)
        while len(self.screen_stack) > 1:
            await self.pop_screen()

    def do_copy_id(self) -> None:
        """To the clipboard of the technician's own terminal, also over ssh."""
        subject = self.screen.subject() if isinstance(self.screen, SiteScreen) else None
        if subject is None:
            self.notify("There is nothing to copy here.", markup=False)
            return
        self.copy_to_clipboard(subject)
        self.notify(f"Copied {literal(subject, 60)}", markup=False)

    def do_refresh_now(self) -> None:
        """Do not wait for the next time."""
        self.feed.wake()
        self.notify("Asking the hub again.", timeout=2, markup=False)

    def do_palette(self) -> None:
        """Find by name."""
        self.action_command_palette()

    def do_help(self) -> None:
        """The keys of this screen."""
        scope = self.screen.SCOPE if isinstance(self.screen, SiteScreen) else ""
        self.push_screen(HelpScreen(scope, self.session.may_change))

    def do_back(self) -> None:
        """One step back."""
        if isinstance(self.screen, SiteScreen):
            self.screen.back()

    def do_quit(self) -> None:
        """The hub goes on without us."""
        self.exit()

    def action_help_quit(self) -> None:
        """Ctrl-C, which Textual leaves to the program it interrupts elsewhere."""
        self.notify("`q` leaves the terminal; the hub goes on.", markup=False)

    # The site

    def _mark_changed(self) -> None:
        self._changed = True

    def _pass_on(self) -> None:
        if self._changed:
            self._changed = False
            self._tell_screens(SiteChanged)

    def _tick(self) -> None:
        self._tell_screens(Tick)

    def _tell_screens(self, kind: type[SiteChanged] | type[Tick]) -> None:
        for screen in self._shown_screens():
            screen.post_message(kind())

    def _shown_screens(self) -> list[Screen[object]]:
        """The screen in front, and the one a dialog lies on."""
        shown: list[Screen[object]] = []
        for screen in reversed(self.screen_stack):
            shown.append(screen)
            if isinstance(screen, SiteScreen):
                break
        return shown

    # When the terminal itself fails

    def _fatal_error(self) -> None:
        """Instead of Textual's traceback with its variables: a report in a file, and its path on the screen."""
        error = self._exception or RuntimeError("unknown")
        self.crash = crash.write(error, self.session.clock.now())
        text = (
            f"The terminal failed: {type(error).__name__}. The hub goes on; nothing was changed by this.\n"
            f"Report (no secrets, no values): {self.crash}\n"
            "Start `outpost tui` again; if it fails again, send that file with a word on what you did."
        )
        self._exit_renderables.append(Text(text))
        self._close_messages_no_wait()

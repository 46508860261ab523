"""The main loop that every variant shares: both links, the console, the buffer, the commands.

As it stands it is the variant `base`, a board that is there and does nothing. A variant extends it: `kind`,
`handlers`, `tick`, and whatever else of the hooks it needs. Nothing here waits long: the line is served every
ROUND_MS, and slow work calls `breathe`.
"""

from outpost import VERSION, config
from outpost.buffer import Buffer, pack, sound
from outpost.cable_readings import CableReadings
from outpost.clock import Clock
from outpost.commands import Command, Commands
from outpost.console import Console
from outpost.health import Health
from outpost.identity import Identity
from outpost.inbox import BadMessage
from outpost.ledger import Ledger, nobody_knows
from outpost.link import Link
from outpost.log import DEBUG, Log
from outpost.port import Port
from outpost.stats import Stats

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.agent import Agent
    from outpost.setup import Setup  # noqa: F401  (for the types)
    from outpost.showing import Showing  # noqa: F401  (for the types)
    from outpost.updates import Updates  # noqa: F401  (for the types)

MESSAGE_BYTES_MAX = 4608  # a header of 4 KiB and what goes with it: no pictures come here
PROTOCOL = 1
MIN_PROTOCOL = 1
ROUND_MS = 50  # the longest wait for input, so that timers are late by no more
REPORT_MS = 60000
FAREWELL_MS = 2000  # how long a reboot waits for the hub to have its result
GOOD_TIME = ("ntp", "fixed")  # qualities of the hub's time that are fit to date readings by
BUFFER_KB_MAX = 1024
WATCHDOG_S_MIN, WATCHDOG_S_MAX = 5, 120


class Device:
    """Everything on one board. `run` does not return."""

    kind = "base"
    message_bytes = MESSAGE_BYTES_MAX  # the longest that a hub may send over the cable
    networked = True  # whether it has any use for a WiFi
    can_identify = False  # whether it has something to show that it is meant

    def __init__(self, port: Port, agent: "type[Agent] | None" = None) -> None:
        self._port = port
        self.settings = config.load(port)
        self._clock = Clock(port)
        self._log = Log(config.number(self.settings, "debug", 0, 3))
        self._health = Health(port, self._clock)
        self._identity = Identity(port)
        self._name = str(self.settings["name"])
        self._ledger = Ledger(port, self.settle_claim)
        self._buffer = Buffer(port, self._log, config.number(self.settings, "buffer_kb", 0, BUFFER_KB_MAX) * 1024)
        self._stats = Stats(self._identity, self._health, self._buffer)
        commands = self.console_commands()
        self._setup = None  # type: Setup | None
        if self.networked and port.has_radio():
            from outpost.setup import Setup

            self._setup = Setup(port, self._clock, self._log, self, self._identity.chip)
            commands["portal"] = ("open the board's own network to set it up, or: portal off", self._setup.command)
        self._console = Console(self._log, self.status, self._save, commands)
        announcement = self._identity.chip.encode() + self._identity.boot.to_bytes(4, "little")
        self._link = Link(port, self._clock, self._log, announcement, self.message_bytes)
        self._link.console = self._console
        if self._setup is not None:
            self._link.improv = self._setup.cable
        self._commands = Commands(self._ledger, self._clock, self._log, self.handlers(), self._stats)
        self._updates = None  # type: Updates | None
        if port.app:
            from outpost.update_cable import CableUpdates
            from outpost.updates import Updates

            self._updates = Updates(port, self._clock, self._log, self._busy, self._restart)
            self._cable_updates = CableUpdates(self._updates, self._online)
        panel = self.panel()
        self._showing = None  # type: Showing | None
        if panel is not None:
            from outpost.show_cable import CableShowing
            from outpost.showing import Showing

            width, height = int(str(panel["width"])), int(str(panel["height"]))
            self._showing = Showing(port, self._clock, self._log, width, height)
            self._cable_showing = CableShowing(self._showing, self._online)
        self._agent = None  # type: Agent | None
        if agent is not None:
            self._agent = agent(
                port, self._clock, self._log, self.settings, self._identity, self._ledger, self._buffer,
                self._stats, kind=self.kind, say=self._console.say, health=self.report, updates=self._updates,
                showing=self._showing, panel=panel,
            )  # fmt: skip
        self._readings = CableReadings(self._buffer, self._identity, self._log)
        self._report_ms = 0
        self._reboot_ms = None  # type: int | None

    # Hooks

    def handlers(self) -> "dict[str, Callable[[Command], None]]":
        """What each kind of command does. Asked while the device starts."""
        return {"reboot": self._reboot}

    def settle_claim(self, id: str, seq: int) -> "tuple[str, str]":
        """What came of a command that the power was cut in: `err` and evidence. Asked while the device starts."""
        return nobody_knows(id, seq)

    def tick(self) -> None:
        """Called in every round: whatever is due by the clock."""

    def apply(self, desired: "dict[str, object]") -> "dict[str, object]":
        """Be what the hub wishes; the values that are so now, which are noted as readings."""
        return {}

    def describe(self) -> "dict[str, object]":
        """What the variant adds to the report and to the console's `status`: numbers and text by name."""
        return {}

    def console_commands(self) -> "dict[str, tuple[str, Callable[[list[str]], str]]]":
        """What can be typed at its console besides: by word, what it is for, and what it does with the words behind
        it and says to that. Asked while the device starts.
        """
        return {}

    def panel(self) -> "dict[str, object] | None":
        """The screen it has, for the hello: `width`, `height` and so on. Asked while the device starts."""
        return None

    def identify(self) -> None:
        """Somebody wants to see which board this is. For one with `can_identify`."""

    def page_number(self) -> int:
        """The TCP port of a page of its own; 0: it has none."""
        return 0

    def make_room(self, on: bool) -> None:
        """The board's own network is about to open, or has closed: meanwhile a page of its own has no port."""

    def occupied(self) -> str:
        """What the variant is doing that a restart must not cut off, in a few words; '' when nothing."""
        return ""

    def greeted(self) -> None:
        """A hub on the cable has just been told who we are."""

    def news(self, now: int) -> "dict[str, object] | None":
        """A message of the variant's own that is due to the hub on the cable."""
        return None

    # For the variants

    def note(self, values: "dict[str, object]", at_ms: "int | None" = None) -> None:
        """Keep readings for the hub, of now or of an earlier `at_ms` (ms since the start). What is no number is
        counted, and left out.
        """
        spoilt = [key for key in values if not sound(values[key])]
        for _ in spoilt:
            self._stats.count("values_spoilt")
        if len(spoilt) == len(values):
            return
        try:
            now, now_us = self._clock.ms(), self.now_us()
            ms = now if at_ms is None else at_ms
            at_us = now_us - (now - ms) * 1000 if now_us else 0
            self._buffer.append(pack(self._identity.boot, ms, at_us, values))
        except (OSError, ValueError) as error:
            self._log.error("readings are lost: %r" % error)

    def now_us(self) -> int:
        """UTC by the hub's clock, in us; 0 while it has not told."""
        return self._clock.utc_us()

    def say(self, text: str) -> None:
        """Print a line at the console."""
        self._console.say(text)

    def report_soon(self) -> None:
        """Something has changed that the hub should know."""
        self._report_ms = 0

    def breathe(self, wait_ms: int = 0) -> None:
        """Serve the links and the watchdog in the middle of slow work. Runs no command."""
        self._link.service(wait_ms)
        self._health.listened()
        self._port.feed_watchdog()
        if self._agent is not None:
            self._agent.service()

    # The loop

    def run(self) -> None:
        """Serve for ever. Raises LineGone where a line can go."""
        seconds = config.number(self.settings, "watchdog_s", 0, WATCHDOG_S_MAX)
        if seconds:
            self._port.start_watchdog(max(seconds, WATCHDOG_S_MIN))
        more = False
        while True:
            self.breathe(0 if more else ROUND_MS)
            if self._link.inbox.whole:
                self._take_message()
            self._serve_agent()
            self.tick()
            more = self._updates is not None and self._updates.step()
            more = (self._showing is not None and self._showing.step()) or more
            self._tell()
            self._set_up()
            if self._console.restart:
                self._start_anew()
            self._reboot_if_due()

    def _online(self) -> bool:
        return self._agent is not None and self._agent.online

    def _set_up(self) -> None:
        """Serve whoever gives the board a WiFi; with a new one it starts anew."""
        if self._setup is not None and self._setup.tick(cable=bool(self._link.session)) and not self._console.busy:
            self._console.restart = True

    def _serve_agent(self) -> None:
        agent = self._agent
        if agent is None:
            return
        if agent.command is not None:
            agent.finish(self._commands.run(agent.command))
        desired = agent.take_desired()
        if desired is not None:
            self.note(self.apply(desired))

    def _take_message(self) -> None:
        inbox = self._link.inbox
        try:
            header, blob = inbox.message()
        except BadMessage as error:
            self._link.spoiled("a broken message: %s" % error)
            return
        kind = header.get("type")
        if kind == "command":
            self._link.send(self._commands.run(Command(header, blob, inbox.began_ms)))
        elif kind == "hello":
            self._link.send(self._hello())
            if self._updates is not None:
                self._cable_updates.offer(None)  # until this hub says what it wants
            if self._showing is not None:
                self._cable_showing.met()
            self.greeted()
        elif kind == "welcome":
            self._take_welcome(header)
        elif kind == "taken":
            self._readings.taken(header, self._clock.ms())
        elif kind == "desired" and isinstance(header.get("state"), dict):
            self.note(self.apply(header["state"]))  # type: ignore[arg-type]  # JSON: its keys are text
        else:
            self._take_answer(str(kind), header, blob)
        inbox.release()

    def _take_answer(self, kind: str, header: "dict[str, object]", blob: memoryview) -> None:
        """About its panel, or about updates."""
        if self._showing is not None and self._cable_showing.take(kind, header, blob):
            return
        if self._updates is not None:
            self._cable_updates.take(kind, header, blob)

    def _hello(self) -> "dict[str, object]":
        hello = {
            "type": "hello",
            "proto": PROTOCOL,
            "min_proto": MIN_PROTOCOL,
            "chip": self._identity.chip,
            "kind": self.kind,
            "name": self._name,
            "fw": VERSION,
            "epoch": self._identity.epoch,
            "hwm": self._ledger.hwm,
            "in_doubt": self._ledger.in_doubt,
            "rx": self._port.rx_bytes,
            "baud_max": self._port.baud_max,
            "panel": self.panel(),
            "boot": self._identity.boot,
            "uptime_ms": self._clock.ms(),
        }  # type: dict[str, object]
        if self._updates is not None and self._updates.able:
            hello["running"] = self._updates.running()
        return hello

    # What goes over the cable besides

    def _take_welcome(self, header: "dict[str, object]") -> None:
        now_us = header.get("now_us")
        if isinstance(now_us, int) and header.get("quality") in GOOD_TIME:
            self._clock.learn(now_us)
        self._readings.welcome(header, self._link.session)
        self.report_soon()

    def _tell(self) -> None:
        """News, the report, log lines and readings, one after another: only once the hub has all before."""
        if not self._link.session or not self._link.idle():
            self._show_log()
            return
        now = self._clock.ms()
        message = self.news(now)
        if message is None and now >= self._report_ms:
            self._report_ms = now + REPORT_MS
            message = {"type": "report", "health": self.report()}
        if message is None:
            message = self._log.take()
        if message is None and self._showing is not None:
            message = self._cable_showing.request(now)
        if message is None and self._updates is not None:
            message = self._cable_updates.request(now)
        if message is not None:
            self._link.send(message)
        elif self._readings.session == self._link.session and not self._online():
            batch = self._readings.batch(now)
            if batch is not None:
                self._link.send_text(batch)

    def _show_log(self) -> None:
        """With no session, and somebody looking for a fault, the log goes to the console."""
        if self._log.level >= DEBUG and not self._online():
            line = self._log.take()
            if line is not None:
                self._console.say("%s: %s" % (line["level"], line["text"]))

    def report(self) -> "dict[str, object]":
        """How the device fares: numbers and text by name."""
        report = self._stats.report()
        report.update(self.describe())
        return report

    # The console

    def status(self) -> "list[tuple[str, object]]":
        """What `status` shows, in order. No secrets."""
        shown = [
            ("id", self._identity.chip),
            ("name", self._name),
            ("kind", self.kind),
            ("fw", VERSION),
            ("device", self.settings["device_id"]),
            ("wifi", self.settings["wifi_ssid"]),
            ("hub url", self.settings["hub_url"]),
            ("own network", self._setup.status() if self._setup is not None else ""),
            ("cable", "in use" if self._link.session else "idle"),
        ]  # type: list[tuple[str, object]]
        if self._agent is not None:
            shown += sorted(self._agent.state().items())
        shown += sorted(self.report().items())
        shown.append(("last error", self._log.last_error))
        return [(name, "-" if value == "" else value) for name, value in shown]

    def _save(self, changes: "dict[str, object]") -> None:
        config.store(self._port, **changes)

    def _start_anew(self) -> None:
        """Asked for at the console; once the answer has left, and after forgetting all if that was asked too."""
        self._console.restart = False
        if self._console.factory:
            config.forget_everything(self._port)
        self._link.service(0)
        self._link.goodbye()
        self._port.reboot()

    def _busy(self) -> str:
        """What a restart would cut off, in a few words; '' when nothing."""
        if self._commands.running or self._agent is not None and self._agent.telling:
            return "a command is under way"
        if self._link.inbox.whole or self._link.session and not self._link.idle():
            return "the cable is in use"
        return "somebody is at the console" if self._console.busy else self.occupied()

    def _restart(self) -> None:
        """Into another app. Nothing is under way."""
        self._link.goodbye()
        self._port.reboot()

    def _reboot(self, command: Command) -> None:
        self._reboot_ms = self._clock.ms() + FAREWELL_MS

    def _reboot_if_due(self) -> None:
        if self._reboot_ms is None:
            return
        told = self._link.idle() and not self._online()
        if told or self._clock.ms() >= self._reboot_ms:
            self._link.goodbye()
            self._port.reboot()

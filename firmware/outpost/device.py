"""The main loop that every variant shares: both links, the console, the buffer, the commands.

As it stands it is the variant `base`, a board that is there and does nothing. A variant extends it: `kind`,
`handlers`, `tick`, and whatever else of the hooks it needs. Nothing here waits long: the line is served every
ROUND_MS, and slow work calls `breathe`.
"""

import json
import os

from outpost import VERSION, config
from outpost.buffer import Buffer, pack, sound
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

MESSAGE_BYTES_MAX = 4608  # a header of 4 KiB and what goes with it: no pictures come here
PROTOCOL = 1
MIN_PROTOCOL = 1
ROUND_MS = 50  # the longest wait for input, so that timers are late by no more
REPORT_MS = 60000
FAREWELL_MS = 2000  # how long a reboot waits for the hub to have its result
GOOD_TIME = ("ntp", "fixed")  # qualities of the hub's time that are fit to date readings by
CABLE_RECORDS = 16  # in one batch of readings; with the next number, some 2 KB of the outbox's 3
CABLE_BYTES = 1800
CABLE_RETRY_MS = 5000  # after a batch without an answer
STANDSTILL_MS = 30000  # after a batch of which the hub took nothing
BUFFER_KB_MAX = 1024
WATCHDOG_S_MIN, WATCHDOG_S_MAX = 5, 120


class Device:
    """Everything on one board. `run` does not return."""

    kind = "base"
    message_bytes = MESSAGE_BYTES_MAX  # the longest that a hub may send over the cable

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
        self._console = Console(self._log, self.status, self._save, self.console_commands())
        announcement = self._identity.chip.encode() + self._identity.boot.to_bytes(4, "little")
        self._link = Link(port, self._clock, self._log, announcement, self.message_bytes)
        self._link.console = self._console
        self._commands = Commands(self._ledger, self._clock, self._log, self.handlers(), self._stats)
        self._agent = None  # type: Agent | None
        if agent is not None:
            self._agent = agent(
                port, self._clock, self._log, self.settings, self._identity, self._ledger, self._buffer,
                self._stats, kind=self.kind, say=self._console.say, health=self.report,
            )  # fmt: skip
        self._welcome_session = 0  # the session on the cable in which the hub takes readings
        self._batch_ms = 0  # when the next batch may go out on the cable
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
        """The screen it has, for the hello."""
        return None

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
        while True:
            self.breathe(ROUND_MS)
            if self._link.inbox.whole:
                self._take_message()
            self._serve_agent()
            self.tick()
            self._tell()
            if self._console.restart:
                self._start_anew()
            self._reboot_if_due()

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
            self.greeted()
        elif kind == "welcome":
            self._take_welcome(header)
        elif kind == "taken":
            self._take_taken(header)
        elif kind == "desired" and isinstance(header.get("state"), dict):
            self.note(self.apply(header["state"]))  # type: ignore[arg-type]  # JSON: its keys are text
        inbox.release()

    def _hello(self) -> "dict[str, object]":
        return {
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
        }

    # What goes over the cable besides

    def _take_welcome(self, header: "dict[str, object]") -> None:
        now_us = header.get("now_us")
        if isinstance(now_us, int) and header.get("quality") in GOOD_TIME:
            self._clock.learn(now_us)
        self._acknowledge(header)
        self._welcome_session = self._link.session if header.get("approved") is True else 0
        self._batch_ms = 0
        self.report_soon()

    def _take_taken(self, header: "dict[str, object]") -> None:
        before = self._buffer.cursor
        self._acknowledge(header)
        if self._buffer.cursor > before:
            self._batch_ms = 0
        else:
            self._batch_ms = self._clock.ms() + STANDSTILL_MS

    def _acknowledge(self, header: "dict[str, object]") -> None:
        next_seq = header.get("next")
        if not isinstance(next_seq, int):
            return
        try:
            self._buffer.acknowledge(next_seq)
        except OSError as error:
            self._log.error("the buffer: %r" % error)

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
        if message is not None:
            self._link.send(message)
        elif self._welcome_session == self._link.session and now >= self._batch_ms:
            self._send_batch(now)

    def _send_batch(self, now: int) -> None:
        if not self._buffer.waiting() or self._agent is not None and self._agent.online:
            return
        first, dropped, payloads = self._buffer.batch(CABLE_RECORDS, CABLE_BYTES)
        if not payloads:
            return
        self._batch_ms = now + CABLE_RETRY_MS
        head = json.dumps({
            "type": "readings",
            "epoch": self._identity.epoch,
            "first": first,
            "dropped": dropped,
            "boot": self._identity.boot,
            "uptime_ms": now,
        })  # fmt: skip
        self._link.send_text(head.encode()[:-1] + b',"records":[' + b",".join(payloads) + b"]}")

    def _show_log(self) -> None:
        """With no session, and somebody looking for a fault, the log goes to the console."""
        if self._log.level >= DEBUG and (self._agent is None or not self._agent.online):
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
            forget_everything(self._port)
        self._link.service(0)
        self._link.goodbye()
        self._port.reboot()

    def _reboot(self, command: Command) -> None:
        self._reboot_ms = self._clock.ms() + FAREWELL_MS

    def _reboot_if_due(self) -> None:
        if self._reboot_ms is None:
            return
        told = self._link.idle() and (self._agent is None or not self._agent.online)
        if told or self._clock.ms() >= self._reboot_ms:
            self._link.goodbye()
            self._port.reboot()


def forget_everything(port: Port) -> None:
    """As if the board were new, but for what it is and how it is wired. Raises OSError when it can't."""
    for key in config.NVS_KEYS:
        port.forget(key)
    config.forget(port)
    for folder in config.FOLDERS:
        path = port.files + "/" + folder
        try:
            names = os.listdir(path)
        except OSError:
            continue  # there is none
        for name in names:
            os.remove(path + "/" + name)

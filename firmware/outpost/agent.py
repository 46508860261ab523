"""The device on the network: it finds the hub, proves who it is, brings commands and takes readings away.

`service` is to be called in every round of the main loop and between slices of slow work, like Link.service: it
does not wait (but for a name to be looked up), and it never runs a command, so it may be called from inside one:

    agent.service()
    if agent.command is not None:
        agent.finish(commands.run(agent.command))
    state = agent.take_desired()
"""

import json

from outpost import VERSION
from outpost.backoff import Backoff
from outpost.buffer import Buffer
from outpost.clock import Clock
from outpost.commands import Command
from outpost.discovery import Finder
from outpost.errands import PAUSE_MS_MAX, PAUSE_MS_MIN, TRIES_MAX, Errands
from outpost.http import Address, Connection, HttpError
from outpost.identity import Identity
from outpost.ledger import Ledger
from outpost.log import Log
from outpost.pairing import Tries, Trust, fields, pair, problem, trusted
from outpost.port import Port
from outpost.reporting import Reporting
from outpost.session import Busy, NotTheHub, Session, SessionOver
from outpost.sockets import tls_context
from outpost.stats import Stats
from outpost.x25519 import BadPoint

try:
    from collections.abc import Callable, Generator
except ImportError:  # MicroPython has none, and needs none
    pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.showing import Showing
    from outpost.updates import Updates

POLL_WAIT_S = 25
ANSWER_MS = 10000
POLL_MS = 35000  # the hub's wait, and ten seconds for the way
READINGS_BYTES_MAX = 2048  # of one batch: the next follows at once, and a heap in use for days has no large gaps
RESULTS_MAX = 16  # results that wait for the hub; the ledger has as many
REPEAT_MS = 500  # before polling on after a poll that brought nothing new to do
CODE_MS = 5000  # how often the code is shown
CA_FILE = "/hub_ca.der"  # under the port's files: who may vouch for an https hub


class Agent:
    """`command` is to be run by the main loop; `online` while a session stands."""

    def __init__(
        self, port: Port, clock: Clock, log: Log, settings: "dict[str, object]", identity: Identity,
        ledger: Ledger, buffer: Buffer, stats: Stats, kind: str, say: "Callable[[str], None]",
        health: "Callable[[], dict[str, object]]", updates: "Updates | None" = None,
        showing: "Showing | None" = None, panel: "dict[str, object] | None" = None,
    ) -> None:  # fmt: skip
        self.command = None  # type: Command | None
        self.online = False
        self.sleeps = False  # the board sleeps between two polls: it asks, and does not wait
        self.nothing_new = False  # the last poll of this session brought nothing to do
        self._port = port
        self._clock = clock
        self._log = log
        self._name = str(settings["name"])
        self._identity = identity
        self._ledger = ledger
        self._stats = stats
        self._updates = updates
        self._showing = showing
        self._panel = panel
        self._errands = Errands(port, clock, stats, updates, showing)
        self._slept = False  # what the hub was told of that
        self._anew = False  # it is to be met anew
        self._reporting = Reporting(identity, clock, log, buffer, health)
        self._kind = kind
        self._say = say
        self._trust = trusted(port, settings)
        self._tries = Tries(clock)
        self._finder = Finder(port, clock, str(settings["hub_url"]))
        self._results = []  # type: list[dict[str, object]]
        self._desired = None  # type: tuple[int, dict[str, object]] | None
        self._version = 0  # of the desired state that was taken
        self._sessions = 0
        self._hellos = Backoff(port, PAUSE_MS_MIN, PAUSE_MS_MAX)  # that came to nothing, one after the other
        self._state = "offline"
        self._address = ""
        self._code_ms = -CODE_MS
        self._life = self._live()

    def service(self) -> None:
        """One small step of whatever is under way."""
        if not self._port.network_up():
            if self._state != "offline":
                self._life.close()
                self._life = self._live()
                self._went("offline")
            return
        self._show_code()
        try:
            next(self._life)
        except (MemoryError, ValueError, TypeError, KeyError, RuntimeError) as error:
            self._log.error("network: %r" % error)
            self._life = self._live(PAUSE_MS_MAX)

    def finish(self, result: "dict[str, object]") -> None:
        """The command came to this. It is posted until the hub has it."""
        self.command = None
        self._results = self._results[1 - RESULTS_MAX :] + [result]
        self.service()

    def take_desired(self) -> "dict[str, object] | None":
        """What the device shall be, whole; once for each change."""
        if self._desired is None:
            return None
        self._version, state = self._desired
        self._desired = None
        return state

    @property
    def telling(self) -> bool:
        """Whether a command is under way, or the hub has not heard yet what one came to."""
        return self.command is not None or bool(self._results)

    def meet_again(self) -> None:
        """Somebody wants to know at once what there is: say hello anew, or look for the hub without a pause."""
        if self.online:
            self._anew = True
        elif self._state != "offline":
            self._life.close()
            self._life = self._live()

    @property
    def delivered(self) -> bool:
        """Whether the hub has all that there is to tell it, and has nothing new for the board."""
        told = not self.telling and not self._reporting.waiting
        return self.online and self._reporting.approved and self.nothing_new and told and not self._anew

    def state(self) -> "dict[str, object]":
        """For the console: what it is doing, with which hub, and the code to type there."""
        code = self._trust.code if self._trust is not None else ""
        return {"network": self._state, "hub": self._address, "code": code}

    # The life of it: look, meet, serve, and look again

    def _live(self, pause_ms: int = 0) -> "Generator[None, None, None]":
        while True:
            yield from self._wait(pause_ms)
            if self._trust is None and self._tries.wait_ms():
                self._went("waiting to pair")
                yield from self._wait(self._tries.wait_ms())
            self._went("looking for the hub")
            addresses = yield from self._finder.look()
            pause_ms = 0
            for address in addresses:
                asked_ms = yield from self._try(address)
                pause_ms = max(pause_ms, asked_ms)
                if self._trust is None:
                    break  # one try to pair in each search
                yield

    def _try(self, address: Address) -> "Generator[None, None, int]":
        """Be with this hub for as long as it goes; how long to wait after it, in ms."""
        pause_ms = 0
        try:
            yield from self._be_with(address)
        except NotTheHub as error:
            self._log.info("%s is left alone: %s" % (address, error))
        except Busy as busy:
            pause_ms = busy.pause_ms
        except (HttpError, OSError, BadPoint) as error:
            self._stats.count("requests_failed")
            self._log.debug("%s: %s" % (address, error))
        finally:
            self.online = False
        self._finder.bad(address)
        return pause_ms

    def _be_with(self, address: Address) -> "Generator[None, None, None]":
        tls = tls_context(self._port.files + CA_FILE) if address.tls else None
        if self._trust is None:
            self._trust = yield from self._pair(address, tls)
        trust = self._trust
        while True:
            session = Session(self._port, self._clock, address, tls, trust)
            try:
                welcome = yield from session.open(self._hello())
                self._welcomed(address, trust, welcome)
                yield from self._serve(session)
            except SessionOver as error:
                self._log.debug("the hub wants a new hello: %s" % error)
            except HttpError as error:
                if self.online:  # one that welcomes us and then answers nothing shall not be asked at every turn
                    self.online = False
                    yield from self._wait(self._hellos.next_ms())
                raise error
            finally:
                self.online = False
                session.close()
            pause_ms = self._hellos.next_ms()
            if self._hellos.failures > 1:  # the first time at once: hubs restart, and approvals end sessions
                yield from self._wait(pause_ms)
            if self._hellos.failures % TRIES_MAX == 0:
                raise HttpError("it wants one hello after the other")

    def _pair(self, address: Address, tls: "object | None") -> "Generator[None, None, Trust]":
        self._went("pairing with %s" % address)
        connection = Connection(self._port, self._clock, address, tls)
        try:
            trust = yield from pair(
                connection, self._port, self._tries, self._identity.chip, self._kind, self._name
            )
        except (HttpError, OSError):
            if self._tries.wait_ms():
                self._say("pairing failed, the next try in %d s" % (self._tries.wait_ms() // 1000))
            raise
        finally:
            connection.close()
        self._log.info("paired with %s" % address)
        return trust

    def _welcomed(self, address: Address, trust: Trust, welcome: "dict[str, object]") -> None:
        self._finder.good(address)
        self._address = str(address)
        self._reporting.welcome(welcome)
        if self._reporting.approved and trust.code:
            trust.code = ""
            trust.save(self._port)
        last = self._ledger.last()
        if last is not None and self._reporting.approved and not self._results:
            self._results = [last]  # the hub may have missed it: a power cut, or a session that ended in the middle
        self._went("with the hub" if self._reporting.approved else "waiting for approval")
        if self._sessions:
            self._stats.count("reconnects")
        self._sessions += 1
        self.online = True
        self.nothing_new = False
        if self._showing is not None:
            self._showing.met()

    def _serve(self, session: Session) -> "Generator[None, None, None]":
        """Both connections, side by side. Ends by an error only."""
        polling, posting = self._polling(session), self._posting(session)
        try:
            while True:
                next(polling)
                next(posting)
                if (self._anew or self.sleeps != self._slept) and not session.posts.asking:
                    self._anew = False
                    raise SessionOver("to be met anew")
                yield
        finally:
            polling.close()
            posting.close()

    # The poll

    def _polling(self, session: Session) -> "Generator[None, None, None]":
        pauses = Backoff(self._port, PAUSE_MS_MIN, PAUSE_MS_MAX)
        while True:
            wait_s = 0 if self.sleeps else POLL_WAIT_S
            target = "/v1/device/poll?wait=%d&desired=%d" % (wait_s, self._version) + self._errands.query()
            message = yield from self._asked(session, session.polls, "GET", target, b"", POLL_MS, pauses)
            if message is None:
                continue
            self._hellos.reset()
            self._reporting.learn(message)
            offered = bool(message) and self._errands.take(message, self._reporting.approved)
            taken = bool(message) and self._take(message)
            said = (message.get("command"), message.get("desired"))
            self.nothing_new = bool(message) and not offered and said == (None, None)
            if not taken and not offered:
                yield from self._wait(REPEAT_MS)

    def _take(self, message: "dict[str, object]") -> bool:
        """Keep what the poll brought; False when it is better to wait a little before the next."""
        header, desired = message.get("command"), message.get("desired")
        if isinstance(desired, dict):
            version, state = desired.get("version"), desired.get("state")
            if isinstance(version, int) and isinstance(state, dict) and version != self._version:
                self._desired = (version, state)
        if not isinstance(header, dict):
            return self._desired is None  # the main loop takes it first, so that the next poll says so
        if self.command is not None:
            return False  # it is being done
        self._log.debug("command %s: %s" % (header.get("id"), header.get("kind")))
        self.command = Command(header, memoryview(b""), self._clock.ms())
        return True

    # The posts

    def _posting(self, session: Session) -> "Generator[None, None, None]":
        """Results first, then what the device has to say; then a batch of readings and an errand, in turn."""
        pauses = Backoff(self._port, PAUSE_MS_MIN, PAUSE_MS_MAX)
        while True:
            session.posts.look()
            if self._results:
                result = self._results[0]
                message = yield from self._posted(session, "result", json.dumps(result).encode(), pauses)
                if message is not None and result in self._results:
                    self._results.remove(result)
                continue
            report = self._reporting.report()
            if report is not None:
                message = yield from self._posted(session, "report", json.dumps(report).encode(), pauses)
                if message is not None:
                    self._reporting.reported()
                continue
            batch = self._reporting.batch(READINGS_BYTES_MAX)
            if batch is not None:
                message = yield from self._posted(session, "readings", batch, pauses)
                if message == {}:
                    self._reporting.spoiled()
                elif message is not None:
                    self._reporting.taken(message)
            asked = yield from self._errands.run(session, pauses)
            if batch is None and not asked:
                yield

    def _posted(
        self, session: Session, what: str, body: bytes, pauses: Backoff
    ) -> "Generator[None, None, dict[str, object] | None]":
        message = yield from self._asked(
            session, session.posts, "POST", "/v1/device/" + what, body, ANSWER_MS, pauses
        )
        return message

    def _asked(
        self, session: Session, connection: Connection, method: str, target: str, body: bytes, patience_ms: int,
        pauses: Backoff,
    ) -> "Generator[None, None, dict[str, object] | None]":  # fmt: skip
        """The answer's object; empty when the hub will never take it; None after a failure and a pause.

        Raises HttpError when it has failed too often, and what else Session.ask does.
        """
        try:
            answer = yield from session.ask(connection, method, target, body, patience_ms)
        except HttpError:
            self._stats.count("requests_failed")
            if pauses.failures + 1 >= TRIES_MAX:
                raise
            yield from self._wait(pauses.next_ms())
            return None
        if answer.status == 200:
            self._stats.count("requests_ok")
            pauses.reset()
            return fields(answer)
        self._stats.count("requests_failed")
        self._log.error("%s: %d %s" % (target.split("?")[0], answer.status, problem(answer)))
        if answer.status < 500:
            return {}
        yield from self._wait(pauses.next_ms())
        return None

    # Small things

    def _hello(self) -> "dict[str, object]":
        hello = {
            "chip": self._identity.chip,
            "kind": self._kind,
            "fw": VERSION,
            "name": self._name,
            "epoch": self._identity.epoch,
            "hwm": self._ledger.hwm,
            "in_doubt": self._ledger.in_doubt,
            "boot": self._identity.boot,
            "uptime_ms": self._clock.ms(),
            "sleeps": self.sleeps,
        }  # type: dict[str, object]
        self._slept = self.sleeps
        if self._panel is not None:
            hello["panel"] = self._panel
        if self._updates is not None and self._updates.able:
            hello["running"] = self._updates.running()
        return hello

    def _wait(self, ms: int) -> "Generator[None, None, None]":
        until = self._clock.ms() + ms
        while self._clock.ms() < until:
            yield

    def _went(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self._log.debug("network: " + state)

    def _show_code(self) -> None:
        """Somebody reads it off here and types it at the hub."""
        if self._trust is None or not self._trust.code or self._clock.ms() - self._code_ms < CODE_MS:
            return
        self._code_ms = self._clock.ms()
        self._say("pairing code %s" % self._trust.code)

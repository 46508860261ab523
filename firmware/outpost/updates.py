"""What a device knows of its own firmware, and how it stands with what it is offered.

The links ask in every round what there is to ask the hub (`request`), and bring the answers; neither side knows the
other, so an update goes on over whichever link there is, and from where it stopped. `step` does one small piece of
work. What takes memory is loaded with the first offer only (outpost.updater).

How an update ended is kept until the hub has heard it, and is told again when the same is offered again: it is not
tried once more until the hub counts another attempt.
"""

import gc
import json

from outpost import config
from outpost.clock import Clock
from outpost.log import Log
from outpost.port import Port
from outpost.request import Request
from outpost.slots import Slots, artifact_in, key_ids, micropython

try:
    from collections.abc import Callable, Generator
except ImportError:  # MicroPython has none, and needs none
    pass

CONFIRM_MS = 90000  # from the start of an app on trial until the hub has said that it is well
TESTING_MS = 5000  # how often the hub is asked whether it is
SLICE_MS = 20  # of work, between two rounds of the main loop
REASON_CHARS = 200
PAUSE_MS_MIN = 30000  # after an attempt that failed, twice as long after each more
PAUSE_MS_MAX = 600000
HEX = "0123456789abcdef"
KINDS = ("app", "esp-image")
TESTING, CONFIRMED, ALREADY, ROLLED_BACK = "testing", "confirmed", "already", "rolled-back"


class Updates:
    """One device's. `able`: it has two folders, and so can be updated. `mark`: which offer it knows of.

    `busy` says what must not be cut off by a restart, '' when nothing; `restart` does not return.
    """

    def __init__(
        self, port: Port, clock: Clock, log: Log, busy: "Callable[[], str]", restart: "Callable[[], None]"
    ) -> None:
        self.mark = ""
        self._port = port
        self._clock = clock
        self._log = log
        self.busy = busy
        self.restart = restart
        self.slots = Slots(port)
        self.able = bool(self.slots.id)
        self.switched = False  # the next start is another: nothing stops it now
        self._offer = None  # type: dict[str, object] | None
        self._news = None  # type: Request | None
        self._refused = False  # the hub would not hear the last one
        self._want = None  # type: Request | None
        self._piece = None  # type: tuple[int, bytes] | None
        self._error = ""
        self._confirmed = False
        self._life = None  # type: Generator[bool, None, None] | None
        self._failures = 0
        self._not_before_ms = 0
        self._record = _stored(port, "update")  # what was begun last
        self._ended = _stored(port, "ended")  # how the last one ended
        image = _stored(port, "image")  # the last that was confirmed here
        self._image = str(image["artifact"]) if image.get("slot") == port.image_running() else ""
        self.image_security = _count(image, "security")  # of the last: less is never taken again
        if self.able:
            try:
                self._look_back()
            except OSError as error:
                log.error("update: %r" % error)

    # For the links

    def running(self) -> "dict[str, object]":
        """What runs here, for the hello."""
        return {
            "app": self.slots.id,
            "image": self._record["artifact"] if self._image_on_trial() else self._image,
            "version": self.slots.version,
            "security": self.slots.security,
            "image_security": self.image_security,
            "trial": self.slots.trial or self._image_on_trial(),
            "chip": self._port.chip_kind,
            "micropython": "%d.%d" % micropython(),
            "keys": key_ids(self.slots.folder),
        }

    def offer(self, said: "object") -> bool:
        """What the hub wants run here, or None; whether that is news."""
        offer = _sound(said)
        mark = "" if offer is None else "%s-%s" % (str(offer["artifact"])[:16], offer["attempt"])
        if mark == self.mark or not self.able:
            return False
        self.mark = mark
        self._offer = offer
        if not self.switched and not self._testing():
            self._begin()
        return True

    def request(self) -> "Request | None":
        """What to ask the hub next. The same object until it is answered, or no longer wanted."""
        return self._news or self._want

    def heard(self, request: "Request | None", message: "dict[str, object]") -> None:
        """The hub has what was told. Over the cable nothing but the message says what that was."""
        news = self._news
        if news is None or news.told is None or request is not None and request is not news:
            return
        artifact, step = news.told["artifact"], news.told["step"]
        if message.get("artifact") != artifact or message.get("step") != step:
            return
        self._news = None
        if step == TESTING and message.get("confirm") is True:
            self._confirmed = True
        if (artifact, step) == (self._ended.get("artifact"), self._ended.get("step")) and not self._ended["told"]:
            self._ended["told"] = True
            self._keep("ended", self._ended)

    def not_heard(self, request: Request) -> None:
        """The hub will never hear that: it is not what it has offered."""
        if request is self._news:
            self._news = None
            self._refused = True
            if self._ended and not self._ended["told"]:
                self._ended["told"] = True
                self._keep("ended", self._ended)

    def piece(self, request: "Request | None", message: "dict[str, object]", data: bytes) -> None:
        """Bytes that were asked for, or `err`. Over the cable nothing but the message says which."""
        wanted = self._want
        if wanted is None or wanted.fetch is None or request is not None and request is not wanted:
            return
        for key in ("artifact", "what", "start"):
            if message.get(key) != wanted.fetch[key]:
                return
        self._want = None
        total = message.get("total")
        if message.get("err") or not isinstance(total, int):
            self._error = str(message.get("err") or "no total")
        else:
            self._piece = (total, data)

    def step(self) -> bool:
        """Some milliseconds of what there is to do; whether there is more. To be called between commands only."""
        if self._life is None:
            return False
        until = self._clock.ms() + SLICE_MS
        try:
            while next(self._life):
                if self._clock.ms() >= until:
                    return True
        except StopIteration:
            self._life = None
        except OSError as error:
            self._log.error("update: %r" % error)
            self._life = self._later()
        except Exception as error:
            if self.switched or self._testing():
                raise
            self._life = None  # such as memory: what the board does besides goes on
            gc.collect()
            self.end("failed", "%s: %s" % (type(error).__name__, error))
        return False

    @property
    def under_way(self) -> bool:
        """Whether there is anything to do or to tell about one: a board that sleeps stays awake for it."""
        return self._life is not None or self._news is not None

    # For the work itself

    def tell(self, step: str, done: int = 0, reason: str = "") -> None:
        """Tell the hub how far it is with the offer; what was to be told before is of no use any more."""
        self._say(self._record, step, done, reason)

    def telling(self) -> bool:
        """Whether the hub has not heard the last yet."""
        return self._news is not None

    @property
    def refused(self) -> bool:
        """Whether it would not hear the last."""
        return self._refused

    def fetch(self, what: str, start: int, most: int) -> None:
        """Ask for a piece of the offer's manifest, its signatures, or a file, by its hash."""
        self._piece, self._error = None, ""
        artifact = self._record["artifact"]
        self._want = Request(None, {"artifact": artifact, "what": what, "start": start, "most": most})

    def fetched(self) -> "tuple[int, bytes] | None":
        """The whole's size and the piece, once it is there. Raises ValueError with what the hub says instead."""
        if self._error:
            error, self._error = self._error, ""
            raise ValueError(error)
        piece, self._piece = self._piece, None
        return piece

    def note(self, **facts: "object") -> None:
        """Keep more of what is under way. Raises OSError."""
        self._record.update(facts)
        self._port.save("update", json.dumps(self._record).encode())

    def is_switched(self) -> None:
        """The next start is another, and nothing stops it now."""
        self.switched = True
        self._record["switched"] = True
        self._keep("update", self._record)

    def end(self, step: str, reason: str = "") -> None:
        """So it ended. Kept, and told until the hub has heard it."""
        if step in ("failed", "rejected"):
            self._log.error("update %s: %s" % (step, reason))
        if step == "failed":
            self._not_before_ms = self._clock.ms() + min(PAUSE_MS_MIN << min(self._failures, 8), PAUSE_MS_MAX)
            self._failures += 1
        ended = {key: self._record.get(key, 0) for key in ("artifact", "attempt", "size")}
        ended.update({"step": step, "reason": reason[:REASON_CHARS], "told": False})
        self._ended = ended
        self._want = None
        self._keep("ended", ended)
        self._say(ended, step, 0, reason)

    def wait(self, ms: int) -> "Generator[bool, None, None]":
        """So long."""
        until = self._clock.ms() + ms
        while self._clock.ms() < until:
            yield False

    # Lives

    def _look_back(self) -> None:
        """At the start: how what was begun before it has gone on."""
        follow_app(self._port, self.slots)
        why = self.slots.went_back()
        if why:
            artifact = artifact_in(self.slots.other) or self._record.get("artifact", "")
            self._record = dict(self._record, artifact=artifact)
            self.end(ROLLED_BACK, why)
            self.slots.reported()
        if self.slots.trial:
            if self._record.get("artifact") != self.slots.id:  # put on trial by hand
                self._record = {"artifact": self.slots.id, "attempt": 1, "size": 0}
            self._life = self._try_out()
        elif self._image_on_trial():
            self._record["switched"] = True  # also where the power went just after it
            self._keep("update", self._record)
            self._life = self._try_out()
        elif why:
            return
        elif self._record.get("to") and self._record.get("switched"):
            reason = (self._port.load("why") or b"").decode() or self._port.reset_cause() or "it did not start"
            self.end(ROLLED_BACK, reason)
            self.note(to="")
        else:
            if self._ended and not self._ended["told"]:
                self._say(self._ended, str(self._ended["step"]), 0, str(self._ended["reason"]))
            if self._record.get("to"):
                self.note(to="")  # the power went just before the switch: it is begun anew with the offer

    def _begin(self) -> None:
        if self._life is not None:
            self._life.close()
            self._life = None
        self._want = None
        self._news = None
        offer, ended = self._offer, self._ended
        same = bool(ended) and offer is not None and ended["artifact"] == offer["artifact"]
        done = same and offer is not None and _count(ended, "attempt") >= _count(offer, "attempt")
        if done and ended["step"] in (CONFIRMED, ALREADY) and not self._runs(str(ended["artifact"])):
            done = False  # somebody has put another there since, over the cable
        if ended and (done or not ended["told"]):
            self._say(ended, str(ended["step"]), 0, str(ended["reason"]))
        if offer is not None and not done:
            self._life = self._bring(offer)

    def _bring(self, offer: "dict[str, object]") -> "Generator[bool, None, None]":
        """All that one offer asks for, up to the restart."""
        while self.telling():
            yield False  # how the one before it ended
        while self._clock.ms() < self._not_before_ms:
            yield False
        self._record = dict(offer)
        if self._runs(str(offer["artifact"])):
            self.end(ALREADY)
            return
        self.note(to="")
        from outpost.updater import Update

        yield from Update(self._port, self._clock, self, offer).steps()

    def _later(self) -> "Generator[bool, None, None]":
        """The flash would not keep what was to be kept: look again in a while."""
        yield from self.wait(PAUSE_MS_MIN)
        if self._offer is not None:
            yield from self._bring(self._offer)

    def _try_out(self) -> "Generator[bool, None, None]":
        """On trial: ask the hub whether all is well, for as long as there is time; else back."""
        due_ms, heard = 0, False
        while not self._confirmed:
            now = self._clock.ms()
            if now >= CONFIRM_MS:
                self.slots.give_up("not well at its hub in 90 s" if heard else "no hub in 90 s")
                while self.busy():
                    yield False
                self.restart()
            if not self.telling():
                heard = due_ms > 0
                if now >= due_ms:
                    due_ms = now + TESTING_MS
                    self.tell(TESTING)
            yield False
        self.slots.confirm()
        self._port.confirm_image()
        if self._image_on_trial():
            self._image, self.image_security = str(self._record["artifact"]), _count(self._record, "security")
            image = {"artifact": self._image, "slot": self._record["to"], "security": self.image_security}
            self._port.save("image", json.dumps(image).encode())
            self.note(to="")
        follow_app(self._port, self.slots)
        self.end(CONFIRMED)
        if self._offer is not None and self._offer["artifact"] != self._record["artifact"]:
            yield from self._bring(self._offer)

    # Small things

    def _runs(self, artifact: str) -> bool:
        return artifact in (self.slots.id, self._image)

    def _testing(self) -> bool:
        return self.slots.trial or self._image_on_trial()

    def _image_on_trial(self) -> bool:
        return bool(self._record.get("to")) and self._record["to"] == self._port.image_running()

    def _say(self, about: "dict[str, object]", step: str, done: int, reason: str) -> None:
        told = {
            "artifact": about.get("artifact", ""),
            "step": step,
            "attempt": about.get("attempt", 1),
            "done": done,
            "size": about.get("size", 0),
            "reason": reason[:REASON_CHARS],
        }  # type: dict[str, object]
        self._refused = False
        self._news = Request(told, None)

    def _keep(self, key: str, value: "dict[str, object]") -> None:
        try:
            self._port.save(key, json.dumps(value).encode())
        except OSError as error:
            self._log.error("update: %r" % error)  # until the next start it is known all the same


def follow_app(port: Port, slots: Slots) -> None:
    """The setting says what the board is; the app that is confirmed says it better. Raises OSError."""
    if slots.target and not slots.trial and config.load(port)["variant"] != slots.target:
        config.store(port, variant=slots.target)


def _sound(said: "object") -> "dict[str, object] | None":
    """The offer's fields; None when it is none."""
    if not isinstance(said, dict):
        return None
    artifact, kind = said.get("artifact"), said.get("kind")
    size, attempt = said.get("size"), said.get("attempt", 1)
    if not isinstance(artifact, str) or len(artifact) != 64 or kind not in KINDS:
        return None
    if not isinstance(size, int) or not isinstance(attempt, int) or [c for c in artifact if c not in HEX]:
        return None
    return {"artifact": artifact, "kind": kind, "size": size, "attempt": attempt}


def _count(about: "dict[str, object]", key: str) -> int:
    count = about.get(key)
    return count if isinstance(count, int) else 0


def _stored(port: Port, key: str) -> "dict[str, object]":
    """A record from non-volatile storage; empty when there is none that can be read."""
    stored = port.load(key)
    if stored is None:
        return {}
    try:
        value = json.loads(stored)
    except ValueError:
        return {}
    return value if isinstance(value, dict) and "artifact" in value else {}

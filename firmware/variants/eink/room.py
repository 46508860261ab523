"""What the e-paper board notices around it: temperature and humidity, somebody who moves, tags, its button."""

from outpost.clock import Clock
from outpost.log import Log
from outpost.port import Port

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

MEASURED = ("temperature", "humidity")
FIRST_MS = 2000  # a DHT22 wants so long from its power on
HOLD_MS = 50  # for which button and motion sensor have to say the same
LONG_MS = 2000  # of a press
SHORT, LONG = "short", "long"
TAG_GONE_MS = 1500  # without it, until the same tag counts as presented anew
READER_MS = 30000  # until a reader that did not answer is looked for again


class Held:
    """An input that counts as another once it has said the same for HOLD_MS. `on` is what counts."""

    def __init__(self, on: bool) -> None:
        self.on = on
        self.since_ms = 0
        self._says = on

    def changed(self, says: bool, now: int) -> bool:
        """Take what it says now; whether another counts from here on."""
        if says != self._says:
            self._says, self.since_ms = says, now
        if says == self.on or now - self.since_ms < HOLD_MS:
            return False
        self.on = says
        return True


class Room:
    """One board's. `note` keeps readings; `measured`: it has measured since its start."""

    def __init__(
        self, port: Port, clock: Clock, log: Log, read_ms: int, note: "Callable[[dict[str, object]], None]"
    ) -> None:
        self._port = port
        self._clock = clock
        self._log = log
        self._read_ms = read_ms
        self._note = note
        self._due_ms = FIRST_MS
        self.measured = False
        self._motion = None  # type: Held | None
        self._button = Held(False)
        self._is_long = False
        self._reader = port.tag_reader()
        self._reader_ms = 0
        self._reader_told = False
        self._tag = ""
        self._tag_ms = 0
        if port.woken_by() == "motion":
            note({"motion": True})  # it may have gone again by now

    @property
    def active(self) -> bool:
        """Whether somebody is at it just now."""
        return self._button.on or bool(self._tag)

    def tick(self) -> str:
        """A round; SHORT or LONG when its button has just been pressed so, else ''."""
        now = self._clock.ms()
        says = self._port.read_inputs()
        if "motion" in says:
            self._look_for_motion(says["motion"], now)
        self._look_for_tag(now)
        if now >= self._due_ms:
            self._due_ms = now + self._read_ms
            self._measure()
        return self._pressed(says.get("button", False), now)

    def _measure(self) -> None:
        self._port.begin_measuring()
        values = self._port.measured()
        found = {key: values[key] for key in MEASURED if key in values}
        if self._motion is not None:
            found["motion"] = self._motion.on
        self._note(found)
        self.measured = True

    def _look_for_motion(self, says: bool, now: int) -> None:
        if self._motion is None:
            self._motion = Held(False)
        if self._motion.changed(says, now):
            self._note({"motion": self._motion.on})

    def _pressed(self, says: bool, now: int) -> str:
        changed = self._button.changed(says, now)
        if self._button.on:
            if not self._is_long and now - self._button.since_ms >= LONG_MS:
                self._is_long = True
                return LONG
            return ""
        was_long, self._is_long = self._is_long, False
        return SHORT if changed and not was_long else ""

    def _look_for_tag(self, now: int) -> None:
        """A tag is told once for each time that it is presented."""
        if self._reader is None or now < self._reader_ms:
            return
        try:
            tag = self._reader.look(now)
        except OSError as error:
            self._reader_ms = now + READER_MS
            if not self._reader_told:
                self._reader_told = True
                self._log.info("no reader of tags answers: %s" % error)
            return
        if tag:
            if tag != self._tag:
                self._note({"nfc": tag})
            self._tag, self._tag_ms = tag, now
        elif tag is not None and now - self._tag_ms >= TAG_GONE_MS:
            self._tag = ""

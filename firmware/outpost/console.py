"""What a person, or a script, types on the serial line between the frames: status, WiFi and hub, restart.

It looks at the same bytes as the link. Text is what stands between two frames and holds nothing but printable
characters: no frame a hub sends is taken for it, since the second byte of each is none. A line ends with CR or LF.
Nothing is echoed before its line has ended, so half a line never stands between two frames; secrets are not echoed.
"""

from outpost import config, rules
from outpost.log import TRACE, Log

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

LINE_BYTES_MAX = 256
DIALOGUE_MS = 120000  # without a line for so long a dialogue is given up
OUT_LINES_MAX = 80  # said and not printed yet: a status is under 50
QUIET_MS = 30000  # after a line, for somebody to read what it brought
TRIES_MAX = 3  # wrong answers to one question
BACKSPACES = (8, 127)
CR, LF = 13, 10
TAB = 9
KEEP, FORGET = "", "-"  # answers that leave a setting as it is, or empty it
HELP = (
    "status     how the device is",
    "provision  give it its WiFi and its hub",
    "debug N    0 errors only ... 3 everything",
    "reset      start anew",
    "factory    forget everything, and start anew",
    "help       this",
)


QUESTIONS = (
    ("Enter Device ID:", "device_id", rules.device_id, rules.ID_RULE),
    ("Enter Device Token:", "device_token", rules.token, rules.TOKEN_RULE),
    ("API URL (http://hub:8080):", "hub_url", rules.url, rules.URL_RULE),
    ("WiFi name:", "wifi_ssid", rules.ssid, rules.SSID_RULE),
    ("WiFi password:", "wifi_password", rules.password, rules.PASSWORD_RULE),
)
"""In this order. Enter alone leaves what there is, - empties it: without id and token the device pairs."""


class Console:
    """Bytes in, lines to print out. `restart` and `factory` are set when somebody asked for it, and said yes."""

    def __init__(
        self,
        log: Log,
        status: "Callable[[], list[tuple[str, object]]]",
        save: "Callable[[dict[str, object]], None]",
        more: "dict[str, tuple[str, Callable[[list[str]], str]]] | None" = None,
    ) -> None:
        self._log = log
        self._status = status  # what `status` shows, in order; no secrets
        self._save = save  # stores settings, in one commit. Raises OSError
        self._more = more or {}  # the variant's own commands: what each is for, and what it does
        self._line = bytearray()
        self._is_text = True
        self._too_long = False
        self._after_cr = False
        self._out = []  # type: list[str]
        self._answers = {}  # type: dict[str, object]
        self._asked = None  # type: int | None  # the question that is open
        self._tries = 0
        self._confirming = ""  # what waits for a yes
        self._until_ms = 0
        self._quiet_until_ms = 0
        self.restart = False
        self.factory = False

    @property
    def busy(self) -> bool:
        """Whether somebody is in the middle of a dialogue."""
        return self._asked is not None or bool(self._confirming)

    def quiet(self, now: int) -> bool:
        """Whether somebody is here, who wants to read: then nothing is said that nobody asked for."""
        return self.busy or now < self._quiet_until_ms

    def feed(self, data: bytes, now: int) -> "list[str]":
        """Take bytes as they came from the line; the lines to print."""
        if self.busy and now >= self._until_ms:
            self._leave("given up: nobody answered")
        for byte in data:
            self._take(byte, now)
        out, self._out = self._out, []
        return out

    def say(self, text: str) -> None:
        """Print a line with the next ones. The oldest goes when nobody prints them."""
        del self._out[: len(self._out) + 1 - OUT_LINES_MAX]
        self._out.append(text)

    # Bytes

    def _take(self, byte: int, now: int) -> None:
        after_cr, self._after_cr = self._after_cr, byte == CR
        if byte == 0:  # a frame begins or ends
            self._is_text = True
            self._line = bytearray()
            self._too_long = False
        elif not self._is_text:
            return
        elif byte == CR or byte == LF:
            if byte == CR or not after_cr:  # CR LF is one end
                self._end_line(now)
        elif byte in BACKSPACES:
            self._line = self._line[:-1]
        elif byte < 32 and byte != TAB:
            self._is_text = False
        elif len(self._line) < LINE_BYTES_MAX:
            self._line.append(byte)
        else:
            self._too_long = True

    def _end_line(self, now: int) -> None:
        line, self._line = bytes(self._line), bytearray()
        too_long, self._too_long = self._too_long, False
        if too_long:
            self.say("that line is too long")
            return
        try:
            text = line.decode().strip()
        except ValueError:
            return  # noise
        self._until_ms = now + DIALOGUE_MS
        self._quiet_until_ms = now + QUIET_MS
        if self._asked is not None:
            self._answer(text)
        elif self._confirming:
            self._confirm(text)
        elif text:
            self.say("> " + text)
            self._command(text)

    # Commands

    def _command(self, text: str) -> None:
        words = text.lower().split()
        if words[0] == "status":
            for name, value in self._status():
                self.say("%s: %s" % (name, value))
        elif words[0] == "provision":
            self._answers = {}
            self._ask(0)
        elif words[0] == "debug":
            self._debug(words[1:])
        elif words[0] in ("reset", "factory"):
            self._confirming = words[0]
            self.say("Forget everything? (yes)" if words[0] == "factory" else "Start anew? (yes)")
        elif words[0] == "help":
            for line in HELP:
                self.say(line)
            for word in sorted(self._more):
                self.say("%-10s %s" % (word, self._more[word][0]))
        elif words[0] in self._more:
            self.say(self._more[words[0]][1](words[1:]))
        else:
            self.say("unknown; try help")

    def _debug(self, words: "list[str]") -> None:
        level = int(words[0]) if len(words) == 1 and words[0].isdigit() else -1
        if not 0 <= level <= TRACE:
            self.say("debug 0 to %d" % TRACE)
            return
        self._log.level = level
        self._store({"debug": level})

    def _confirm(self, text: str) -> None:
        wanted, self._confirming = self._confirming, ""
        if text.lower() != "yes":
            self.say("left as it is")
            return
        self.restart = True
        self.factory = wanted == "factory"
        self.say("starting anew")

    # The dialogue

    def _ask(self, number: int) -> None:
        self._asked = number
        self._tries = 0
        self.say(QUESTIONS[number][0])

    def _answer(self, text: str) -> None:
        assert self._asked is not None
        prompt, key, fits, rule = QUESTIONS[self._asked]
        if key in config.SECRETS:
            self.say("> " + "*" * min(len(text), 8))
        else:
            self.say("> " + text)
        if text == FORGET:
            self._answers[key] = ""
        elif text != KEEP:
            if not fits(text):
                self._wrong(prompt, rule)
                return
            self._answers[key] = text
        if self._asked + 1 < len(QUESTIONS):
            self._ask(self._asked + 1)
            return
        self._asked = None
        if self._store(self._answers):
            self.restart = True
            self.say("starting anew")
        self._answers = {}

    def _wrong(self, prompt: str, rule: str) -> None:
        self._tries += 1
        if self._tries >= TRIES_MAX:
            self._leave("given up: nothing is changed")
            return
        self.say("that does not do: " + rule)
        self.say(prompt)

    def _leave(self, why: str) -> None:
        self._asked = None
        self._confirming = ""
        self._answers = {}
        self.say(why)

    def _store(self, changes: "dict[str, object]") -> bool:
        try:
            self._save(changes)
        except OSError as error:
            self.say("it could not be stored: %r" % error)
            return False
        self.say("stored")
        return True

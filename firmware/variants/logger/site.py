"""The logger's own small site: which path shows what, and the form that changes its settings.

Settings can be seen by everybody on the network, and changed with the code that the board shows on its OLED and at
its console; without a code by nobody.
"""

from outpost import config
from outpost.port import Port
from outpost.server import Answer, Request, escaped, form, said
from variants.logger.lock import Lock
from variants.logger.page import HTML, events, framed, home, status
from variants.logger.wiring import INPUTS_MAX, NO_PIN, plain, unfit
from variants.logger.words import Board

try:
    from collections.abc import Callable, Iterator
except ImportError:  # MicroPython has none, and needs none
    pass

DEBOUNCE_MS_MAX = 5000
HEARTBEAT_S_MIN, HEARTBEAT_S_MAX = 10, 3600


class Wrong(Exception):
    """What was typed does not do; the text says why."""


class Site:
    """`restart` is set when settings were changed: they are in force after the next start."""

    def __init__(
        self, port: Port, settings: "dict[str, object]", lock: Lock, board: "Callable[[], Board]",
        facts: "Callable[[], dict[str, object]]",
    ) -> None:  # fmt: skip
        self._port = port
        self._settings = settings
        self._lock = lock
        self._board = board
        self._facts = facts
        self.restart = False

    def answer(self, request: Request) -> Answer:
        """What the server asks for."""
        if request.method == "POST":
            if request.path == "/settings":
                return self._change(request.body)
            return said(405, "Nothing to change here.")
        if request.path == "/":
            return home(self._board())
        if request.path in ("/status", "/assets"):
            return status(self._board(), self._facts())
        if request.path == "/events":
            return events(self._board())
        if request.path == "/settings":
            return self._settings_page(200, "")
        return said(404, "There is /, /status, /events and /settings.")

    def _change(self, body: bytes) -> Answer:
        if not self._lock.code:
            return said(403, "No code is set, so nothing can be changed. Type page_code at the board's console.")
        if self._lock.wait_s():
            return said(429, "The last code was wrong. Try again in %d s." % self._lock.wait_s())
        try:
            fields = form(body)
        except ValueError:
            return said(400, "That is no form.")
        if not self._lock.opens(fields.get("code", "")):
            return said(403, "That is not the code on the board's screen.")
        try:
            changed = changes(fields)
            self._spare_oled(changed["run_pins"])
            config.store(self._port, **changed)
        except Wrong as wrong:
            return self._settings_page(400, str(wrong))
        except OSError as error:
            return self._settings_page(400, "It could not be stored: %s. Shorter names take less room." % error)
        self.restart = True
        return Answer(303, "text/plain", (b"Stored. The board starts anew.\n",), to="/")

    def _spare_oled(self, pins: object) -> None:
        """Raises Wrong when an input would take one of the OLED's pins, and the OLED would go dark."""
        for key in ("oled_sda", "oled_scl"):
            pin = self._settings[key]
            if pin != NO_PIN and isinstance(pins, list) and pin in pins:
                raise Wrong("Pin %s is the OLED's." % pin)

    def _settings_page(self, status: int, wrong: str) -> Answer:
        return Answer(status, HTML, framed("Settings of " + self._board().title, self._form(wrong)))

    def _form(self, wrong: str) -> "Iterator[str]":
        settings = self._settings
        if wrong:
            yield '<p class="stopped">%s</p>' % escaped(wrong)
        yield '<form method="post" action="/settings" autocomplete="off">'
        yield "<fieldset>" if self._lock.code else "<fieldset disabled>"
        yield "<table><tr><th>Input<th>Name<th>Pin<th>Runs when</tr>"
        for i in range(INPUTS_MAX):
            name, pin, level = [_at(settings, key, i) for key in ("run_names", "run_pins", "run_levels")]
            yield _input_row(i + 1, name, pin, level)
        yield "</table>"
        for key, text in (("debounce_ms", "Debounce, ms"), ("heartbeat_s", "Heartbeat, s")):
            yield '<p><label>%s <input name="%s" value="%s"></label></p>' % (text, key, escaped(settings[key]))
        if self._lock.code:
            yield '<p><label>Code on the board\'s screen <input name="code" inputmode="numeric"></label></p>'
            yield "<p><button>Store, and start anew</button></p>"
        else:
            yield "<p>Nothing can be changed here: no code is set.</p>"
        yield '</fieldset></form><p><a href="/">Machines</a></p>'


def changes(fields: "dict[str, str]") -> "dict[str, object]":
    """The settings that a form asks for. Raises Wrong."""
    names, pins, levels = [], [], []  # type: list[str], list[int], list[int]
    for number in range(1, INPUTS_MAX + 1):
        names.append(plain(fields.get("name%d" % number, "")))
        pins.append(_pin(number, fields.get("pin%d" % number, "").strip(), pins))
        levels.append(1 if fields.get("level%d" % number) == "1" else 0)
    return {
        "run_names": names,
        "run_pins": pins,
        "run_levels": levels,
        "debounce_ms": _number(fields, "debounce_ms", 0, DEBOUNCE_MS_MAX),
        "heartbeat_s": _number(fields, "heartbeat_s", HEARTBEAT_S_MIN, HEARTBEAT_S_MAX),
    }


def _pin(number: int, text: str, before: "list[int]") -> int:
    if not text:
        return NO_PIN
    pin = int(text) if text.isdigit() and len(text) < 3 else text  # type: int | str
    why = unfit(pin) or (pin in before and "it is in use")
    if why or not isinstance(pin, int):
        raise Wrong("in%d can't be on pin %s: %s." % (number, text, why))
    return pin


def _number(fields: "dict[str, str]", key: str, least: int, most: int) -> int:
    text = fields.get(key, "").strip()
    if not text.isdigit() or len(text) > 6 or not least <= int(text) <= most:
        raise Wrong("%s is a whole number from %d to %d." % (key, least, most))
    return int(text)


def _at(settings: "dict[str, object]", key: str, place: int) -> object:
    values = settings[key]
    return values[place] if isinstance(values, list) and place < len(values) else ""


def _input_row(number: int, name: object, pin: object, level: object) -> str:
    high, low = (" selected", "") if level == 1 else ("", " selected")
    return (
        '<tr><td>in%d<td><input name="name%d" maxlength=24 value="%s"><td><input name="pin%d" size=3 value="%s">'
        '<td><select name="level%d"><option value="0"%s>low<option value="1"%s>high</select></tr>'
    ) % (number, number, escaped(name), number, "" if pin == NO_PIN else escaped(pin), number, low, high)

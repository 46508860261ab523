"""The pages of the portal: plain forms, no script, and no word that a phone takes for the internet's answer."""

from outpost.improv import OPEN
from outpost.server import Answer, escaped

try:
    from collections.abc import Iterator
except ImportError:  # MicroPython has none, and needs none
    pass

HTML = "text/html; charset=utf-8"
AGAIN_S = 2
STYLE = (
    "body{font:17px system-ui,sans-serif;margin:1em auto;max-width:30em;padding:0 1em;color:#1d2530}"
    "label{display:block;margin:1em 0 .2em;font-weight:600}input,select,button{font:inherit;width:100%;"
    "box-sizing:border-box;padding:.5em}input[type=checkbox]{width:auto}button{margin-top:1.2em}"
    ".no{color:#a32020}small{display:block;color:#556}"
)


class View:
    """What the page shows. `values` are those of the fields; a secret is never among them."""

    def __init__(self, title: str, found: "list[tuple[str, int, str]]") -> None:
        self.title = title
        self.found = found  # name, dBm and kind of each network
        self.trusted = False
        self.has_token = False
        self.problems = []  # type: list[str]
        self.values = {}  # type: dict[str, str]


def home(view: View) -> Answer:
    """The form, or how to be allowed to see it."""
    return Answer(200, HTML, _framed(view.title, _form(view) if view.trusted else _locked()))


def outcome(title: str, text: str, again: str = "", back: str = "") -> Answer:
    """What came of it. `again` is the page that knows more soon."""
    body = "<p>%s</p>" % escaped(text)
    if back:
        body += '<p><a href="%s">Back</a></p>' % back
    return Answer(200, HTML, _framed(title, (body,), again))


def _framed(title: str, pieces: "Iterator[str] | tuple[str, ...]", again: str = "") -> "Iterator[bytes]":
    refresh = '<meta http-equiv="refresh" content="%d;url=%s">' % (AGAIN_S, again) if again else ""
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "%s<title>%s</title><style>%s</style></head><body><h1>%s</h1>"
        % (refresh, escaped(title), STYLE, escaped(title))
    ).encode()
    for piece in pieces:
        yield piece.encode()
    yield b"</body></html>\n"


def _locked() -> "Iterator[str]":
    yield (
        "<p>This board is set up, and can't reach its WiFi just now. It keeps trying.</p><p>To give it another "
        "WiFi, hold its BOOT button for a second, then <a href=/>load this page again</a>.</p>"
    )


def _form(view: View) -> "Iterator[str]":
    for problem in view.problems:
        yield '<p class="no">%s</p>' % escaped(problem)
    yield '<form method="post" action="/save"><label for="s">WiFi</label><select id="s" name="wifi_ssid">'
    chosen = view.values.get("wifi_ssid", "")
    names = [network[0] for network in view.found]
    if chosen and chosen not in names:
        yield '<option value="%s" selected>%s (not heard)</option>' % (escaped(chosen), escaped(chosen))
    for name, dbm, kind in view.found:
        mark = " selected" if name == chosen else ""
        lock = "open" if kind == OPEN else kind
        shown = (escaped(name), mark, escaped(name), dbm, escaped(lock))
        yield '<option value="%s"%s>%s (%d dBm, %s)</option>' % shown
    yield '<option value=""%s>another one</option></select>' % ("" if names or chosen else " selected")
    yield _field("other", "Another WiFi's name", "", "also of one that hides its name", 32)
    yield _field("wifi_password", "Its password", "", "empty: the one it has, or none", 63, "password")
    yield _field("name", "Name of this board", view.values.get("name", ""), "", 64)
    yield _field("hub_url", "Hub", view.values.get("hub_url", ""), "empty: it looks for one", 200)
    hint = "both empty: it shows a code, to be typed at the hub"
    yield _field("device_id", "Device id", view.values.get("device_id", ""), hint, 64)
    hint = "empty: the one it has" if view.has_token else ""
    yield _field("device_token", "Device token", "", hint, 128, "password")
    yield (
        '<label><input type="checkbox" name="untested"> That WiFi is not in reach here: store it untried</label>'
        "<button>Join</button></form>"
        '<form method="post" action="/scan"><button>Look for networks again</button></form>'
    )


def _field(name: str, label: str, value: str, hint: str, most: int, kind: str = "text") -> str:
    return (
        '<label for="%s">%s</label><input id="%s" name="%s" type="%s" value="%s" maxlength="%d" autocomplete="off" '
        'autocapitalize="off" spellcheck="false"><small>%s</small>'
        % (name, label, name, name, kind, escaped(value), most, hint)
    )

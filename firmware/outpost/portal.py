"""The board's own network, for whoever has a phone and no cable: a name server, and a page that every phone opens.

A phone that joins a network asks its maker's probe whether that leads anywhere. Here every name is the board, and
every probe is sent on to the page, so the phone shows it: `PROBES` has the few that want something else. Never a
204, or the phone would think that it is on the internet; never https, which nobody here could vouch for.

The network has no password unless `portal_password` is set; docs/firmware.md says what that means, window.py when
it is open, and for whom.
"""

from outpost import rules
from outpost.dns import Names
from outpost.joining import JOINED, TRYING, Try  # noqa: F401  (for the types)
from outpost.portal_page import View, home, outcome
from outpost.server import Answer, Request, Server, form, said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.setup import Setup

HTTP = 80
HERE_MS = 60000  # somebody is at the page: the radio, which serves him, does not look for the WiFi meanwhile
TRY_PAUSE_MS = 120000  # between two tries to join the WiFi while the network is open
PROBES = {
    "/connecttest.txt": (302, "http://logout.net"),  # Windows 11 shows the page for this one alone
    "/success.txt": (200, ""),  # Firefox asks this beside /canonical.html, which brings it here
    "/wpad.dat": (404, ""),
    "/favicon.ico": (404, ""),
}
"""All others (/generate_204, /hotspot-detect.html, /canonical.html, /ncsi.txt, /redirect ...) go to the page."""


class Portal:
    """Open as long as it lives. Making it raises OSError. `url` is its page."""

    def __init__(self, setup: "Setup", password: str, found: "list[tuple[str, int, str]]") -> None:
        self._setup = setup
        self._found = found
        self._try = None  # type: Try | None
        self._server = None  # type: Server | None
        self._names = None  # type: Names | None
        port = setup.port
        address = port.open_access_point(setup.network, password, TRY_PAUSE_MS)
        self.url = "http://%s%s/" % (address, "" if port.portal_http == HTTP else ":%d" % port.portal_http)
        try:
            self._names = Names(port, port.portal_dns, address)
        except OSError:
            port.close_access_point()
            raise
        self._server = Server(port, setup.clock, setup.log, port.portal_http, self.answer)
        self._server.service()  # so that the page is there as soon as the network is told of

    def service(self) -> None:
        """One small step of whatever is under way."""
        if self._names is not None and self._server is not None:
            self._names.service()
            self._server.service()

    def close(self) -> None:
        """Give it all back."""
        if self._server is not None:
            self._server.close()
        if self._names is not None:
            self._names.close()
        self._setup.port.close_access_point()

    def answer(self, request: Request) -> Answer:
        """What is said to somebody who asks for a page."""
        path = request.path
        if path in PROBES:
            status, to = PROBES[path]
            return Answer(status, "text/plain", (), to)
        if path == "/" and request.method != "POST":
            self._somebody_is_here()
            return home(self._view())
        if path == "/state":
            self._somebody_is_here()
            return self._outcome()
        if path == "/save" and request.method == "POST":
            self._somebody_is_here()
            return self._save(request)
        if path == "/scan" and request.method == "POST" and self._setup.trusted:
            self._somebody_is_here()
            self._found = self._setup.scan() or self._found
            return self._to("")
        if request.method == "POST":
            return said(404, "there is no such page")
        return Answer(302, "text/plain", (), self.url)

    def _somebody_is_here(self) -> None:
        self._setup.spoken()
        self._setup.port.hold_joining(HERE_MS)

    def _to(self, path: str) -> Answer:
        return Answer(303, "text/plain", (), self.url + path)

    def _view(self) -> View:
        settings = self._setup.settings
        view = View(self._setup.name(), self._found)
        view.trusted = self._setup.trusted
        view.has_token = bool(settings["device_token"])
        for key in ("wifi_ssid", "hub_url", "device_id", "name"):
            view.values[key] = str(settings[key])
        return view

    def _outcome(self) -> Answer:
        tried = self._try
        if tried is None:
            return self._to("")
        name = str(tried.changes["wifi_ssid"])
        if tried.state == TRYING:
            return outcome("Trying %s ..." % name, "This takes half a minute at most.", again="/state")
        if tried.state == JOINED:
            text = "The board is in %s. It starts anew now, and its own network goes away." % name
            return outcome("Done", text)
        return outcome("Not in %s" % name, "%s. Nothing was changed." % tried.why, back="/")

    def _save(self, request: Request) -> Answer:
        if not self._setup.trusted:
            return said(403, "hold the board's BOOT button for a second, then send it again")
        try:
            fields = form(request.body)
        except ValueError:
            return said(400, "that is no form")
        changes, problems = read_form(fields, self._setup.settings)
        if problems:
            view = self._view()
            view.problems = problems
            for key in view.values:
                view.values[key] = str(changes.get(key, view.values[key]))
            return home(view)
        if "untested" in fields:
            if not self._setup.store(changes):
                return outcome("Not stored", "The board could not keep it. Nothing was changed.", back="/")
            self._setup.restart_soon()
            return outcome("Stored", "The board starts anew now, and its own network goes away.")
        tried = self._setup.join(changes)
        if tried is None:
            return outcome("Not now", "Another WiFi is being tried. Try again in a minute.", back="/")
        self._try = tried
        return self._to("state")


def read_form(fields: "dict[str, str]", settings: "dict[str, object]") -> "tuple[dict[str, object], list[str]]":
    """The settings that somebody wants, and what is wrong with them. A secret that is left empty stays as it is,
    where it still belongs to what is around it.
    """
    name = fields.get("other", "").strip() or fields.get("wifi_ssid", "")
    password = fields.get("wifi_password", "")
    device, token = fields.get("device_id", "").strip(), fields.get("device_token", "").strip()
    url = fields.get("hub_url", "").strip()
    problems = []  # type: list[str]
    if not rules.ssid(name):
        problems.append("The name of the WiFi: " + rules.SSID_RULE)
    if not password and name == settings["wifi_ssid"]:
        password = str(settings["wifi_password"])
    elif password and not rules.password(password):
        problems.append("The password of the WiFi: " + rules.PASSWORD_RULE)
    if url and not rules.url(url):
        problems.append("The hub's address: " + rules.URL_RULE)
    if device and not rules.device_id(device):
        problems.append("The device's id: " + rules.ID_RULE)
    if token and not rules.token(token):
        problems.append("The device's token: " + rules.TOKEN_RULE)
    if not token and device and device == settings["device_id"]:
        token = str(settings["device_token"])
    if bool(device) != bool(token):
        problems.append("The device's id and token go together; with both empty the board pairs with its hub.")
    if not rules.name(fields.get("name", "").strip()):
        problems.append("The board's name: " + rules.NAME_RULE)
    changes = {
        "wifi_ssid": name, "wifi_password": password, "hub_url": url, "device_id": device, "device_token": token,
        "name": fields.get("name", "").strip(),
    }  # type: dict[str, object]  # fmt: skip
    return changes, problems

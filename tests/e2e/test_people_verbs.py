"""`outpost user`, `hook` and `log` against a running hub: what they print, as JSON too, and how they end."""

from __future__ import annotations

import http.server
import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cli import RunningHub, outpost

ANN = "ann@example.com"


@pytest.fixture(scope="module", autouse=True)
def loopback_allowed() -> Iterator[None]:
    """The hub of this file may send webhooks to this machine."""
    os.environ["OUTPOST_HOOKS__ALLOW"] = "127.0.0.0/8"
    yield
    del os.environ["OUTPOST_HOOKS__ALLOW"]


def login(hub: RunningHub, password: str) -> int:
    """The status of a login in the app."""
    body = json.dumps({"email": ANN, "password": password}).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(hub.url + "/login", body)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def user(hub: RunningHub, *words: str, password: str = "") -> tuple[int, str, str]:
    """A `user` verb, with the password from the environment."""
    environ = {"OUTPOST_PASSWORD": password} if password else {}
    done = outpost("user", *words, "--data-dir", str(hub.folder), **environ)
    return done.code, done.out, done.err


def test_an_account_from_making_to_erasing(hub: RunningHub) -> None:
    assert user(hub, "list")[1].startswith("No accounts yet")
    code, out, err = user(hub, "add", ANN, "--name", "Ann Lee", password="Passw0rd")
    assert (code, out) == (0, "")
    assert f"{ANN} may log in, also as ann" in err
    assert login(hub, "Passw0rd") == 200
    assert user(hub, "passwd", ANN, password="N3w-password")[0] == 0
    assert (login(hub, "Passw0rd"), login(hub, "N3w-password")) == (400, 200)
    listed = json.loads(user(hub, "list", "--json")[1])
    assert [(one["username"], one["state"]) for one in listed] == [("ann", "active")]
    code, out, err = user(hub, "reset", "ann")
    assert (code, len(out.strip())) == (0, 8)
    assert "60 minutes" in err
    assert user(hub, "disable", ANN)[0] == 0
    assert login(hub, "N3w-password") == 400
    assert user(hub, "enable", ANN)[0] == 0
    assert user(hub, "remove", ANN)[0] == 0
    gone = user(hub, "approve", ANN)
    assert gone[0] == 1
    assert "outpost user list" in gone[2]


def test_a_password_is_asked_for_on_a_terminal_alone_and_its_rules_are_told(hub: RunningHub) -> None:
    assert user(hub, "add", ANN)[0] == 2
    with_role = user(hub, "add", ANN, "--role", "admin", password="Passw0rd")
    assert with_role[0] == 2
    assert "key create" in with_role[2]
    weak = user(hub, "add", ANN, password="weak-one")
    assert weak[0] == 2
    assert "uppercase" in weak[2]
    assert "weak-one" not in weak[1] + weak[2]


def test_a_webhook_from_making_to_removing(hub: RunningHub, tmp_path: Path) -> None:
    class Taking(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(202)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Taking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/x"
    try:
        made = hub.run("hook", "add", "orders", url, "--on", "vend", "--on", "command.failed")
        assert (made.code, made.out.startswith("whs_")) == (0, True)
        assert "once" in made.err
        (listed,) = hub.run("hook", "list", "--json").json
        assert (listed["name"], listed["events"]) == ("orders", ["vend", "command.failed"])
        tested = hub.run("hook", "test", "orders")
        assert (tested.code, "202" in tested.err) == (0, True)
        (message,) = hub.run("hook", "deliveries", "orders", "--json").json
        assert (message["event"], message["state"]) == ("test", "delivered")
        assert hub.run("hook", "retry", "orders").err.startswith("0 sent again")
        assert hub.run("hook", "rotate", "orders").out != made.out
    finally:
        server.shutdown()
        server.server_close()
    failed = hub.run("hook", "test", "orders", "--json")
    assert (failed.code, failed.json["reason"]) == (1, "it does not answer")
    assert hub.run("hook", "off", "orders").code == 0
    assert hub.run("hook", "remove", "orders").code == 0
    assert hub.run("hook", "remove", "orders").code == 1
    inside = hub.run("hook", "add", "x", "http://10.0.0.1/", "--on", "vend")
    assert (inside.code, "hooks.allow" in inside.err) == (2, True)
    assert hub.run("hook", "add", "x", url, "--on", "everything").code == 2


def test_the_log_is_printed_oldest_first(hub: RunningHub) -> None:
    assert hub.run("log").out == "Nothing.\n"
    assert hub.run("log", "--json", "--contains", "x").json == []
    assert hub.run("log", "nobody").code == 1
    assert hub.run("log", "--lines", "0").code == 2
    assert hub.run("log", "--direction", "sideways").code == 2

"""`outpost user` and `outpost login` against a running centre: at its directory and from elsewhere."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from tests.e2e.cli import RunningHub, outpost

ANN, BOB = "ann@example.com", "bob@example.com"
PASSWORD = {"OUTPOST_PASSWORD": "Passw0rd"}


def log_in(centre: RunningHub, name: str, password: str) -> bool:
    """Whether the login page lets somebody in: it leads to the first page then."""
    form = urllib.parse.urlencode({"name": name, "password": password}).encode()
    asked = urllib.request.Request(f"{centre.url}/office/login", form, {"Sec-Fetch-Site": "same-origin"})
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    try:
        with opener.open(asked) as answer:
            return not str(answer.url).endswith("/login")
    except urllib.error.HTTPError:
        return False


def test_people_from_adding_to_shutting_out(centre: RunningHub, tmp_path: Path) -> None:
    assert centre.run("site", "create", "Pune 4").code == 0
    assert "Nobody yet" in centre.run("user", "list").out
    assert centre.run("user", "add", ANN).code == 2  # without a role
    added = outpost("user", "add", ANN, "--role", "admin", "--data-dir", str(centre.folder), **PASSWORD)
    assert (added.code, added.out) == (0, "")
    assert "also as ann; he is admin of all sites" in added.err
    assert log_in(centre, "ann", "Passw0rd")
    coded = centre.run("user", "add", BOB, "--role", "viewer", "--site", "pune-4", "--name", "Bob B")
    assert (coded.code, len(coded.out.strip())) == (0, 8)
    assert centre.run("user", "show", "bob", "--json").json["sites"] == ["pune-4"]
    changed = centre.run("user", "role", BOB, "technician", "--all-sites", "--json").json
    assert (changed["role"], changed["sites"]) == ("technician", [])
    assert centre.run("user", "role", BOB, "viewer", "--site", "nowhere").code == 1
    from_afar = ["--hub", centre.url, "--key-file", str(centre.folder / "admin.key")]
    listed = json.loads(outpost("user", "list", "--json", *from_afar).out)
    assert [(one["username"], one["role"], one["full_name"]) for one in listed] == [
        ("ann", "admin", ""), ("bob", "technician", "Bob B"),
    ]  # fmt: skip
    assert outpost("user", "passwd", BOB, *from_afar, **PASSWORD).code == 0
    assert log_in(centre, BOB, "Passw0rd")
    (login,) = centre.run("login", "list", "--user", "bob", "--json").json
    assert (login["username"], login["kind"]) == ("bob", "web")
    assert centre.run("login", "end", login["id"]).code == 0
    assert "Nobody is logged in" in centre.run("login", "list", "--user", "bob").out
    assert len(centre.run("user", "reset", BOB).out.strip()) == 8
    assert centre.run("user", "disable", BOB).code == 0
    assert not log_in(centre, BOB, "Passw0rd")
    assert centre.run("user", "enable", BOB).code == 0
    assert centre.run("user", "approve", BOB).code == 0
    assert "user disable" in centre.run("user", "remove", BOB).err
    last = centre.run("user", "disable", ANN)
    assert (last.code, "last administrator" in last.err) == (1, True)


def test_verbs_of_head_office_say_so_at_a_hub(hub: RunningHub) -> None:
    assert hub.run("user", "show", ANN).code == 2
    assert hub.run("user", "role", ANN, "admin").code == 2
    assert "no centre" in hub.run("login", "list").err
    from_afar = ["--hub", hub.url, "--key-file", str(hub.folder / "admin.key")]
    assert "has no role" in outpost("user", "add", ANN, "--role", "admin", *from_afar).err
    assert outpost("user", "list", *from_afar).code == 0
    assert hub.run("knocking", "--json").json == []

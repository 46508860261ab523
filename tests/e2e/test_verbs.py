"""Each verb of the `outpost` command against a running hub: what it prints, as JSON too, and how it ends."""

from __future__ import annotations

import getpass
import http.server
import socket
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.cli import RunningHub, outpost

HOSTILE = "[bold]'; DROP --<img src=x> %s {0} ../.. "


def test_a_device_from_adding_to_forgetting(hub: RunningHub) -> None:
    added = hub.run("device", "add", "Till 1", "--kind", "display", "--json")
    assert added.code == 0
    assert added.json["token"].startswith("op_")
    device_id = added.json["id"]
    plain = hub.run("device", "add", "Till 2", "--kind", "display")
    assert (len(plain.out.split()), "once" in plain.err) == (2, True)
    assert hub.run("device", "rename", device_id, HOSTILE.strip(), "--json").json["name"] == HOSTILE.strip()
    assert HOSTILE[:15] in hub.run("device", "list").out
    assert hub.run("device", "show", device_id, "--json").json["name"] == HOSTILE.strip()
    seated = hub.run("device", "seat", device_id, "24")
    assert (seated.code, HOSTILE.strip() in seated.err) == (0, True)
    assert hub.run("device", "bind", device_id, "PC-7", "--json").json["workstations"] == ["PC-7"]
    assert hub.run("device", "approve", device_id).code == 0
    assert hub.run("device", "forget", device_id).code == 0
    gone = hub.run("device", "show", device_id)
    assert (gone.code, gone.out) == (1, "")
    assert "outpost device list" in gone.err
    assert [device["name"] for device in hub.run("device", "list", "--json").json] == ["Till 2"]


def test_who_knocks(hub: RunningHub) -> None:
    assert "Nobody knocks" in hub.run("knocking").out
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{hub.url}/esp32/dance")
    (knock,) = hub.run("knocking", "--json").json
    assert (knock["what"], knock["count"]) == ("GET /esp32/dance", 1)


def test_a_command_from_sending_to_its_end(hub: RunningHub) -> None:
    device_id = hub.run("device", "add", "Desk", "--kind", "display", "--json").json["id"]
    sent = hub.run(
        "command", "send", device_id, "display_qr", "payload=upi://pay?pa=a@b", "caption=Ann Lee", "--json"
    )
    assert (sent.code, sent.json["state"], sent.json["actor"]) == (0, "queued", f"login:{getpass.getuser()}")
    assert [command["id"] for command in hub.run("command", "list", "--state", "open", "--json").json] == [
        sent.json["id"]
    ]
    shown = hub.run("command", "show", sent.json["id"], "--json").json
    assert (shown["tries"], shown["args"]) == ([], {})
    assert "is cancelled" in hub.run("command", "cancel", sent.json["id"]).err
    again = hub.run("command", "cancel", sent.json["id"])
    assert (again.code, again.out) == (1, "")
    assert hub.run("command", "resolve", sent.json["id"], "failed", "--note", "seen").code == 1
    assert hub.run("command", "resolve", sent.json["id"], "maybe", "--note", "seen").code == 2
    assert hub.run("command", "send", device_id, "dance").code == 2
    assert hub.run("command", "send", device_id, "display_qr", "payload").code == 2
    assert hub.run("command", "show", "../devices").code == 1
    assert hub.run("command", "list", "--state", "lost").code == 2


def test_a_key_from_making_to_revoking(hub: RunningHub, tmp_path: Path) -> None:
    made = hub.run("key", "create", "viewer-key", "--role", "viewer")
    file = tmp_path / "viewer.key"
    file.write_text(made.out)
    assert "once" in made.err
    assert hub.remote("device", "list", "--json", key_file=file).code == 0
    forbidden = hub.remote("device", "add", "x", "--kind", "display", key_file=file)
    assert (forbidden.code, forbidden.out) == (1, "")
    assert "technician" in forbidden.err
    (listed,) = [key for key in hub.run("key", "list", "--json").json if key["name"] == "viewer-key"]
    assert made.out.strip() not in str(listed)
    assert hub.run("key", "revoke", listed["id"]).code == 0
    refused = hub.remote("device", "list", key_file=file)
    assert (refused.code, "outpost key create" in refused.err) == (1, True)
    assert hub.run("key", "revoke", listed["id"]).code == 1
    assert hub.run("key", "create", "x", "--role", "king").code == 2
    compiled_in = hub.run("key", "import", "old", "--role", "app", "--from-file", "-", "--json")
    assert compiled_in.code == 2
    taken = outpost(
        "key", "import", "old", "--from-file", "-", "--data-dir", str(hub.folder), stdin="COMPILED-IN-2024\n"
    )
    assert (taken.code, "weak" in taken.err) == (0, True)
    assert "COMPILED-IN" not in taken.out + taken.err


def test_what_cannot_be_reached_ends_with_three(hub: RunningHub, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{probe.getsockname()[1]}"
    key = str(hub.folder / "admin.key")
    for words in (
        ("--hub", closed, "--key-file", key),
        ("--hub", "not a url", "--key-file", key),
        ("--hub", "ftp://127.0.0.1", "--key-file", key),
        ("--hub", f"unix:{tmp_path}/none.sock"),
        ("--data-dir", str(tmp_path)),
        ("--data-dir", str(tmp_path / "nowhere")),
    ):
        ended = outpost("device", "list", "--json", *words)
        assert (ended.code, ended.out) == (3, ""), (words, ended.err)
        assert ended.err.startswith("outpost: ")
        assert "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == []  # looking at a wrong folder makes no hub there


def test_a_server_that_is_no_hub_is_recognised(hub: RunningHub) -> None:
    class NoHub(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = 302 if "commands" in self.path else 200
            self.send_response(status)
            self.send_header("Location", f"{hub.url}/v1/devices")
            self.end_headers()
            self.wfile.write(b"<html>\x1b[31mhello")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), NoHub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        for verb in ("device", "command"):
            ended = outpost(
                *(verb, "list", "--hub", f"http://127.0.0.1:{server.server_port}"),
                *("--key-file", str(hub.folder / "admin.key")),
            )
            assert (ended.code, "no Outpost hub" in ended.err) == (3, True), ended.err
            assert "\x1b" not in ended.err
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_key_file_must_hold_a_key(hub: RunningHub, tmp_path: Path) -> None:
    for content in (b"", b"one\ntwo\n", b"\xff\xfe\x00", b"k\r\nX-Evil: 1"):
        file = tmp_path / "key"
        file.write_bytes(content)
        ended = hub.remote("device", "list", key_file=file)
        assert ended.code == 2, (content, ended.err)
        assert "Traceback" not in ended.err
    assert outpost("device", "list", "--hub", hub.url).code == 2
    assert hub.remote("device", "list", key_file=tmp_path / "none").code == 2


@pytest.mark.parametrize(
    "words",
    [(), ("nosuch",), ("device",), ("device", "show"), ("device", "list", "--nosuch"), ("key", "create", "x")],
)
def test_wrong_usage_ends_with_two(words: tuple[str, ...]) -> None:
    ended = outpost(*words)
    assert (ended.code, ended.out) == (2, "")
    assert "usage: outpost" in ended.err


def test_the_doctor_says_what_is_wrong_and_what_to_do(hub: RunningHub, tmp_path: Path) -> None:
    running = {finding["check"]: finding for finding in hub.run("doctor", "--json").json}
    assert running["hub"]["state"] == "ok"
    absent = outpost("doctor", "--json", "--data-dir", str(tmp_path), OUTPOST_HUB__LISTEN=hub.url)
    found = {finding["check"]: finding for finding in absent.json}
    assert absent.code == 1
    assert (found["hub"]["state"], "outpost hub" in found["hub"]["todo"]) == ("warn", True)
    assert (found[hub.url]["state"], "--listen" in found[hub.url]["todo"]) == ("fail", True)
    (tmp_path / "hub.db").write_bytes(b"this is no database, whatever it is called" * 100)
    damaged = outpost("doctor", "--json", "--data-dir", str(tmp_path))
    database = next(finding for finding in damaged.json if finding["check"] == "database")
    assert (damaged.code, database["state"], "outpost restore" in database["todo"]) == (1, "fail", True)


def test_a_wrong_word_is_answered_with_a_sentence_and_what_to_do(hub: RunningHub, tmp_path: Path) -> None:
    before = hub.run("doctor").out.count("knocking")
    nobody = hub.run("device", "show", "")
    assert (nobody.code, nobody.err.splitlines()[0]) == (2, "outpost: An empty id names nothing.")
    assert hub.run("doctor").out.count("knocking") == before
    level = hub.run("log", "--level", "bla")
    assert (level.code, "'error'" in level.err) == (2, True)
    nonsense = hub.run("hook", "add", "a", "http://127.0.0.1:9/", "--on", "nonsense")
    assert (nonsense.code, nonsense.err.count(" test")) == (2, 1)
    (tmp_path / "no.png").write_text("no picture")
    assert outpost("scan", str(tmp_path / "no.png")).err.startswith(
        "outpost: This is no picture that can be read.\n"
    )
    assert "Correct the request" not in hub.run("command", "list", "--state", "lost").err


def test_a_hub_elsewhere_needs_an_address_and_a_key(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("op_something")
    bare = outpost("device", "list", "--hub", "192.168.1.5:5000", "--key-file", str(key))
    assert (bare.code, "For example --hub http://" in bare.err) == (3, True)
    keyless = outpost("device", "list", "--hub", "http://192.168.1.5:5000")
    assert (keyless.code, "outpost key create NAME --role technician" in keyless.err) == (2, True)
    away = outpost("device", "list", "--hub", "http://127.0.0.1:1", "--key-file", str(key))
    assert (away.code, "connection refused" in away.err, "ssl" in away.err) == (3, True, False)

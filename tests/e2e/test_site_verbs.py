"""Head office and a hub, by the command line alone: a site is made, enrolled, taken over, refused."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.e2e.cli import RunningHub, outpost


def test_a_site_is_made_and_its_hub_enrolled(centre: RunningHub, hub: RunningHub) -> None:
    made = centre.run("site", "create", "Depot 4")
    assert made.code == 0, made.err
    code = made.out.strip()
    assert f"outpost site enrol {code} --cloud https://ADDRESS-OF-THIS-CENTRE" in made.err
    assert f"`url` under [centre] in {centre.folder / 'cloud.toml'}" in made.err
    assert "syncs with no head office" in hub.run("site", "status").err
    as_read_out = code.lower().split("-")
    enrolled = hub.run("site", "enrol", *as_read_out, "--cloud", centre.url)
    assert (enrolled.code, enrolled.out) == (0, ""), enrolled.err
    assert "'Depot 4' of 'main'" in enrolled.err
    status = hub.run("site", "status", "--json").json
    assert (status["site"], status["url"]) == ("depot-4", centre.url)
    assert "ledger" in hub.run("site", "status").out
    assert "There are none" in hub.run("site", "letters").out
    assert "There are none" in hub.run("site", "letters", "--discard", "all").out
    assert "Left out for good: 0" in hub.run("site", "letters", "--discard", "7").err
    assert "named by its id" in hub.run("site", "letters", "--discard", "first").err
    (site,) = centre.run("site", "list", "--json").json
    assert (site["id"], site["name"]) == ("depot-4", "Depot 4")
    assert "any more" in hub.run("site", "leave").err
    assert hub.run("site", "status", "--json").json["state"] == "off"
    again = hub.run("site", "enrol", code, "--cloud", centre.url)
    assert again.code == 0  # the same hub, within the day that a code lasts


def test_a_site_is_renamed_refused_and_given_a_new_code(centre: RunningHub) -> None:
    centre.run("site", "create", "Old name")
    renamed = centre.run("site", "rename", "Old name", "New name")
    assert "New name" in renamed.out
    assert centre.run("site", "clear", "New name", "--json").json["alerts"] == []
    refused = centre.run("site", "revoke", "New name")
    assert "refused from now on" in refused.err
    assert centre.run("site", "show", "old-name", "--json").json["state"] == "revoked"
    code = centre.run("site", "code", "old-name")
    assert len(code.out.strip()) == 14
    missing = centre.run("site", "show", "nowhere")
    assert (missing.code, "outpost site list" in missing.err) == (1, True)


def test_keys_of_head_office(centre: RunningHub, tmp_path: Path) -> None:
    centre.run("site", "create", "Keyed")
    made = centre.run("key", "create", "board", "--role", "viewer", "--sites", "keyed")
    file = tmp_path / "board.key"
    file.write_text(made.out)
    seen = outpost("site", "list", "--hub", centre.url, "--key-file", str(file), "--json").json
    assert [site["id"] for site in seen] == ["keyed"]
    old = tmp_path / "old.key"
    old.write_text("compiled-in-long-ago\n")
    assert centre.run("key", "import", "old app", "--from-file", str(old), "--sites", "keyed").code == 0
    listed = centre.run("key", "list", "--json").json
    assert {key["name"]: key["sites"] for key in listed} == {
        "first-admin": [], "board": ["keyed"], "old app": ["keyed"],
    }  # fmt: skip
    assert "SITES" in centre.run("key", "list").out
    (board,) = [key["id"] for key in listed if key["name"] == "board"]
    assert centre.run("key", "revoke", board).code == 0
    refused = outpost("site", "list", "--hub", centre.url, "--key-file", str(file))
    assert refused.code != 0


def test_a_tenant_has_a_key_of_its_own(centre: RunningHub, tmp_path: Path) -> None:
    made = centre.run("tenant", "create", "Other company")
    file = tmp_path / "other.key"
    file.write_text(made.out)
    there = ("--hub", centre.url, "--key-file", str(file))
    assert "There are no sites" in outpost("site", "list", *there).out
    code = outpost("site", "create", "Depot 9", *there)
    assert f"--cloud {centre.url}" in code.err
    tenants = centre.run("tenant", "list", "--json").json
    assert {tenant["name"]: tenant["sites"] for tenant in tenants}["Other company"] == 1
    assert outpost("tenant", "list", *there).code != 0


def test_where_no_site_is_joined_it_is_said_why(centre: RunningHub, hub: RunningHub) -> None:
    code = centre.run("site", "create", "Depot 7").out.strip()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    away = hub.run("site", "enrol", code, "--cloud", nobody)
    assert (away.code, f"{nobody} cannot be reached: connection refused." in away.err) == (3, True), away.err
    at_a_hub = hub.run("site", "enrol", code, "--cloud", hub.url)
    assert (at_a_hub.code, "is no centre" in at_a_hub.err) == (2, True), at_a_hub.err
    wrong = hub.run("site", "enrol", "XXXX-XXXX-XXXX", "--cloud", centre.url)
    assert (wrong.code, "outpost site code" in wrong.err) == (1, True), wrong.err
    asked = centre.run("site", "status")
    assert (asked.code, "for a hub alone" in asked.err) == (1, True), asked.err
    dots = centre.run("site", "show", "..")
    assert (dots.code, "names nothing" in dots.err) == (2, True), dots.err


def test_site_verbs_are_asked_at_head_office(hub: RunningHub) -> None:
    asked = hub.run("site", "list")
    assert (asked.code, asked.out) == (3, "")
    assert "no centre" in asked.err

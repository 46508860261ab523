"""`outpost reading`: what a device measures, from the command line."""

from __future__ import annotations

import urllib.request

import pytest

from tests.e2e.cli import RunningHub


@pytest.fixture(scope="module")
def porch(hub: RunningHub) -> str:
    """A device that has measured once."""
    added = hub.run("device", "add", "Reading porch", "--kind", "thing", "--profile", "thingsnxt", "--json").json
    key = (hub.folder / "admin.key").read_text().strip()
    request = urllib.request.Request(
        f"{hub.url}/v1/devices/{added['id']}/readings",
        data=b'{"values": {"temperature": 21.5, "door": false, "health.rssi": -60}}',
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=60).close()
    return str(added["id"])


def test_the_newest_values_of_a_device(hub: RunningHub, porch: str) -> None:
    shown = hub.run("reading", "latest", "Reading porch")
    assert (shown.code, "temperature" in shown.out, "21.5" in shown.out) == (0, True, True)
    newest = {row["key"]: row["value"] for row in hub.run("reading", "latest", porch, "--json").json}
    assert newest == {"door": False, "health.rssi": -60, "temperature": 21.5}
    assert hub.run("reading", "latest", "nobody").code == 1


def test_the_past_of_a_key_since_an_age(hub: RunningHub, porch: str) -> None:
    asked = ("reading", "list", porch, "--key", "temperature", "--from", "-1h")
    (reading,) = hub.run(*asked, "--json").json
    assert reading["value"] == 21.5
    assert "21.5" in hub.run(*asked).out
    (bucket,) = hub.run(*asked, "--bucket", "5m", "--json").json
    assert (bucket["min"], bucket["count"]) == (21.5, 1)
    page = hub.run("reading", "list", porch, "--limit", "1")
    assert "there are more" in page.err
    assert hub.run("reading", "list", porch, "--from", "yesterday").code == 2


def test_desiring_what_it_never_reported_is_warned_of(hub: RunningHub, porch: str) -> None:
    done = hub.run("twin", "set", porch, "relay=true")
    assert done.code == 0
    assert "It has never reported relay" in done.err
    assert "It reports door, temperature." in done.err
    assert "never" not in hub.run("twin", "set", porch, "door=true", "v1=true", "relay=").err

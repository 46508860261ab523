"""`outpost twin`: what a device shall be, from the command line."""

from __future__ import annotations

from tests.e2e.cli import RunningHub


def test_desiring_something_of_a_device_and_no_longer(hub: RunningHub) -> None:
    added = hub.run("device", "add", "Porch", "--kind", "thing", "--profile", "thingsnxt", "--json").json
    empty = hub.run("twin", "show", added["id"])
    assert (empty.code, empty.out.strip()) == (0, "Nothing is desired of it.")
    done = hub.run("twin", "set", "Porch", "v0=1", "mode=eco", "level=2.5", "on=true", "--json")
    assert done.json["desired"] == {"v0": 1, "mode": "eco", "level": 2.5, "on": True}
    assert done.json["pending"] == ["level", "mode", "on", "v0"]
    shown = hub.run("twin", "show", added["id"])
    assert "v0" in shown.out
    assert "Version 1" in shown.err
    assert hub.run("twin", "set", added["id"], "mode=", "level=", "on=", "--json").json["desired"] == {"v0": 1}
    refused = hub.run("twin", "set", added["id"], "bad key=1")
    assert (refused.code, "is no key" in refused.err) == (2, True)
    assert hub.run("twin", "set", added["id"], "v0").code == 2
    assert hub.run("twin", "show", "nobody").code == 1

"""`outpost device`: what a technician types to let a device in, and to keep it out."""

from __future__ import annotations

import pytest

from tests.e2e.cli import RunningHub


@pytest.mark.parametrize("kind", ["sensor", "vending", "logger", "base", "blink", "eink", "display"])
def test_a_board_is_added_with_a_token_given_another_and_revoked(hub: RunningHub, kind: str) -> None:
    added = hub.run("device", "add", "Board", "--kind", kind)
    device_id, token = added.out.split()
    assert hub.run("device", "show", device_id, "--json").json["trust"] == "confirmed"
    again = hub.run("device", "token", device_id)
    assert again.out.split()[0] == device_id
    assert again.out.split()[1] != token
    assert "shown this once" in again.err
    revoked = hub.run("device", "revoke", device_id)
    assert (revoked.code, "cannot speak" in revoked.err) == (0, True)
    assert "revoked" in hub.run("device", "list").out
    assert hub.run("device", "confirm", device_id, "--json").json["epoch_new"] is False


def test_a_kind_there_is_not_is_refused_with_those_there_are(hub: RunningHub) -> None:
    refused = hub.run("device", "add", "Toast", "--kind", "toaster")
    assert refused.code == 2
    assert "sensor/native" in refused.err


def test_a_code_for_a_device_that_has_none_is_refused(hub: RunningHub) -> None:
    device_id = hub.run("device", "add", "Board", "--kind", "sensor").out.split()[0]
    refused = hub.run("device", "approve", device_id, "--code", "123456")
    assert (refused.code, "no code" in refused.err) == (1, True)
    refused = hub.run("device", "approve", device_id, "--same-as", device_id)
    assert refused.code == 1


def test_the_list_fits_a_terminal_whatever_devices_are_called(hub: RunningHub) -> None:
    for name in ("x" * 64, "नमस्ते 🙂" * 4, "Desk"):
        hub.run("device", "add", name, "--kind", "vending")
    lines = hub.run("device", "list").out.splitlines()
    assert len(lines) >= 4
    assert all(len(line) <= 80 for line in lines), lines

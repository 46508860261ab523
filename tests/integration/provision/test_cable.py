"""Another maker's board on the hub's cable is given its WiFi by Improv, and the port is the hub's again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge.sim.on_tty import OnTty
from tests.fakes.improv_board import URL, ImprovBoard
from tests.integration.provision.setting_up import PASSWORD, WRONG, begin, ended, port_of, said, secrets_in, site


async def test_a_board_on_the_cable(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    board = ImprovBoard(PASSWORD)
    plugged, tty = OnTty.on_pty(board)
    folder = tmp_path / "hub"
    async with plugged, site(folder, tty) as hub:
        asked = await ended(hub, await begin(hub, way="cable", where=str(tty)))
        assert (asked["state"], asked["error"]) == ("done", "")
        assert asked["board"] == {"firmware": "ESPHome", "version": "2026.11.0", "chip": "ESP32", "name": "garden"}
        assert asked["networks"] == [
            {"ssid": "Hall", "rssi": -55, "secured": True},
            {"ssid": "Yard", "rssi": -80, "secured": False},
        ]

        live = await hub.http.ws_connect(
            hub.url + "/v1/live", headers={"Authorization": f"Bearer {hub.keys['admin']}"}
        )
        wrong = await ended(hub, await begin(hub, way="cable", where=str(tty), ssid="Hall", password=WRONG))
        assert wrong["state"] == "failed"
        assert "could not join" in wrong["error"]
        assert "password" in wrong["hint"]
        async with asyncio.timeout(60):
            while (event := await live.receive_json()).get("topic") != "provision":
                pass
        assert event["data"]["way"] == "cable"
        await live.close()

        done = await ended(hub, await begin(hub, way="cable", where=str(tty), ssid="Hall", password=PASSWORD))
        assert (done["state"], done["urls"], done["device"]) == ("done", [URL], None)
        assert board.joined == "Hall"

        again = await begin(hub, way="cable", where=str(tty), ssid="Hall", password=PASSWORD)
        busy = await hub.ask("POST", "/v1/provision", {"way": "dialogue", "where": str(tty)}, key="technician")
        assert busy.code == "busy"
        await said(hub, again, "has left")
        assert (await port_of(hub, tty))["owner"] == "lent"
        by_hand = await hub.ask("POST", "/v1/ports/action", {"path": str(tty), "action": "reset"})
        assert by_hand.code == "busy"
        ended_early = await hub.ask("POST", f"/v1/provision/{again['id']}/cancel", key="technician")
        assert ended_early.body["state"] == "cancelled"
        assert (await port_of(hub, tty))["owner"] != "lent"

        facts = [fact for fact in await hub.facts() if fact["kind"] == "board.provisioned"]
        assert [(fact["subject"], fact["body"]["firmware"]) for fact in facts] == [(str(tty), "ESPHome")]
        jobs = await hub.get("/v1/provision")
        assert [job["state"] for job in jobs.body["items"]] == ["cancelled", "done", "failed", "done"]
        shown = str(jobs.body)
        assert PASSWORD not in shown
        assert WRONG not in shown
    assert secrets_in(folder, PASSWORD, WRONG) == []
    assert PASSWORD not in caplog.text


async def test_nobody_answers_and_what_cannot_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.provision.improv_line.FIRST_S", 1.0)
    monkeypatch.setattr("edge.provision.dialogue.SETTLE_S", 1.0)
    board = ImprovBoard(boot_s=3600)
    plugged, tty = OnTty.on_pty(board)
    async with plugged, site(tmp_path / "hub", tty) as hub:
        for asked in (
            {"way": "ble", "where": "garden"},
            {"way": "cable", "where": str(tty), "password": "x" * 8},
            {"way": "cable", "where": str(tty), "ssid": "Hall", "password": "short"},
            {"way": "cable", "where": str(tty), "ssid": "H" * 33},
            {"way": "cable", "where": str(tty), "ssid": "Hall\u2028"},
            {"way": "cable", "where": str(tty), "hub_url": "ftp://here"},
            {"way": "pigeon", "where": str(tty)},
        ):
            assert (await hub.ask("POST", "/v1/provision", asked, key="technician")).status == 400, asked
        nowhere = await hub.ask(
            "POST", "/v1/provision", {"way": "cable", "where": "/dev/nothing"}, key="technician"
        )
        assert nowhere.code == "not-found"
        off = await hub.get("/v1/provision/boards", key="technician")
        assert off.status in (200, 409)
        for way, words in (("cable", "answered by Improv"), ("dialogue", "answered at a console")):
            silent = await ended(hub, await begin(hub, way=way, where=str(tty), ssid="Hall"))
            assert silent["state"] == "failed"
            assert words in silent["error"]
            assert "reset" in silent["hint"]
            assert (await port_of(hub, tty))["owner"] != "lent"

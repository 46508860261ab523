"""`outpost provision` and `outpost bluetooth`, as a technician or a script types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli import parser
from edge.errors import BadInput
from edge.sim.on_tty import OnTty
from tests.fakes.improv_board import URL, ImprovBoard
from tests.integration.provision.setting_up import PASSWORD, site
from tests.integration.running_hub import RunningHub


async def typed(hub: RunningHub, folder: Path, *words: str) -> int:
    """Do a verb against the hub, in this process; its exit code. Raises what the command line would complain of."""
    key = folder / "key"
    key.write_text(hub.keys["technician"])
    arguments = parser().parse_args([*words, "--hub", hub.url, "--key-file", str(key)])
    return int(await arguments.do(arguments))


async def test_verbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plugged, tty = OnTty.on_pty(ImprovBoard(PASSWORD))
    async with plugged, site(tmp_path / "hub", tty) as hub:
        cable = ("provision", "cable", str(tty))
        with pytest.raises(BadInput) as asked:
            await typed(hub, tmp_path, *cable)
        assert "--ssid" in asked.value.advice
        with pytest.raises(BadInput) as asked:
            await typed(hub, tmp_path, *cable, "--ssid", "Hall")
        assert "OUTPOST_WIFI_PASSWORD" in asked.value.advice
        monkeypatch.setenv("OUTPOST_WIFI_PASSWORD", PASSWORD)
        assert await typed(hub, tmp_path, *cable, "--ssid", "Hall", "--json") == 0
        said = capsys.readouterr()
        assert '"state": "done"' in said.out
        assert "The board has joined Hall." in said.err
        assert f"Its own page: {URL}" in said.err
        assert PASSWORD not in said.out + said.err
        monkeypatch.setenv("OUTPOST_WIFI_PASSWORD", "battery staple")
        assert await typed(hub, tmp_path, *cable, "--ssid", "Hall") == 1
        assert "could not join that WiFi.\n  Check the name" in capsys.readouterr().err

        assert await typed(hub, tmp_path, "bluetooth", "list") == 0
        assert "No sensor is heard" in capsys.readouterr().out
        sensor = "A4:C1:38:8D:18:B2"
        assert await typed(hub, tmp_path, "bluetooth", "add", sensor, "--name", "Cold room") == 0
        assert await typed(hub, tmp_path, "bluetooth", "status") == 0
        assert await typed(hub, tmp_path, "bluetooth", "list") == 0
        assert "A4C1388D18B2" in capsys.readouterr().out
        with pytest.raises(BadInput):
            await typed(hub, tmp_path, "bluetooth", "key", sensor)
        monkeypatch.setenv("OUTPOST_BIND_KEY", "22" * 16)
        assert await typed(hub, tmp_path, "bluetooth", "key", sensor) == 0
        said = capsys.readouterr()
        assert "has its bind key" in said.err
        assert "22" * 16 not in said.out + said.err

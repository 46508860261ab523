"""The command line of firmware works at head office as it does at a hub; live readers hear of rollouts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import cli
from tests.firmware_bundles import app
from tests.firmware_keys import PUBLIC
from tests.integration.centre.update_hubs import judged, site_with
from tests.patience import AT_ONCE_S
from tests.running_centre import RunningCentre


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_the_verbs_of_firmware_at_head_office(centre: RunningCentre, tmp_path: Path) -> None:
    hub = await site_with(centre, "door", "gate")
    key, public, bundle = tmp_path / "key", tmp_path / "first.pub", tmp_path / "sensor.outpost"
    key.write_text(centre.keys["admin"])
    public.write_text(PUBLIC["first"].pem)
    bundle.write_bytes(app())

    async def outpost(*words: str) -> Any:
        where = ("--json", "--hub", centre.url, "--key-file", str(key))
        done = await asyncio.to_thread(cli.outpost, "firmware", *words, *where)
        assert done.code == 0, done.err
        return done.json

    await outpost("trust", "add", "Release", str(public))
    assert [one["name"] for one in await outpost("trust", "list")] == ["Release"]
    artifact = (await outpost("upload", str(bundle)))["id"]
    assert [one["id"] for one in await outpost("list")] == [artifact]
    await outpost("group", "set", "doors", "door", "gate")
    heard = asyncio.create_task(_live(centre, "rollout"))
    made = await outpost("rollout", "start", artifact[:12], "--group", "doors", "--waves", "50,100", "--soak", "0s")
    await hub.carry_out()
    await judged(centre)
    assert made["id"] in await heard
    assert (await outpost("rollout", "list", "--state", "open", "--site", hub.site))[0]["id"] == made["id"]
    assert (await outpost("rollout", "pause", made["id"], "--reason", "lunch"))["state"] == "paused"
    assert (await outpost("rollout", "resume", made["id"]))["state"] == "running"
    shown = await outpost("rollout", "show", made["id"], "--all")
    assert shown["id"] == made["id"] or shown["rollout"]["id"] == made["id"]
    assert (await outpost("rollout", "abort", made["id"]))["state"] == "aborted"
    assert (await outpost("assign", "gate", artifact[:12]))["device"] == "gate"
    assert (await outpost("state", "gate", "--site", hub.site))["device"] == "gate"
    summary = await outpost("summary")
    assert summary["ended"] == 1

    again = (await outpost("rollout", "start", artifact[:12], "--device", "gate", "--errors", "0"))["id"]
    await hub.carry_out("failed", "no space")
    await judged(centre)
    where = ("--hub", centre.url, "--key-file", str(key))
    doctor = await asyncio.to_thread(cli.outpost, "doctor", *where)
    assert f"rollout show {again}" in doctor.out, doctor.out + doctor.err
    samples = (await centre.get("/metrics")).body
    assert b"outpost_download" not in samples, "what an instance does for all is told on its machine"


async def _live(centre: RunningCentre, topic: str) -> str:
    """The first event of a topic, as text."""
    headers = {"Authorization": f"Bearer {centre.keys['viewer']}"}
    async with (
        asyncio.timeout(AT_ONCE_S),
        centre.http.get(f"{centre.url}/v1/events?topics={topic}", headers=headers) as response,
    ):
        async for line in response.content:
            if line.startswith(b"data:") and f'"{topic}"'.encode() in line:
                return line.decode()
    return ""

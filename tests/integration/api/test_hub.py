"""The hub of itself: status, readiness, metrics, the ledger, who knocks, the ports, and its own description."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from edge.store.ledger import facts as ledger_facts
from edge.wire.ledger import GENESIS, follows
from tests.integration.running_hub import Answer, RunningHub


async def test_status_says_how_it_stands(running_hub: RunningHub) -> None:
    await running_hub.display()
    status = (await running_hub.get("/v1/status", key="viewer")).body
    assert (status["name"], status["ready"], status["devices"], status["online"]) == ("test", True, 1, 0)
    assert (status["actor"], status["role"], status["timezone"]) == ("key:viewer", "viewer", "Asia/Kolkata")
    assert status["ledger_seq"] == len(await running_hub.facts())


async def test_health_is_free_and_readiness_says_why_not(running_hub: RunningHub, monkeypatch: Any) -> None:
    assert (await running_hub.get("/healthz", key="")).body == {"status": "alive"}
    assert (await running_hub.get("/readyz", key="")).body == {"ready": True, "problems": []}
    monkeypatch.setattr(running_hub.hub.store.space, "low", lambda: True)
    full = await running_hub.get("/readyz", key="")
    assert (full.status, full.body["ready"]) == (503, False)
    assert "full" in full.body["problems"][0]
    refused = await running_hub.send(await running_hub.display())
    assert (refused.status, refused.code) == (507, "storage-full")
    assert (await running_hub.get("/healthz", key="")).status == 200


async def test_metrics_are_prometheus_text_without_anybodys_words(running_hub: RunningHub) -> None:
    await running_hub.display('a"} evil 1')
    answer = await running_hub.get("/metrics", key="viewer")
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = answer.body.decode().splitlines()
    assert "evil" not in answer.body.decode()
    for line in lines:
        assert re.fullmatch(r'# (HELP|TYPE) outpost_\w+ .+|outpost_\w+(\{\w+="[^"]*"\})? [-+.e\d]+', line), line
    assert "outpost_devices 1" in lines


async def test_the_ledger_comes_page_by_page_whole_and_chained(running_hub: RunningHub) -> None:
    for number in range(12):
        await running_hub.display(f"desk {number}")
    seqs, path = [], "/v1/ledger?after=2&limit=4"
    while path:
        page = (await running_hub.get(path, key="viewer")).body
        seqs += [fact["seq"] for fact in page["items"]]
        path = f"/v1/ledger?after=2&limit=4&cursor={page['next']}" if page["next"] else ""
        assert len(seqs) < 100
    assert seqs == list(range(3, running_hub.hub.store.hub.writer.facts + 1))
    previous = GENESIS
    for fact in await ledger_facts(running_hub.hub.store.hub, 0, 1000):
        assert follows(previous, fact)
        previous = fact.hash
    for wrong in ("x", "-1", "1.0", "9" * 19):
        assert (await running_hub.get(f"/v1/ledger?after={wrong}")).code == "bad-input"
    assert (await running_hub.get("/v1/ledger?after=" + "9" * 18)).body == {"items": [], "next": None}


async def test_who_finds_no_answer_is_listed_as_knocking(running_hub: RunningHub) -> None:
    await running_hub.get("/api/nowhere", key="")
    await running_hub.get("/api/nowhere", key="")
    await running_hub.ask("DELETE", "/v1/status")
    await running_hub.get("/v1/devices", key="wrong")
    await running_hub.get("/%0d%0aSet-Cookie:a=b%1b[31m%e2%80%ae%00", key="")
    knocks = (await running_hub.get("/v1/knocking", key="viewer")).body["items"]
    assert [(knock["what"], knock["count"]) for knock in knocks[1:]] == [
        ("GET /v1/devices", 1),
        ("DELETE /v1/status", 1),
        ("GET /api/nowhere", 2),
    ]
    assert knocks[0]["what"].isprintable()
    assert knocks[0]["what"].isascii()
    for number in range(300):
        await running_hub.get(f"/flood/{number}" + "x" * 500, key="")
    knocks = (await running_hub.get("/v1/knocking")).body["items"]
    assert len(knocks) == 200
    assert max(len(knock["what"]) for knock in knocks) <= 130


async def test_ports_are_listed_and_only_those_there_are_can_be_touched(running_hub: RunningHub) -> None:
    assert (await running_hub.get("/v1/ports", key="viewer")).body == {"items": [], "next": None}
    for path in ("/dev/ttyUSB0", "/etc/passwd", "/dev/mem", "../../dev/sda", "", "x" * 100_000, "/dev/tty\x00"):
        for action in ("reset", "release", "own"):
            refused = await running_hub.ask("POST", "/v1/ports/action", {"path": path, "action": action})
            assert (refused.status, refused.code) == (404, "not-found"), (path[:30], action)
    wrong = await running_hub.ask("POST", "/v1/ports/action", {"path": "/dev/ttyUSB0", "action": "format"})
    assert wrong.code == "bad-input"
    assert (await running_hub.get("/v1/ports/monitor?path=/etc/passwd")).code == "not-found"


async def test_the_description_is_openapi_and_answers_are_what_it_says(running_hub: RunningHub) -> None:
    document = (await running_hub.get("/v1/openapi.json", key="")).body
    validate(document)
    device = await running_hub.display()
    command = (await running_hub.send(device)).body["id"]
    await running_hub.ask("PUT", f"/v1/devices/{device.id}/agent", {"agent": "24", "name": "Asha"})
    await running_hub.hub.device_log.add(device.id, "info", "hello")
    ids = {"devices": device.id, "commands": command, "keys": "nope", "claims": "nope"}
    bodies = {
        "POST /v1/devices": {"name": "x", "kind": "display"},
        "PATCH /v1/devices/{id}": {"name": "y"},
        "POST /v1/keys": {"name": "z", "role": "viewer"},
        "PUT /v1/devices/{id}/agent": {"agent": "25"},
        "PUT /v1/devices/{id}/workstation": {"computer_name": "PC-1"},
        "POST /v1/devices/{id}/commands": {"kind": "stop_rotation"},
        "POST /v1/content/preview": {"panel": "tft-320x480", "payload": "x"},
    }
    checked = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "101" in operation["responses"] or path == "/v1/events" or method == "delete":
                continue
            filled = path.replace("{id}", ids.get(path.split("/")[2], "x") if path.count("/") > 2 else "")
            filled = filled.replace("{agent}", "nope")
            body = bodies.get(f"{method.upper()} {path}")
            answer = await running_hub.ask(method.upper(), filled, body)
            conforms(document, operation, answer)
            checked += answer.status < 300
    assert checked >= 24


def conforms(document: dict[str, Any], operation: dict[str, Any], answer: Answer) -> None:
    """Assert that an answer is one of those that the operation describes."""
    said = operation["responses"].get(str(answer.status)) or operation["responses"]["default"]
    assert answer.status >= 400 or str(answer.status) in operation["responses"], (operation["operationId"], answer)
    if "content" not in said:
        return
    content_type = answer.headers["Content-Type"].split(";")[0]
    schema = {**said["content"][content_type]["schema"], "components": document["components"]}
    body = answer.body.decode() if isinstance(answer.body, bytes) else answer.body
    jsonschema.validate(body, schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", ["'; DROP TABLE devices;--", "[bold", "{0.__class__}", "%(secret)s"])
async def test_a_hostile_name_changes_nothing_in_any_view(running_hub: RunningHub, name: str) -> None:
    device = await running_hub.display(name)
    await running_hub.send(device)
    for path in ("/v1/devices", f"/v1/devices/{device.id}", "/v1/commands", "/v1/ledger", "/v1/status", "/metrics"):
        assert (await running_hub.get(path)).status == 200
    assert (await running_hub.get(f"/v1/devices/{device.id}")).body["name"] == name

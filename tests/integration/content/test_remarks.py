"""What a layout names that the site does not have is said where it is written, and when it is checked."""

from __future__ import annotations

from typing import Any

from tests.integration.running_hub import RunningHub

BOX = {"x": 0, "y": 0, "w": 100, "h": 20}
JOKES = {"preset": "built_in_jokes"}
SLIPS: list[dict[str, Any]] = [
    {"kind": "value", "device": "Cold room", "key": "temprature"},
    {"kind": "value", "device": "Cold rom", "key": "temperature"},
    {"kind": "asset", "asset": "Mixxer"},
    {"kind": "source", "source": "jokes", "field": "jok"},
    {"kind": "text", "text": "{nme}, {{as it is}}, {site}"},
    {"kind": "text", "text": "", "box": {**BOX, "x": 50}},
    {"kind": "value", "device": "Cellar", "key": "t"},
    {"kind": "value", "device": "Cold room", "key": "temperature"},
]
SAID = [
    (-1, "`panel`: there is no panel 'eink-800x48O'. Did you mean `eink-800x480`?"),
    (0, "Cold room has told no `temprature` yet. Did you mean `temperature`? It tells `humidity`, `temperature`."),
    (1, "No device here is called Cold rom. Did you mean `Cold room`?"),
    (2, "No asset here is called Mixxer."),
    (3, "The source jokes has no field `jok`. Did you mean `joke`? It has `joke`."),
    (4, "`{nme}` stands there as it is written. Did you mean `{name}`? A brace that is meant is written twice."),
    (5, "Its box reaches beyond the panel's edge: what is there is not drawn."),
    (6, "Cellar has told no readings yet, so there is no `t` of it."),
]


async def test_slips_are_said_with_the_name_that_was_meant(running_hub: RunningHub) -> None:
    hub = running_hub
    room, _ = await hub.display("Cold room"), await hub.display("Cellar")
    await hub.hub.telemetry.telemetry.ingest(room, {"temperature": 4.5, "humidity": 60})
    jokes = await hub.ask("PUT", "/v1/content/sources/jokes", {"body": JOKES})
    published = {"revision": jokes.body["revision"]}
    assert (await hub.ask("POST", "/v1/content/sources/jokes/publish", published)).status == 200
    body = {"panel": "eink-800x48O", "elements": [{"box": BOX, **one} for one in SLIPS]}
    saved = await hub.ask("PUT", "/v1/content/layouts/hall", {"body": body})
    assert [(one["element"], one["text"]) for one in saved.body["notes"]] == SAID
    assert {one["level"] for one in saved.body["notes"]} == {"warning"}
    checked = await hub.ask("POST", "/v1/content/check", {"body": body, "panel": "eink-800x480"})
    told = [(one["element"], one["text"]) for one in checked.body["notes"]]
    assert [one for one in told if one in SAID] == SAID  # once each
    assert not any("There is no device" in one for _, one in told)

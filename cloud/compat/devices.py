"""Devices of the older systems that ask the centre instead of their hub.

Nothing they say is taken in, and nothing is told to them. Each gets the answer that keeps it alive until somebody
points it at its hub: one that ends its program, reboots or gives up for good would have to be visited. They are not
limited in rate, since those of a site share one address and an answer costs nothing; they are listed as knocking.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from cloud.compat.door import Door
from edge.serving.visits import AiohttpHandler

WHY = "A device of {system} asks the centre, which takes nothing from devices: point it at the hub of its site."
NOT_HERE = "The centre takes nothing from devices. This device belongs to the hub of its site."
PAYMENT, SWITCHES, OTA = "the payment displays", "the sensors-and-switches platform", "the older OTA displays"
VENDING, LOGGERS = "the vending system", "the asset loggers"


class Astray(msgspec.Struct, frozen=True):
    """What a path is answered with: JSON, or bytes of another type."""

    system: str
    body: Any
    status: int = 200
    content_type: str = "application/json"


_TOLD = {"success": True, "message": NOT_HERE}
_IGNORED = {"status": "ignored", "message": NOT_HERE}
_UNKNOWN = {"detail": "Device not found"}
ANSWERS: dict[tuple[str, str], Astray] = {
    # its program ends with anything but success; a logger here too sends no heartbeat without
    ("POST", "/api/device/register"): Astray(f"{PAYMENT} or {LOGGERS}", _TOLD),
    ("GET", "/api/device/poll"): Astray(PAYMENT, {"has_commands": False, "commands": []}),
    ("POST", "/api/device/status"): Astray(PAYMENT, {"success": False, "error": NOT_HERE}),
    # a board tolerates any code; this is what it gets from its hub too until it is approved
    ("GET", "/telemetry/latest"): Astray(SWITCHES, _UNKNOWN, 404),
    ("POST", "/telemetry"): Astray(SWITCHES, _UNKNOWN, 404),
    ("POST", "/devices/{id}/telemetry"): Astray(SWITCHES, _UNKNOWN, 404),
    # "" is skipped; a key that is missing makes it fetch a page
    ("POST", "/api/devices/register"): Astray(OTA, _TOLD),
    ("POST", "/api/devices/{id}/heartbeat"): Astray(OTA, _TOLD),
    ("POST", "/api/devices/{id}/sensor-data"): Astray(OTA, _TOLD),
    ("GET", "/api/devices/{id}/images-sequence"): Astray(
        OTA, {"success": False, "message": NOT_HERE, "dashboard_url": "", "assigned_images": []}
    ),
    ("GET", "/api/devices/{id}/content"): Astray(OTA, {"success": False, "dashboard_url": "", "images": []}),
    ("GET", "/api/ota/check/{id}"): Astray(OTA, {"update_available": False}),
    ("GET", "/api/ota/download/{key}"): Astray(OTA, {"success": False, "message": NOT_HERE}, 404),
    ("POST", "/esp32/register"): Astray(VENDING, _IGNORED),
    ("POST", "/esp32/connect"): Astray(VENDING, _IGNORED),
    ("POST", "/esp32/confirm"): Astray(VENDING, _IGNORED),
    ("POST", "/esp32/data"): Astray(VENDING, _IGNORED),
    ("POST", "/esp32/wifi/register"): Astray(VENDING, _IGNORED),
    ("POST", "/esp32/wifi/confirm"): Astray(VENDING, _IGNORED),
    ("GET", "/esp32/wifi/command"): Astray(VENDING, b"NO_COMMAND", content_type="text/plain"),
    ("GET", "/esp32/commands/{device_id}"): Astray(VENDING, b"null\n"),
    # anything but 200, and it reboots every few minutes
    ("POST", "/api/device/heartbeat"): Astray(LOGGERS, _TOLD),
    ("POST", "/api/asset-state"): Astray(LOGGERS, _TOLD),
}


def astray(door: Door) -> dict[tuple[str, str], AiohttpHandler]:
    """The routes of devices that are at the wrong house."""
    return {route: _answering(door, answer) for route, answer in ANSWERS.items()}


def _answering(door: Door, answer: Astray) -> AiohttpHandler:
    body = answer.body if isinstance(answer.body, bytes) else msgspec.json.encode(answer.body)
    why = WHY.format(system=answer.system)

    async def serve(request: web.Request) -> web.StreamResponse:
        door.turned_away(request, why)
        return web.Response(body=body, status=answer.status, content_type=answer.content_type)

    return serve

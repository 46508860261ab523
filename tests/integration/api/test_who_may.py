"""Every route against every role and nobody: what each may do is written here, and a new route must be added."""

from __future__ import annotations

from tests.integration.running_hub import RunningHub

ROLES = ("", "app", "viewer", "technician", "admin")
MAY = {
    # who may: v(iewer), t(echnician), a(dmin) and those above; + app: apps too; * everybody
    "GET /v1/status": "v",
    "GET /v1/ledger": "v",
    "GET /v1/knocking": "v",
    "GET /v1/openapi.json": "*",
    "GET /healthz": "*",
    "GET /readyz": "*",
    "GET /metrics": "v",
    "GET /v1/live": "v",
    "GET /v1/events": "v",
    "GET /v1/devices": "v",
    "POST /v1/devices": "t",
    "GET /v1/devices/{id}": "v",
    "PATCH /v1/devices/{id}": "t",
    "DELETE /v1/devices/{id}": "t",
    "POST /v1/devices/{id}/approve": "t",
    "GET /v1/devices/{id}/log": "v",
    "PUT /v1/devices/{id}/agent": "t",
    "DELETE /v1/devices/{id}/agent": "t",
    "PUT /v1/devices/{id}/workstation": "t",
    "DELETE /v1/devices/{id}/workstation": "t",
    "GET /v1/agents": "v",
    "GET /v1/claims": "v",
    "POST /v1/claims/{agent}/approve": "t",
    "DELETE /v1/claims/{agent}": "t",
    "POST /v1/devices/{id}/commands": "t+app",
    "GET /v1/devices/{id}/commands": "v",
    "GET /v1/commands": "v",
    "GET /v1/commands/{id}": "v+app",
    "GET /v1/commands/{id}/attempts": "v",
    "POST /v1/commands/{id}/cancel": "t+app",
    "POST /v1/commands/{id}/retry": "t",
    "POST /v1/commands/{id}/resolve": "t",
    "GET /v1/keys": "a",
    "POST /v1/keys": "a",
    "DELETE /v1/keys/{id}": "a",
    "POST /v1/content/preview": "v",
    "GET /v1/ports": "v",
    "POST /v1/ports/action": "t",
    "GET /v1/ports/monitor": "t",
}
LOWEST = {"v": "viewer", "t": "technician", "a": "admin"}


def allowed(may: str, role: str) -> bool:
    """Whether the table lets this role in."""
    if may == "*":
        return True
    if role == "app":
        return may.endswith("+app")
    return role != "" and ROLES.index(role) >= ROLES.index(LOWEST[may[0]])


async def test_every_route_lets_in_whom_the_table_says_and_nobody_else(running_hub: RunningHub) -> None:
    assert {f"{route.method} {route.path}" for route in running_hub.hub.routes} == set(MAY)
    for wanted, may in MAY.items():
        method, path = wanted.split()
        path = path.replace("{id}", "x").replace("{agent}", "x")
        for role in ROLES:
            if allowed(may, role) and path in ("/v1/live", "/v1/events"):
                continue  # they go on for ever; test_live.py asks them
            answer = await running_hub.ask(method, path, key=role)
            if allowed(may, role):
                assert answer.status not in (401, 403), (wanted, role)
            else:
                assert answer.status == (403 if role else 401), (wanted, role)
                assert answer.headers["Content-Type"] == "application/problem+json"
                assert answer.body["hint"]


async def test_no_spelling_of_a_path_gets_round_its_role(running_hub: RunningHub) -> None:
    spellings = [
        "//v1/keys", "/v1//keys", "/v1/./keys", "/v1/x/../keys", "/v1/%2e%2e/v1/keys", "/%76%31/keys", "/V1/keys",
        "/v1/Keys", "/v1/keys/", "/v1/keys;a=b", "/v1/keys%00", "/v1/keys%2f", "/v1\\keys", "/v1/devices/../keys",
        "/v1/openapi.json/../keys", "/healthz/../v1/keys", "http://other/v1/keys", "*", "/v1/keys#x",
        "/v1/keys?role=admin",
        "/v1/keys/%2e%2e/status", "/v1/devices/..%2fkeys",
    ]  # fmt: skip
    for spelling in spellings:
        answer = await running_hub.raw(
            f"GET {spelling} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
            f"Authorization: Bearer {running_hub.keys['viewer']}\r\n\r\n"
        )
        status = int(answer.split()[1])
        assert status in (400, 403, 404), (spelling, answer[:200])
        assert b"created_by" not in answer


async def test_what_a_caller_says_of_itself_gives_no_role(running_hub: RunningHub) -> None:
    for headers in (
        {"X_Role": "admin", "X_Outpost_Role": "admin", "X_Forwarded_User": "root", "X_Remote_User": "root"},
        {"Cookie": "role=admin; session=" + running_hub.keys["admin"]},
        {"X_HTTP_Method_Override": "GET", "X_Original_URL": "/healthz", "X_Rewrite_URL": "/healthz"},
    ):
        assert (await running_hub.ask("GET", "/v1/keys", key="", **headers)).status == 401
        assert (await running_hub.ask("GET", "/v1/keys", key="viewer", **headers)).status == 403
    by_query = await running_hub.get(f"/v1/keys?key={running_hub.keys['admin']}", key="")
    assert by_query.status == 401
    lower_than_said = await running_hub.ask("GET", "/v1/keys", key="viewer", X_API_Key=running_hub.keys["admin"])
    assert lower_than_said.status == 403  # Authorization counts where both are sent

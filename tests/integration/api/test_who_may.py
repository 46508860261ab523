"""Ways round a role: other spellings of a path, and what a caller says of itself.

Which role reaches which route is the table in tests/architecture/authorisation.txt.
"""

from __future__ import annotations

from tests.integration.running_hub import RunningHub


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

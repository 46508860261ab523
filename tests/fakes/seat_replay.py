"""The ledger, replayed: who sat where when a picture left."""

from __future__ import annotations

import json

from edge.store.database import Store


async def misdeliveries(store: Store) -> list[str]:
    """Ids of commands that left for a display while their agent's session did not hold it."""
    rows = await store.hub.read("SELECT id, session_id FROM commands")
    session_of = {row[0]: row[1] for row in rows}
    holder: dict[str, int] = {}
    wrong: list[str] = []
    for kind, subject, text in await store.hub.read("SELECT kind, subject, body FROM ledger ORDER BY seq"):
        body = json.loads(text)
        if kind == "agent.linked":
            assert subject not in holder, "two sessions at one display"
            holder[subject] = body["session"]
        elif kind == "agent.unlinked":
            assert holder.pop(subject) == body["session"]
        elif kind == "command.sent" and session_of[subject] not in (None, holder.get(body["device"])):
            wrong.append(subject)
    return wrong


async def sent(store: Store) -> int:
    """How many pictures left at all: a test that sends none proves nothing."""
    [row] = await store.hub.read("SELECT COUNT(*) FROM ledger WHERE kind = 'command.sent'")
    return int(row[0])

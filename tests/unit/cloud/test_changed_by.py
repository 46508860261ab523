"""Which facts of a hub are changes that somebody made there."""

from __future__ import annotations

import pytest

from cloud.sync.changed_by import ACTOR_CHARS, actor_of


@pytest.mark.parametrize(
    ("kind", "body", "actor"),
    [
        ("device.renamed", '{"name":"Till","by":"login:pi"}', "login:pi"),
        ("slot.restocked", '{"by":"key:app","count":3}', "key:app"),
        ("command.succeeded", '{"device":"d","by":"key:tech"}', "key:tech"),  # settled by a person
        ("command.succeeded", '{"device":"d"}', ""),
        ("command.queued", '{"kind":"reboot","actor":"login:pi"}', "login:pi"),
        ("command.queued", '{"kind":"vend","actor":"key:app"}', ""),
        ("command.queued", '{"kind":"display_qr","actor":"key:app"}', ""),
        ("vend.started", '{"actor":"key:app"}', ""),
        ("site.left", '{"actor":"login:pi"}', "login:pi"),
        ("user.created", '{"by":"sign-up"}', "sign-up"),
        ("user.password_set", '{"by":"user:6a by reset code"}', "user:6a by reset code"),
        ("slot.corrected", '{"by":"hub"}', ""),
        ("agent.unlinked", '{"by":"24"}', ""),
        ("twin.changed", '{"by":"centre:user:ann"}', ""),  # noted at the centre when it was asked
        ("twin.changed", '{"by":"centre:login:root","to":"login:root"}', ""),
        ("device.renamed", '{"by":["login:pi"]}', ""),
        ("device.renamed", '{"by":null}', ""),
        ("device.renamed", '["by"]', ""),
        ("device.renamed", '{"by"', ""),
        ("device.renamed", '{"by":"key:' + "x" * 1000 + '"}', "key:" + "x" * (ACTOR_CHARS - 4)),
    ],
)
def test_who_it_was(kind: str, body: str, actor: str) -> None:
    assert actor_of(kind, body) == actor

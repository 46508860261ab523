"""Who may do what: roles rise, apps and old systems' keys stand apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.access.model import hash_secret, new_secret
from edge.errors import BadInput, Forbidden
from edge.serving.roles import NOBODY, Principal, Role

people = st.sampled_from([Role.VIEWER, Role.TECHNICIAN, Role.ADMIN])


def may(principal: Principal, role: Role, *, app: bool = False) -> bool:
    """Whether the caller reaches a route."""
    try:
        principal.require(role, app=app)
    except Forbidden:
        return False
    return True


@given(people, people, st.booleans())
def test_a_higher_role_may_all_that_a_lower_may(has: Role, needs: Role, app: bool) -> None:
    assert may(Principal("ann", has), needs, app=app) is (has >= needs)


@given(people, st.booleans())
def test_an_app_reaches_the_routes_of_apps_alone(needs: Role, app: bool) -> None:
    assert may(Principal("key:app", Role.APP), needs, app=app) is app


@given(st.sampled_from(Role), people, st.booleans())
def test_an_old_systems_key_reaches_none_of_ours(has: Role, needs: Role, app: bool) -> None:
    assert not may(Principal("key:old", has, scope="nic"), needs, app=app)


@given(people, st.booleans())
def test_nobody_reaches_nothing(needs: Role, app: bool) -> None:
    assert not may(NOBODY, needs, app=app)


@given(st.text())
def test_a_role_is_one_of_four_names(text: str) -> None:
    if text.lower() in {"app", "viewer", "technician", "admin"}:
        assert Role.parse(text).label == text.lower()
    else:
        with pytest.raises(BadInput):
            Role.parse(text)


@given(st.text(alphabet=st.characters()))
def test_any_text_can_be_looked_up_as_a_secret(text: str) -> None:
    assert len(hash_secret(text)) == 32


def test_secrets_differ_and_carry_their_id() -> None:
    made = {new_secret() for _ in range(200)}
    assert len({secret for _, secret in made}) == 200
    assert all(secret.startswith(f"op_{key_id}_") and len(secret) >= 50 for key_id, secret in made)

"""Names and passwords of people: which are taken, and that nothing hostile gets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.access.accounts.model import (
    PASSWORD_MAX_BYTES,
    WrongPart,
    check_password,
    clean_code,
    clean_email,
    clean_full_name,
    clean_username,
    new_reset_code,
    new_user_id,
    username_from,
)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Sh0rt", "at least 8"),
        ("nouppercase1", "uppercase"),
        ("NOLOWERCASE1", "lowercase"),
        ("NoDigitsHere", "digit"),
        ("Aa1" + "x" * 70, "at most 72"),
        ("Aa1" + "é" * 35, "at most 72"),  # 38 letters, 73 bytes: the old server cut these without a word
    ],
)
def test_a_password_that_breaks_a_rule_is_refused_with_that_rule(password: str, why: str) -> None:
    with pytest.raises(WrongPart, match=why) as refused:
        check_password(password)
    assert refused.value.field == "password"
    assert password not in refused.value.detail


@pytest.mark.parametrize("password", ["Passw0rd", "Aa1" + "x" * 69, "ÄÖü 12 😀"])
def test_good_passwords_are_taken_as_they_are(password: str) -> None:
    assert check_password(password) == password


@given(st.text(max_size=100))
def test_a_taken_password_keeps_every_rule(text: str) -> None:
    try:
        check_password(text)
    except WrongPart:
        return
    assert len(text) >= 8
    assert len(text.encode("utf-8", "replace")) <= PASSWORD_MAX_BYTES


@pytest.mark.parametrize(
    "email", ["", "a", "a@b", "a@@b.co", "a b@c.de", "a@b..co", "a\n@b.co", "a@b.co,c@d.ef", "<a@b.co>",
              "a@b.co\x00", "a" * 250 + "@b.co", "a\u202e@b.co"],
)  # fmt: skip
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(WrongPart):
        clean_email(email)


@given(st.emails())
def test_an_address_cleaned_twice_is_the_same(email: str) -> None:
    try:
        once = clean_email(email)
    except WrongPart:
        return
    assert clean_email(once) == once == clean_email(f"  {email.upper()} ".lower())


@pytest.mark.parametrize("name", ["", "ab", "a b", "a@b", "änn", "a" * 65, "ann\n", "../etc"])
def test_what_is_no_username_is_refused(name: str) -> None:
    with pytest.raises(WrongPart):
        clean_username(name)


@given(st.text(max_size=300))
def test_a_full_name_is_one_bounded_line(text: str) -> None:
    name = clean_full_name(text)
    assert name.isprintable()
    assert len(name) <= 100


def test_a_reset_code_fits_the_old_apps_field() -> None:
    codes = {new_reset_code() for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        assert len(code) == 8
        assert code.isalnum()
        assert clean_code(f" {code.lower()}\n") == code


def test_an_id_has_the_form_the_old_apps_know() -> None:
    assert len(new_user_id()) == 24
    int(new_user_id(), 16)


@given(st.text(max_size=80), st.sets(st.sampled_from(["ann", "ann-2", "ann-3"])))
def test_a_username_is_made_of_any_address(local: str, taken: set[str]) -> None:
    made = username_from(f"{local}@example.com", taken.__contains__)
    assert clean_username(made) == made
    assert made not in taken

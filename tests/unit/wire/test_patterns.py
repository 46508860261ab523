"""Texts of a fixed form are taken as they are, and not with a newline behind them, which a plain `$` lets pass."""

from __future__ import annotations

import msgspec
import pytest

from edge.wire.assets import Clock, Day, Slug
from edge.wire.field import Hex16, Hex32
from edge.wire.native import ChipId

FORMS = [
    (Slug, "early"),
    (Slug, "no-material"),
    (Clock, "06:00"),
    (Clock, "24:00"),
    (Day, "2026-11-21"),
    (Day, ""),
    (Hex16, "0f" * 16),
    (Hex32, "0f" * 32),
    (ChipId, "A0B1C2D3E4F5"),
]


@pytest.mark.parametrize(("form", "text"), FORMS)
def test_a_form_ends_where_it_ends(form: type, text: str) -> None:
    assert msgspec.convert(text, form) == text
    for more in ("\n", "\n\n", " ", "x\n", "\r\n"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(text + more, form)


def test_a_time_of_day_is_one() -> None:
    for text in ("24:01", "6:00", "06:60", "", "24:00x", "x06:00"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(text, Clock)

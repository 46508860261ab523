"""Which WiFi can be typed at a board's console."""

from __future__ import annotations

import pytest

from edge.errors import BadInput
from edge.provision.wifi import check, require_typed


@pytest.mark.parametrize(("ssid", "password"), [("-", "long enough"), (" Hall", ""), ("Hall", "long enough ")])
def test_what_a_console_would_change_is_refused_before_it_is_typed(ssid: str, password: str) -> None:
    with pytest.raises(BadInput, match="blank at an end"):
        require_typed(check(ssid, password))


def test_all_else_is_typed() -> None:
    require_typed(check("Hall 2 - upstairs", "long enough"))
    require_typed(check("Hall", ""))

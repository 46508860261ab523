"""A WiFi's name and password on their way to a board: checked, and never shown."""

from __future__ import annotations

import msgspec

from edge.errors import BadInput
from edge.wire import improv


class Wifi(msgspec.Struct, frozen=True):
    """An empty password is an open network."""

    ssid: str
    password: str

    def __repr__(self) -> str:
        return f"Wifi({self.ssid!r})"  # a password must not reach a log or an error

    @property
    def payload(self) -> bytes:
        """As Improv has it."""
        return improv.wifi(self.ssid, self.password)


def check(ssid: str, password: str) -> Wifi:
    """A WiFi as a technician typed it. Raises BadInput for what no WiFi has."""
    if not ssid.isprintable() or not password.isprintable():
        raise BadInput("A WiFi's name and password have printable characters only.")
    if password and len(password.encode()) < 8:
        raise BadInput("A WiFi password has at least 8 characters.", hint="Leave it empty for an open network.")
    try:
        improv.wifi(ssid, password)
    except improv.Malformed as error:
        raise BadInput(f"That cannot be a WiFi: {error}.") from None
    return Wifi(ssid, password)


def require_typed(wifi: Wifi) -> None:
    """Raise BadInput for what a console cannot be told: it takes blanks off the ends, and `-` empties a setting."""
    for text in (wifi.ssid, wifi.password):
        if text == "-" or text != text.strip():
            raise BadInput(
                "A console cannot be told a WiFi's name or password that is `-` or has a blank at an end.",
                hint="Give the board its WiFi by Improv: `outpost provision cable`.",
            )

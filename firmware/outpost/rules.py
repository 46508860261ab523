"""What a person may answer when a board is set up: at the console, over Improv, on the portal's page."""

try:
    from collections.abc import Callable

    Rule = Callable[[str], bool]
except ImportError:  # MicroPython has none, and needs none
    pass

ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"
HOST_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
HOSTNAME_MAX = 32  # what MicroPython takes
NAME_BYTES_MAX = 64
ID_RULE = "letters, digits and - _ . : only, 64 at most"
TOKEN_RULE = "8 to 128 characters, no spaces"  # noqa: S105 - a sentence for people
URL_RULE = "http:// or https://, a host, and a port if need be"
SSID_RULE = "1 to 32 bytes"
PASSWORD_RULE = "8 to 63 bytes"  # noqa: S105 - a sentence for people
NAME_RULE = "64 bytes at most"


def device_id(text: str) -> bool:
    """An id that the hub has given."""
    return 0 < len(text) <= 64 and all([character in ID_CHARACTERS for character in text])


def token(text: str) -> bool:
    """What the hub has given with the id."""
    return 8 <= len(text) <= 128 and " " not in text


def url(text: str) -> bool:
    """Where a hub is."""
    host = text.split("://", 1)[-1].split("/")[0]
    return text.startswith(("http://", "https://")) and len(text) <= 200 and " " not in text and bool(host)


def ssid(text: str) -> bool:
    """The name of a WiFi."""
    return 0 < len(text.encode()) <= 32


def password(text: str) -> bool:
    """The password of a WiFi that has one."""
    return 8 <= len(text.encode()) <= 63


def name(text: str) -> bool:
    """What people call the board; empty: its chip id."""
    return len(text.encode()) <= NAME_BYTES_MAX


def hostname(text: str) -> bool:
    """What networks call it: RFC 1123, as far as MicroPython goes."""
    if not 0 < len(text) <= HOSTNAME_MAX or text[0] == "-" or text[-1] == "-":
        return False
    return all([character in HOST_CHARACTERS for character in text])

"""What Improv's numbers mean, in sentences, and what to do about them: the same on a cable and over BLE."""

from __future__ import annotations

from collections.abc import Iterable

from edge.errors import DeviceUnavailable
from edge.wire.improv import ErrorCode, Network
from edge.wire.provision import BoardInfo, NetworkView

OURS = "outpost"  # how the name of our firmware begins
NETWORKS_MAX = 40  # told of one board; a street has more, and the strongest are what is wanted

FAILURES = {
    ErrorCode.INVALID: (
        "The board did not understand what it was sent.",
        "Try again; if it stays, update the board.",
    ),
    ErrorCode.UNKNOWN_COMMAND: ("The board does not know this command.", "Its firmware may be too old for it."),
    ErrorCode.CANNOT_CONNECT: (
        "The board could not join that WiFi.",
        "Check the name, the password, and that the WiFi is a 2.4 GHz one and reaches the board; then try again.",
    ),
    ErrorCode.NOT_AUTHORIZED: ("The board wants its button to be pressed first.", "Press it, then try again."),
    ErrorCode.BAD_HOSTNAME: ("The board does not take that name.", "Use letters, digits and dashes."),
}
UNKNOWN = ("The board failed and does not say why.", "Restart it and try again.")


class BoardRefused(DeviceUnavailable):
    """A board said no. `failure` is its own number for the reason."""

    code = "board-refused"

    def __init__(self, failure: int) -> None:
        detail, hint = FAILURES.get(ErrorCode(failure), UNKNOWN) if failure in set(ErrorCode) else UNKNOWN
        super().__init__(detail, hint=hint)
        self.failure = failure


def board_info(texts: Iterable[str]) -> BoardInfo:
    """Firmware, version, chip and name, as many as the board told; made fit to be shown."""
    clean = ["".join(char for char in text if char.isprintable()).strip() for text in texts]
    firmware, version, chip, name, *_ = [*clean, "", "", "", ""]
    return BoardInfo(firmware, version, chip, name)


def network_views(networks: Iterable[Network]) -> list[NetworkView]:
    """Each WiFi once, the strongest first; those without a name are left out."""
    best: dict[str, Network] = {}
    for network in networks:
        named = network.ssid.strip("\0")
        if named and named.isprintable() and (named not in best or network.rssi > best[named].rssi):
            best[named] = network
    order = sorted(best.values(), key=lambda network: (network.rssi == 0, -network.rssi, network.ssid))
    return [NetworkView(network.ssid, network.rssi or None, network.secured) for network in order[:NETWORKS_MAX]]


def is_ours(board: BoardInfo | None) -> bool:
    """Whether it runs our firmware, by its own word."""
    return board is not None and board.firmware.lower().startswith(OURS)


def in_words(board: BoardInfo) -> str:
    """Who the board says it is."""
    what = " ".join(filter(None, (board.firmware, board.version))) or "firmware that does not say what it is"
    called = f"{board.name}: " if board.name else ""
    return f"{called}{what}{f' on {board.chip}' if board.chip else ''}"

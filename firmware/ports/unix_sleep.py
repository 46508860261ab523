"""Deep sleep without a chip: the board ends, and `sleep.json` beside its flash says for how long it sleeps.

Who runs it (edge/sim/board.py) starts it again. Its clock goes on meanwhile, as a chip's does: how far UTC is from
it stands there, too.
"""

import json
import time

from ports.unix_files import replace

NAME = "/sleep.json"


def fall_asleep(beside: str, ms: int, utc_us: int) -> None:
    """Say so."""
    offset = utc_us - time.time_ns() // 1000 if utc_us else 0
    replace(beside + NAME, json.dumps({"ms": ms, "offset_us": offset}).encode())


def utc_us_kept(beside: str) -> int:
    """UTC in us; 0 where it was not known before the sleep."""
    try:
        with open(beside + NAME, "rb") as file:
            offset = json.loads(file.read())["offset_us"]
    except (OSError, ValueError, KeyError):
        return 0
    return time.time_ns() // 1000 + offset if offset else 0

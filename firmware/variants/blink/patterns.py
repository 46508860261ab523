"""How bright a light is at each moment of its pattern. Pure: milliseconds in, 0 to 1 out."""

FAST_MS = 100
BLINK_MS = 500
BREATH_MS = 4000
BEAT_MS = 1000  # of a heart: two short ones, and a rest
BEATS = ((0, 100), (200, 300))


def _blink(half_ms: int, ms: int) -> float:
    return 1.0 if ms // half_ms % 2 == 0 else 0.0


def _heart(ms: int) -> float:
    at = ms % BEAT_MS
    return 1.0 if any([first <= at < last for first, last in BEATS]) else 0.0


def _breath(ms: int) -> float:
    """Squared, as eyes take small lights for brighter than they are."""
    way = ms % BREATH_MS * 2 / BREATH_MS
    way = way if way <= 1 else 2 - way
    soft = way * way * (3 - 2 * way)
    return soft * soft


PATTERNS = {
    "off": lambda ms: 0.0,
    "on": lambda ms: 1.0,
    "blink": lambda ms: _blink(BLINK_MS, ms),
    "fast": lambda ms: _blink(FAST_MS, ms),
    "breathe": _breath,
    "heartbeat": _heart,
}


def brightness(pattern: str, ms: int) -> float:
    """Of a pattern that began `ms` ago. Raises KeyError for one there is not."""
    return PATTERNS[pattern](ms)

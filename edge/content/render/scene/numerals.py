"""Numbers as panels show them."""

from __future__ import annotations

import math

MINUS = "\N{MINUS SIGN}"
PLAIN_BELOW = 1e9  # larger ones are told in powers of ten: nobody counts ten digits on a wall
TEXT_VALUE_CHARS = 200  # of a reading that is text


def reading(value: float | int | str | bool | None, decimals: int) -> str:
    """A reading's value in words or figures; '' for what is none (not a number, nothing, empty)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return value.strip()[:TEXT_VALUE_CHARS]
    return figure(value, decimals)


def figure(value: float, decimals: int) -> str:
    """`value` with so many decimals; '' for what is not finite."""
    try:
        value = float(value)
    except OverflowError:  # a whole number past the largest float
        return ""
    if not math.isfinite(value):
        return ""
    text = f"{value:.{decimals}f}" if abs(value) < PLAIN_BELOW else f"{value:.3g}"
    text = text.replace("e+", "e")
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.") else MINUS + text[1:]
    return text


def with_unit(text: str, unit: str) -> str:
    """`21.5 °C`, never parted at the end of a line."""
    return f"{text}\u00a0{unit}" if unit else text


def decimals_for(span: float) -> int:
    """How many decimals tell apart what lies within `span`: two figures of it."""
    if not math.isfinite(span) or span <= 0:
        return 1
    return max(0, min(6, 1 - math.floor(math.log10(span))))


def percent(share: float) -> str:
    """`93.1 %` of a share of 1; '' for what is not finite."""
    return with_unit(figure(share * 100, 1), "%") if math.isfinite(share) else ""

"""Layouts to begin with, so that nobody begins with an empty page. Their words are in the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cloud.web.words import Words
from edge.wire.content import DocumentKind

Body = dict[str, Any]


def example(name: str, words: Words) -> Body:
    """The body of a new layout from the example of this name; an empty one for none that is known."""
    return _EXAMPLES[name](words) if name in _EXAMPLES else {}


def first_body(kind: DocumentKind, name: str, words: Words) -> Body:
    """What a new document has in it."""
    match kind:
        case DocumentKind.LAYOUT:
            return example(name, words)
        case DocumentKind.SOURCE:
            return {"preset": "json", "url": "https://"}
        case _:
            return {}


def _element(kind: str, x: float, y: float, w: float, h: float, **more: Any) -> Body:
    return {"kind": kind, "box": {"x": x, "y": y, "w": w, "h": h}, **more}


def _said(words: Words, key: str) -> str:
    return str(words(f"example.{key}").unescape())


def _welcome(words: Words) -> Body:
    centred = {"align": "centre"}
    return {
        "panel": "eink-800x480",
        "elements": [
            _element("shape", 0, 0, 100, 16, form="filled"),
            _element("text", 3, 2, 60, 12, text="{site}", bold=True, colour="white"),
            _element("clock", 70, 2, 27, 12, align="right", colour="white", bold=True),
            _element("text", 5, 24, 90, 30, text=_said(words, "welcome_text"), bold=True, **centred),
            _element("text", 10, 56, 80, 22, text=_said(words, "welcome_more"), size=9, **centred),
            _element("date", 5, 84, 90, 10, size=7, language=words.language, **centred),
        ],
    }


def _machine(words: Words) -> Body:
    big = {"align": "centre", "bold": True}
    return {
        "panel": "eink-800x480",
        "elements": [
            _element("text", 4, 4, 60, 12, text=_said(words, "machine_text"), bold=True),
            _element("clock", 66, 4, 30, 12, align="right"),
            _element("shape", 4, 17, 92, 1, form="line-across"),
            _element("asset", 4, 22, 92, 30, asset="press-1", show="state", **big),
            _element("asset", 4, 58, 44, 32, asset="press-1", show="availability", over="24h",
                     label=_said(words, "availability"), align="centre"),
            _element("asset", 52, 58, 44, 32, asset="press-1", show="stops", over="shift",
                     label=_said(words, "stops"), align="centre"),
        ],
    }  # fmt: skip


def _sensor(words: Words) -> Body:
    value = {"device": "self", "align": "centre"}
    warm, damp = _said(words, "temperature"), _said(words, "humidity")
    return {
        "panel": "eink-800x480",
        "elements": [
            _element("text", 4, 3, 70, 10, text="{name}", bold=True),
            _element("clock", 74, 3, 22, 10, align="right"),
            _element("value", 4, 16, 44, 34, key="temperature", label=warm, unit="°C", **value),
            _element("value", 52, 16, 44, 34, key="humidity", label=damp, unit="%", decimals=0, **value),
            _element("chart", 4, 54, 92, 42, device="self", key="temperature", unit="°C", hours=24),
        ],
    }


def _price(words: Words) -> Body:
    return {
        "panel": "tft-320x480",
        "elements": [
            _element("text", 5, 3, 90, 12, text=_said(words, "price_text"), bold=True, align="centre"),
            _element("text", 5, 15, 90, 16, text="₹ 120", bold=True, align="centre"),
            _element("qr", 10, 33, 80, 56, payload="upi://pay?pa=shop@example&pn=Shop&am=120.00&cu=INR",
                     caption=_said(words, "price_pay"), align="centre"),
            _element("date", 5, 92, 90, 6, style="medium", language=words.language, align="centre"),
        ],
    }  # fmt: skip


def _weather(words: Words) -> Body:
    return {
        "panel": "eink-800x480",
        "elements": [
            _element("date", 4, 4, 64, 14, bold=True, style="long", language=words.language),
            _element("clock", 70, 4, 26, 14, align="right", bold=True),
            _element("shape", 4, 20, 92, 1, form="line-across"),
            _element("source", 4, 26, 50, 40, source="weather", field="temperature", bold=True),
            _element("source", 56, 30, 40, 14, source="weather", field="sky"),
            _element("source", 56, 48, 40, 12, source="weather", field="wind", label=_said(words, "wind")),
            _element("source", 4, 72, 44, 20, source="weather", field="high", label=_said(words, "high")),
            _element("source", 52, 72, 44, 20, source="weather", field="rain", label=_said(words, "rain")),
        ],
    }


_EXAMPLES: Mapping[str, Callable[[Words], Body]] = {
    "welcome": _welcome,
    "machine": _machine,
    "sensor": _sensor,
    "price": _price,
    "weather": _weather,
}
EXAMPLES = tuple(_EXAMPLES)
"""Their names, `example.NAME` in the catalogue."""

"""Colours: one calm theme. Names of styles used in tables are here, so that a state looks the same everywhere."""

from __future__ import annotations

from rich.style import Style
from textual.theme import Theme

THEME = Theme(
    name="outpost",
    primary="#7aa2c8",
    secondary="#8fb0a8",
    accent="#d8b26a",
    foreground="#d6d9dc",
    background="#14171a",
    surface="#1a1e22",
    panel="#23292f",
    success="#86b874",
    warning="#e0b050",
    error="#e07a6a",
    dark=True,
    variables={
        "block-cursor-background": "#2f4a61",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#262d34",
        "block-cursor-blurred-foreground": "#d6d9dc",
        "footer-key-foreground": "#d8b26a",
        "border": "#7aa2c8",
        "border-blurred": "#3a434b",
    },
)

STYLES = {
    "": Style(),
    "strong": Style(bold=True),
    "good": Style(color="#86b874"),
    "busy": Style(color="#7aa2c8"),
    "warn": Style(color="#e0b050", bold=True),
    "bad": Style(color="#e07a6a"),
    "quiet": Style(color="#8b949c"),
    "key": Style(color="#d8b26a"),
    "stale": Style(color="#6b747c"),
}

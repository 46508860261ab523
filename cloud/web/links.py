"""Addresses of pages with what was asked of them: filters that stay while somebody pages on."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode


def link(path: str, asked: Mapping[str, object] | None = None, /, **more: object) -> str:
    """`path` with these parameters; those that say nothing are left out."""
    told = {name: value for name, value in {**(asked or {}), **more}.items() if value not in (None, "")}
    return f"{path}?{urlencode(told)}" if told else path

"""What apps keep with a person's account: the switches' app its settings, the asset logger's pages theirs.

Both share the one text an account has room for. The former's lie in it as they always did; the latter's stand under
a name of their own, which the former never sees.
"""

from __future__ import annotations

from typing import Any

import msgspec

from edge.access.accounts.model import PREFERENCES_BYTES
from edge.errors import BadInput

ASSET_PAGES = "asset_pages"

Settings = dict[str, Any]


class TooMuch(BadInput):
    """More than an account has room for."""


def of_things(preferences: str) -> Settings:
    """The settings of the switches' app."""
    return {name: value for name, value in _read(preferences).items() if name != ASSET_PAGES}


def of_asset_pages(preferences: str) -> Settings:
    """The settings of the asset logger's pages."""
    kept = _read(preferences).get(ASSET_PAGES)
    return kept if isinstance(kept, dict) else {}


def with_things(preferences: str, settings: Settings) -> str:
    """All of it with other settings of the switches' app. Raises TooMuch."""
    pages = of_asset_pages(preferences)
    its = {name: value for name, value in settings.items() if name != ASSET_PAGES}
    return _written({**its, ASSET_PAGES: pages} if pages else its)


def with_asset_pages(preferences: str, settings: Settings) -> str:
    """All of it with other settings of the asset logger's pages. Raises TooMuch."""
    return _written({**of_things(preferences), ASSET_PAGES: settings})


def _read(preferences: str) -> Settings:
    kept: Settings = msgspec.json.decode(preferences)
    return kept


def _written(settings: Settings) -> str:
    text = msgspec.json.encode(settings)
    if len(text) > PREFERENCES_BYTES:
        raise TooMuch(f"At most {PREFERENCES_BYTES} bytes are kept")
    return text.decode()

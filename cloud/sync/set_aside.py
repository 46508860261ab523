"""One site's data never stops the work for the others: a site that fails is left alone for a while."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from edge.clock import Clock
from edge.errors import StorageError

log = logging.getLogger(__name__)

SET_ASIDE_S = 600.0
SiteKey = tuple[int, int]
"""Tenant and site by their numbers."""


class SetAside:
    """The sites whose turn failed; `work` says which."""

    def __init__(self, clock: Clock, work: str) -> None:
        self._clock, self._work = clock, work
        self._until_s: dict[SiteKey, float] = {}

    def has(self, site: SiteKey) -> bool:
        """Whether this site is to be left alone now."""
        if site in self._until_s and self._clock.mono_s() >= self._until_s[site]:
            del self._until_s[site]
        return site in self._until_s

    @contextlib.contextmanager
    def on_failure(self, site: SiteKey) -> Iterator[None]:
        """Set the site aside when the block fails. Raises StorageError: that is about no site."""
        try:
            yield
        except StorageError:
            raise
        except Exception:  # whatever one site sent: reported with the site, and the others' turn comes
            log.exception("%s of site %d failed; it waits %.0f s", self._work, site[1], SET_ASIDE_S)
            self._until_s[site] = self._clock.mono_s() + SET_ASIDE_S

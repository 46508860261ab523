"""Sites in the order in which a person should look at them, and where a page of that order goes on."""

from __future__ import annotations

import msgspec

from cloud.sites.model import SiteFacts, SiteState, caught_up_us
from edge.errors import BadInput

WORST_FIRST = (
    SiteState.REFUSED,
    SiteState.AWAY,
    SiteState.NEW,
    SiteState.CATCHING_UP,
    SiteState.LIVE,
    SiteState.REVOKED,
)
RANKS = {state: rank for rank, state in enumerate(WORST_FIRST)}
LATE = (SiteState.REFUSED, SiteState.AWAY, SiteState.CATCHING_UP)  # of these the one furthest behind is first


class Standing(msgspec.Struct, frozen=True, order=True):
    """Where a site stands in the order: by state, of one state what has something to tell first, then what is
    furthest behind, then by name. `since_us` is a time and no age: it does not change while nothing happens."""

    rank: int
    since_us: int
    name: str
    slug: str

    def cursor(self) -> str:
        """What finds this place again, also when the site stands elsewhere by then."""
        return f"{self.rank}.{self.since_us}.{self.slug}"


def standing(slug: str, name: str, site: SiteFacts, state: SiteState, *, troubled: bool) -> Standing:
    """Where it stands, in this state. `troubled`: somebody should look at it."""
    since_us = (caught_up_us(site) or site.seen_us) if state in LATE else 0
    return Standing(2 * RANKS[state] + (not troubled), since_us, name, slug)


def read_cursor(cursor: str, names: dict[str, str]) -> Standing:
    """The place behind which a page goes on; `names` by slug. Raises BadInput for what no page gave."""
    rank, _, rest = cursor.partition(".")
    since_us, _, slug = rest.partition(".")
    digits = since_us.removeprefix("-")
    if slug not in names or not (rank.isdecimal() and digits.isdecimal()) or len(cursor) > 200:
        raise BadInput("The cursor is not one that a page gave.", hint="Begin again without a cursor.")
    return Standing(int(rank), int(since_us), names[slug], slug)


def read_state(text: str) -> SiteState | None:
    """A state by its name, None for ''. Raises BadInput."""
    try:
        return SiteState(text) if text else None
    except ValueError:
        known = ", ".join(SiteState)
        raise BadInput(f"state is one of {known}.") from None

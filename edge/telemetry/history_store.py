"""The only SQL that reads history.

Each is one statement, so that it sees one moment: what has been folded, and behind it what has not yet.
"""

from __future__ import annotations

FOLDED = "(SELECT seq FROM progress WHERE name = 'folded')"
_WINDOW = "series_id = :series AND at_us >= :from AND at_us < :to"
_BEHIND = "series_id = :series AND (at_us, seq) > (:at, :seq) AND at_us < :to"
_RAW = "at_us, seq, value, kind, quality"

PAGE = (
    f"SELECT {_RAW} FROM history WHERE {_BEHIND}"
    f" UNION ALL SELECT {_RAW} FROM dated WHERE seq > {FOLDED} AND {_BEHIND}"
    " ORDER BY at_us, seq LIMIT :limit"
)
"""Readings of a series behind (:at, :seq), oldest first: both halves are merged as they are read."""

FIRST = (
    f"SELECT MIN(at_us) FROM (SELECT MIN(at_us) AS at_us FROM history WHERE {_WINDOW}"
    f" UNION ALL SELECT MIN(at_us) FROM dated WHERE seq > {FOLDED} AND {_WINDOW}"
    " UNION ALL SELECT MIN(hour_us) FROM rollups WHERE series_id = :series AND hour_us >= :from AND hour_us < :to"
    "  AND :rolled)"
)
"""When the first thing known of a series in [:from, :to) is; rollups count where :rolled."""

_PARTS = "COUNT(*), TOTAL(value), MIN(CAST(value AS REAL)), MAX(CAST(value AS REAL))"

FROM_RAW = (
    f"SELECT (at_us + :offset) / :width * :width - :offset, {_PARTS} FROM"
    f" (SELECT at_us, value FROM history WHERE {_WINDOW} AND kind < 2"
    f"  UNION ALL SELECT at_us, value FROM dated WHERE seq > {FOLDED} AND {_WINDOW} AND kind < 2)"
    " GROUP BY 1 ORDER BY 1"
)
"""Numbers of a series in [:from, :to) by parts of :width."""

FROM_ROLLUPS = (
    "SELECT hour_us, count, sum, min, max FROM rollups"
    " WHERE series_id = :series AND hour_us >= :from AND hour_us < :to"
    f" UNION ALL SELECT (at_us + :offset) / :width * :width - :offset, {_PARTS} FROM dated"
    f" WHERE seq > {FOLDED} AND {_WINDOW} AND kind < 2 GROUP BY 1"
)
"""The same by hours (:width is one), also where the readings themselves are gone."""

SIZE = (
    "SELECT (p.page_count - f.freelist_count) * s.page_size FROM pragma_page_count AS p,"
    " pragma_freelist_count AS f, pragma_page_size AS s"
)

"""What a database does not take for its content is the row's fault: the hub looks for that row and goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

from edge.errors import RowRejected

CONTENT = ("22", "54")  # PostgreSQL: a value that is none of its type, or past a limit of the program


@contextlib.contextmanager
def takeable() -> Iterator[None]:
    """Raises RowRejected in place of what the database says of a value; all else goes through."""
    try:
        yield
    except OverflowError as error:  # SQLite's driver: a number past 64 bit
        raise RowRejected("A number of the batch is longer than the database holds.") from error
    except DBAPIError as error:
        if not str(getattr(error.orig, "sqlstate", None) or "").startswith(CONTENT):
            raise
        raise RowRejected("A value of the batch is not one that the database holds.") from error

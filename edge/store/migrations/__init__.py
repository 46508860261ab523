"""Numbered SQL files, one folder a database: `NNNN_title.sql`, each applied once, in order, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from edge.errors import StorageError


def migrate(path: Path, database: str) -> int:
    """Bring the file at `path` to the newest schema of `database` (`hub` or `readings`); returns its version.

    Either all of a migration is there afterwards or none. Raises StorageError when the file is newer than this
    program knows.
    """
    scripts = _scripts(database)
    raw = sqlite3.connect(path, isolation_level=None)
    try:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        (version,) = raw.execute("PRAGMA user_version").fetchone()
        if version > len(scripts):
            raise StorageError(
                f"{path.name} was written by a newer Outpost (schema {version}; this one knows {len(scripts)}).",
                hint="Install the newer version again; going back needs a backup from before the upgrade.",
            )
        for number, script in enumerate(scripts[version:], version + 1):
            _apply(raw, number, script)
        return len(scripts)
    finally:
        raw.close()


def _apply(raw: sqlite3.Connection, number: int, script: str) -> None:
    raw.execute("BEGIN EXCLUSIVE")
    try:
        for statement in _statements(script):
            raw.execute(statement)
        raw.execute(f"PRAGMA user_version = {number}")
        raw.execute("COMMIT")
    except BaseException:
        if raw.in_transaction:  # after an error of the disk SQLite has rolled back by itself
            raw.execute("ROLLBACK")
        raise


def _scripts(database: str) -> list[str]:
    folder = files(__package__) / database
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1)), names
    return [(folder / name).read_text("utf-8") for name in names]


def _statements(script: str) -> Iterator[str]:
    """Split at semicolons that end a statement; executescript would commit half-way."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""

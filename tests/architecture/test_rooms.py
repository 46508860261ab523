"""What the layers in pyproject.toml cannot say: which libraries, and which language, live in which room."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.architecture import tree

ONLY_IN = {
    "serial": ["edge/links/serial_port.py"],
    "serial_asyncio": ["edge/links/serial_port.py"],
    "PIL": ["edge/content/*"],
    "zxingcpp": ["edge/content/*"],
    "segno": ["edge/content/*", "edge/sim/*", "tui/qr_modules.py"],  # the demo draws a customer's QR
    "sqlite3": ["edge/store/*", "edge/*/*store.py", "edge/verbs/doctor.py"],  # the doctor asks its version
    "aiosqlite": ["edge/store/*", "cloud/db/database.py"],
    "textual": ["tui/*"],
    "tenacity": ["edge/*", "cloud/db/*"],
    "sqlalchemy": ["cloud/*"],
    "alembic": ["cloud/db/*"],
    "asyncpg": ["cloud/db/*", "cloud/sync/readings_store.py"],  # COPY is a driver's own
    "socketio": ["edge/compat/assets/pages/sockets.py"],
    "zstandard": ["edge/wire/sync.py"],
}
"""Library to the files that may import it."""

SQL = re.compile(
    r"^\s*(SELECT\s.+\sFROM\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|CREATE\s+TABLE\s|PRAGMA\s)",
    re.IGNORECASE | re.DOTALL,
)
SQL_LIVES_IN = ["edge/store/*", "edge/*/store.py", "edge/*/*_store.py", "cloud/db/*", "cloud/*store.py"]
NOT_SQL = {"RowMapping", "AsyncConnection"}  # what of SQLAlchemy is handed through to and from the stores


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_has_its_room(library: str) -> None:
    users = {tree.named(path) for path in tree.sources(*tree.SERVICES) if library in tree.imported(path)}
    assert {user for user in users if not _in(user, ONLY_IN[library])} == set()


def test_sql_is_written_in_stores_alone() -> None:
    writers = {tree.named(path) for path in tree.sources(*tree.SERVICES) if any(map(SQL.match, _texts(path)))}
    assert writers, "the pattern sees SQL"
    assert {writer for writer in writers if not _in(writer, SQL_LIVES_IN)} == set()


def test_queries_of_the_centre_are_written_in_stores_alone() -> None:
    writers = {
        tree.named(path)
        for path in tree.sources("cloud")
        for node in ast.walk(tree.parsed(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "sqlalchemy"
        if node.module != "sqlalchemy.exc"
        if {alias.name for alias in node.names} - NOT_SQL
    }
    assert writers, "there are queries"
    assert {writer for writer in writers if not _in(writer, SQL_LIVES_IN)} == set()


def test_device_code_knows_nothing_of_the_hub() -> None:
    """And nothing of the hub imports device code: golden vectors bind the two."""
    assert [tree.named(path) for path in tree.sources("firmware") if set(tree.SERVICES) & tree.imported(path)] == []
    assert [tree.named(path) for path in tree.sources(*tree.SERVICES) if "firmware" in tree.imported(path)] == []


def _texts(path: Path) -> Iterator[str]:
    for node in ast.walk(tree.parsed(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _in(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)

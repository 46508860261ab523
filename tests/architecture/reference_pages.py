"""The generated parts of docs/reference: `python -m tests.architecture.reference_pages` writes them anew.

A page keeps what people write in it; what stands between the two marks comes from the code.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from cloud.service import Centre
from cloud.settings import CloudSettings
from edge import errors
from edge.api.field import refusals
from edge.hub import Hub
from edge.serving import problems
from edge.serving.routing import Route
from edge.settings import Settings
from tests.architecture.tree import ROOT

BEGIN, END = "<!-- from the code: make reference -->", "<!-- end -->"
REFERENCE = ROOT / "docs" / "reference"


def routes() -> list[Route]:
    """Every route of a hub, by path."""
    with tempfile.TemporaryDirectory() as folder:
        return by_path(Hub(Path(folder), Settings()).routes)


def centre_routes() -> list[Route]:
    """Every route of a centre, by path."""
    with tempfile.TemporaryDirectory() as folder:
        return by_path(Centre(Path(folder), CloudSettings()).routes)


def by_path(found: list[Route]) -> list[Route]:
    """Routes in the order of the tables."""
    return sorted(found, key=lambda route: (route.path, route.method))


def may(route: Route) -> str:
    """Who may call it, in words."""
    if route.role is None:
        return "anybody"
    return route.role.label + (", app" if route.app else "")


def hub_table() -> str:
    """The hub's routes."""
    return route_table(routes())


def centre_table() -> str:
    """The centre's routes."""
    return route_table(centre_routes())


def route_table(found: list[Route]) -> str:
    """One line per route."""
    lines = ["| | | what | who | body | answer |", "|---|---|---|---|---|---|"]
    for route in found:
        answer = route.returns.__name__ if route.returns else ""
        answer = f"list of {answer}" if route.many else answer or getattr(route, "stream", "") or ""
        body = route.body.__name__ if route.body else ""
        lines.append(f"| {route.method} | `{route.path}` | {route.summary} | {may(route)} | {body} | {answer} |")
    return "\n".join(lines)


def error_kinds() -> Iterator[type[errors.OutpostError]]:
    """Every error that has a code of its own, by status and code."""
    known = [kind for module in (errors, problems, refusals) for kind in vars(module).values() if _is_error(kind)]
    yield from sorted({kind.code: kind for kind in known}.values(), key=lambda kind: (kind.status, kind.code))


def error_table() -> str:
    """One line per code."""
    lines = ["| code | HTTP | exit | again? | what | what to do |", "|---|---|---|---|---|---|"]
    for kind in error_kinds():
        first = (kind.__doc__ or "").split("\n", 1)[0]
        again = "yes" if kind.retryable else "no"
        lines.append(f"| `{kind.code}` | {kind.status} | {int(kind.exit_code)} | {again} | {first} | {kind.hint} |")
    return "\n".join(lines)


PAGES = {"api.md": hub_table, "centre-api.md": centre_table, "errors.md": error_table}


def generated(page: str) -> str:
    """What stands between the marks of a page."""
    _, _, rest = (REFERENCE / page).read_text("utf-8").partition(BEGIN + "\n")
    return rest.partition("\n" + END)[0]


def write(page: str) -> None:
    """Put the present table between the marks of a page."""
    path = REFERENCE / page
    before, _, rest = path.read_text("utf-8").partition(BEGIN + "\n")
    after = rest.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n{PAGES[page]()}\n{END}{after}", "utf-8")


def _is_error(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, errors.OutpostError)


if __name__ == "__main__":
    for name in PAGES:
        write(name)

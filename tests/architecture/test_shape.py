"""Files and functions short enough to read at once, names that say something, contracts written down."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator

import pytest

from tests.architecture import tree

FILE_LINES_MAX = 400  # past this it wants a second room
FUNCTION_LINES_MAX = 60  # without its docstring
FUNCTION_LINES_MEDIAN = 10
WRITTEN_DOWN = "cloud/db/migrations/versions/"  # all tables as they were at one time, never edited again
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base", "stuff"}
REASON = re.compile(r"type: ignore\[[\w, -]+\]\s*# \S")


def test_no_file_is_long() -> None:
    lengths = {tree.named(path): len(path.read_text("utf-8").splitlines()) for path in tree.sources()}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


def test_no_function_is_long() -> None:
    long = [
        f"{tree.named(path)}: {function.name}"
        for path in tree.sources()
        for function in tree.functions(path)
        if _lines(function) > FUNCTION_LINES_MAX and not tree.named(path).startswith(WRITTEN_DOWN)
    ]
    assert long == []


@pytest.mark.parametrize("room", tree.ROOMS)
def test_most_functions_are_short(room: str) -> None:
    lengths = [_lines(function) for path in tree.sources(room) for function in tree.functions(path)]
    assert statistics.median(lengths) < FUNCTION_LINES_MEDIAN


def test_what_is_public_says_what_it_is_for() -> None:
    bare = [
        f"{tree.named(path)}: {name}"
        for path in tree.sources(*tree.SERVICES)
        for name, node in _public(tree.parsed(path), "")
        if not ast.get_docstring(node)
    ]
    assert bare == []


def test_names_say_something() -> None:
    parts = {part for path in tree.files() for part in path.relative_to(tree.ROOT).with_suffix("").parts}
    assert parts & EMPTY_NAMES == set()
    classes = {
        node.name
        for path in tree.sources()
        for node in ast.walk(tree.parsed(path))
        if isinstance(node, ast.ClassDef)
    }
    assert [name for name in classes if name.endswith(("Manager", "Helper", "Utils", "Util"))] == []


def test_a_silenced_type_error_says_why() -> None:
    silenced = [
        f"{tree.named(path)}:{number}"
        for path in tree.sources(*tree.SERVICES, "firmware")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if "type: ignore" in line and not REASON.search(line)
    ]
    assert silenced == []


def _lines(function: tree.Function) -> int:
    docstring = ast.get_docstring(function, clean=False) or ""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1 - len(docstring.splitlines())


Documented = ast.Module | ast.ClassDef | tree.Function


def _public(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, Documented]]:
    """The node and every public class, function and method in it."""
    yield prefix or "module", node
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and child.name[0] != "_":
            if isinstance(child, ast.ClassDef):
                yield from _public(child, f"{prefix}{child.name}.")
            elif not _is_overload_or_setter(child):
                yield f"{prefix}{child.name}", child


def _is_overload_or_setter(function: tree.Function) -> bool:
    names = {getattr(decorator, "attr", getattr(decorator, "id", "")) for decorator in function.decorator_list}
    return bool(names & {"overload", "setter"})

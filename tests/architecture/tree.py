"""The repository's files, as tests about the tree itself see them."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("edge", "cloud", "tui", "firmware", "tests")
SERVICES = ("edge", "cloud", "tui")  # what runs on the machines of users
NOT_OURS = (".git", ".venv", "dist", "build", "__pycache__", "node_modules")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def files() -> tuple[Path, ...]:
    """Every file that is ours: no caches, no environment."""
    return tuple(path for path in sorted(ROOT.rglob("*")) if path.is_file() and _is_ours(path))


def sources(*rooms: str) -> list[Path]:
    """The Python files of these rooms, of all when none is named."""
    inside = rooms or ROOMS
    return [path for path in files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in inside]


@functools.cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse(path.read_text("utf-8"))


@functools.cache
def functions(path: Path) -> tuple[Function, ...]:
    """Every function and method of one file."""
    return tuple(
        node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@functools.cache
def imported(path: Path) -> frozenset[str]:
    """The top-level names of everything a file imports, wherever in it."""
    return frozenset(name.partition(".")[0] for node in ast.walk(parsed(path)) for name in _named_by(node))


def named(path: Path) -> str:
    """The file as one writes it: `edge/hub.py`."""
    return str(path.relative_to(ROOT))


def _named_by(node: ast.AST) -> list[str]:
    """The modules an import names; nothing of any other node."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    return []


def _is_ours(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return not any(part in NOT_OURS or part.endswith("_cache") or part == ".hypothesis" for part in parts)

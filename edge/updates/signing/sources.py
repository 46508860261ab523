"""Which files of the firmware a variant runs on: what its app imports, and what those import, and so on.

Imports within functions count, since the device does them later; those for types alone do not. The files that lie
in the root of a board's flash are no part of an app: they are never updated over the air.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from edge.errors import BadInput, ConfigError

NOT_YOURS = "It is a fault of the firmware, not of your call."
BASE = "base"  # the shared part alone
PORT = "ports.esp32"
ROOMS = ("drivers", "outpost", "ports", "variants")
FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"  # beside `edge`, in the tree as where it is installed


def variants(firmware: Path = FIRMWARE) -> list[str]:
    """What can be built."""
    return sorted({BASE, *(path.parent.name for path in (firmware / "variants").glob("*/app.py"))})


def sources(variant: str, firmware: Path = FIRMWARE) -> list[Path]:
    """Every file of an app, as a path within `firmware`, sorted.

    Raises BadInput for an unknown variant, ConfigError for a firmware with something missing.
    """
    if variant not in variants(firmware):
        raise BadInput(f"There is no variant {variant!r}.", hint=f"There are {', '.join(variants(firmware))}.")
    waiting = [PORT] if variant == BASE else [PORT, *_with_packages(f"variants.{variant}.app", firmware)]
    found: set[Path] = set()
    while waiting:
        name = waiting.pop()
        path = _file(name, firmware)
        if path is None:
            raise ConfigError(f"The firmware in {firmware} has no module {name}.", hint="Install Outpost again.")
        if path not in found:
            found.add(path)
            imported = _imported(_parsed(firmware, path), name, firmware)
            waiting += [one for one in imported if _belongs(one, variant)]
    return sorted(found)


def _parsed(firmware: Path, path: Path) -> ast.Module:
    try:
        return ast.parse((firmware / path).read_text("utf-8"))
    except SyntaxError as error:
        raise ConfigError(f"{path} does not compile: {error}.", hint=NOT_YOURS) from error


def _file(module: str, firmware: Path) -> Path | None:
    """A module's file within the firmware."""
    base = Path(*module.split("."))
    return next((one for one in (base.with_suffix(".py"), base / "__init__.py") if (firmware / one).exists()), None)


def _belongs(module: str, variant: str) -> bool:
    """Whether an app of that variant has it: the port knows all variants, a board is one."""
    room, _, rest = module.partition(".")
    return room in ROOMS and (room != "variants" or rest.partition(".")[0] in ("", variant))


def _imported(tree: ast.AST, module: str, firmware: Path) -> Iterator[str]:
    """Every module that the tree imports, and the packages around each."""
    for node in _live(tree):
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
        elif isinstance(node, ast.ImportFrom):
            raise ConfigError(f"{module} imports relative to itself, which devices' firmware does not.")
        else:
            continue
        for name in names:
            yield from _with_packages(name, firmware)


def _with_packages(module: str, firmware: Path) -> Iterator[str]:
    """A module and the packages it is in, as far as there are files of them."""
    parts = module.split(".")
    around = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
    yield from (one for one in around if _file(one, firmware) is not None)


def _live(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those for types alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from (inner for other in node.orelse for inner in (other, *_live(other)))
            continue
        yield node
        yield from _live(node)

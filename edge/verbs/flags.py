"""Flags that many verbs share, and what follows from them."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from edge.client import Client, connect
from edge.errors import Unreachable
from edge.places import config_file, default_centre_dir, default_data_dir, is_centre
from edge.settings import Loaded, Settings, load
from edge.verbs import centre_here


class Verbs(Protocol):
    """Where a verb adds its parser."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:
        """A parser for the verb `name`."""


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """--data-dir."""
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where the hub, or the centre, keeps its data")


def add_hub(parser: argparse.ArgumentParser, *, prints: bool = True, site: bool = False) -> None:
    """--data-dir, --hub and --key-file; --json where the verb prints data; --site where one name may be of devices
    at several sites."""
    add_data_dir(parser)
    parser.add_argument("--hub", default="", metavar="URL", help="a hub elsewhere: http(s)://HOST:PORT")
    parser.add_argument("--key-file", default="", metavar="FILE", help="the key for --hub")
    if prints:
        parser.add_argument("--json", action="store_true", help="print JSON")
    if site:
        parser.add_argument("--site", default="", metavar="NAME", help="at a centre: of this site")


def data_dir(arguments: argparse.Namespace) -> Path:
    """The data directory that was named, or the default."""
    named: Path | None = arguments.data_dir
    return named if named is not None else default_data_dir()


def settings_of(arguments: argparse.Namespace, flags: dict[str, object] | None = None) -> Loaded[Settings]:
    """The settings for this data directory, with what the flags say on top."""
    return load(config_file(data_dir(arguments)), flags=flags)


@contextlib.asynccontextmanager
async def hub(arguments: argparse.Namespace) -> AsyncIterator[Client]:
    """A client of the hub or the centre that the flags name."""
    async with connect(data_dir(arguments), arguments.hub, arguments.key_file, centre_here.opened) as client:
        client.site = getattr(arguments, "site", "")
        yield client


@contextlib.asynccontextmanager
async def centre(arguments: argparse.Namespace) -> AsyncIterator[Client]:
    """A client of the centre that the flags name, or of the one on this machine. Raises Unreachable for a hub's
    directory."""
    directory = arguments.data_dir or default_centre_dir()
    if not arguments.hub and not is_centre(directory):
        raise Unreachable(
            f"There is no centre in {directory}.",
            hint="Name its directory with --data-dir, or its address with --hub URL and --key-file FILE.",
        )
    async with connect(directory, arguments.hub, arguments.key_file, centre_here.opened) as client:
        yield client

"""`outpost config`: what the settings are, where each came from, and whether they are right."""

from __future__ import annotations

import argparse

import msgspec

from edge.api.server import parse_listen
from edge.clock import site_zone
from edge.links.spec import parse
from edge.verbs import flags
from edge.verbs.output import emit, say


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    config = verbs.add_parser("config", help="show and check the settings").add_subparsers(
        required=True, metavar="WHAT"
    )
    show = config.add_parser("show", help="every setting and where it came from")
    flags.add_data_dir(show)
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(do=show_config)
    check = config.add_parser("check", help="say what is wrong with the settings, if anything")
    flags.add_data_dir(check)
    check.set_defaults(do=check_config)


def show_config(arguments: argparse.Namespace) -> int:
    """`outpost config show`."""
    loaded = flags.settings_of(arguments)
    tree = msgspec.to_builtins(loaded.settings)
    rows = []
    for key, origin in loaded.origins.items():
        section, name = key.split(".", 1)
        rows.append({"setting": key, "value": tree[section][name], "from": origin})
    emit(rows, arguments.json, columns=("setting", "value", "from"))
    return 0


def check_config(arguments: argparse.Namespace) -> int:
    """`outpost config check`."""
    settings = flags.settings_of(arguments).settings
    for listen in settings.hub.listen:
        parse_listen(listen)
    for port in settings.serial.ports:
        parse(port)
    site_zone(settings.site.timezone)
    say("The settings are right.")
    return 0

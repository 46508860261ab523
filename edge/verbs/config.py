"""`outpost config`: what the settings are, where each came from, and whether they are right."""

from __future__ import annotations

import argparse
import ipaddress

import msgspec

from edge.clock import site_zone
from edge.errors import ConfigError
from edge.links.serial_port import Lines
from edge.links.spec import parse
from edge.serving.server import parse_listen, tls_context
from edge.settings import Settings
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
    check(flags.settings_of(arguments).settings)
    say("The settings are right.")
    return 0


def check(settings: Settings) -> None:
    """Raise ConfigError for a setting that has the right form, but that no hub could start with."""
    listens = [parse_listen(text) for text in settings.hub.listen]
    if any(listen.tls for listen in listens):
        tls_context(settings.hub.tls_cert, settings.hub.tls_key)
    for port in settings.serial.ports:
        parse(port)
    site_zone(settings.site.timezone)
    for network in settings.content.fetch_allow:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise ConfigError(f"content.fetch_allow: {error}.", hint="Write networks as 192.168.1.0/24.") from error
    _one_of("serial.lines", settings.serial.lines, [lines.value for lines in Lines])
    _one_of("log.level", settings.log.level, ["debug", "info", "warning", "error", "critical"])
    _one_of("log.format", settings.log.format, ["auto", "json", "text"])
    for section in (settings.limits, settings.history, settings.content):
        for name in section.__struct_fields__:
            value = getattr(section, name)
            if isinstance(value, int | float) and not 0 < value < float("inf"):
                raise ConfigError(f"{type(section).__name__.lower()}.{name} is a number above 0, not {value}.")


def _one_of(name: str, value: str, known: list[str]) -> None:
    if value not in known:
        raise ConfigError(f"{name} is one of {', '.join(known)}, not {value!r}.")

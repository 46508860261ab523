"""`outpost config`: what the settings are, where each came from, and whether they are right."""

from __future__ import annotations

import argparse
import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from edge.clock import site_zone
from edge.errors import ConfigError
from edge.links.serial_port import Lines
from edge.links.spec import parse
from edge.logs import redact
from edge.places import is_centre
from edge.serving.addresses import proxies
from edge.serving.server import parse_listen, tls_context
from edge.settings import Loaded, Settings
from edge.verbs import centre_here, flags
from edge.verbs.output import emit, say

if TYPE_CHECKING:
    from cloud.settings import CloudSettings


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
    loaded = _loaded(arguments)
    tree = msgspec.to_builtins(loaded.settings)
    rows = []
    for key, origin in loaded.origins.items():
        section, name = key.split(".", 1)
        value = tree[section][name]
        shown = redact(value) if isinstance(value, str) else value  # a database's URL may have a password
        shown = "(hidden)" if value and name.endswith("password") else shown
        rows.append({"setting": key, "value": shown, "from": origin})
    emit(rows, arguments.json, columns=("setting", "value", "from"))
    return 0


def check_config(arguments: argparse.Namespace) -> int:
    """`outpost config check`."""
    if is_centre(flags.data_dir(arguments)):
        check_centre(centre_here.settings_of(flags.data_dir(arguments)).settings)
    else:
        check(flags.settings_of(arguments).settings)
    say("The settings are right.")
    return 0


def _loaded(arguments: argparse.Namespace) -> Loaded[Settings] | Loaded[CloudSettings]:
    directory = flags.data_dir(arguments)
    return centre_here.settings_of(directory) if is_centre(directory) else flags.settings_of(arguments)


def check(settings: Settings) -> None:
    """Raise ConfigError for a setting that has the right form, but that no hub could start with."""
    _check_listeners(settings.hub.listen, settings.hub.tls_cert, settings.hub.tls_key)
    for port in settings.serial.ports:
        parse(port)
    site_zone(settings.site.timezone)
    for network in settings.content.fetch_allow:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise ConfigError(f"content.fetch_allow: {error}.", hint="Write networks as 192.168.1.0/24.") from error
    _one_of("serial.lines", settings.serial.lines, [lines.value for lines in Lines])
    _check_log(settings.log.level, settings.log.format)
    _above_zero(settings.limits, settings.history, settings.content)


def check_centre(settings: CloudSettings) -> None:
    """The same for a centre."""
    _check_listeners(settings.centre.listen, settings.centre.tls_cert, settings.centre.tls_key)
    proxies(settings.centre.trusted_proxies, "centre.trusted_proxies")
    _check_log(settings.log.level, settings.log.format)
    _above_zero(settings.limits, settings.retention)


def _check_listeners(listen: Sequence[str], cert: str, key: str) -> None:
    if any([parse_listen(text).tls for text in listen]):  # all of them, so that each is looked at
        tls_context(cert, key)


def _check_log(level: str, style: str) -> None:
    _one_of("log.level", level, ["debug", "info", "warning", "error", "critical"])
    _one_of("log.format", style, ["auto", "json", "text"])


def _above_zero(*sections: msgspec.Struct) -> None:
    for section in sections:
        for name in section.__struct_fields__:
            value = getattr(section, name)
            if isinstance(value, int | float) and not 0 < value < float("inf"):
                raise ConfigError(f"{type(section).__name__.lower()}.{name} is a number above 0, not {value}.")


def _one_of(name: str, value: str, known: list[str]) -> None:
    if value not in known:
        raise ConfigError(f"{name} is one of {', '.join(known)}, not {value!r}.")

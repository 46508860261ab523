"""Every setting, in one frozen tree: defaults < TOML file < OUTPOST_* environment < flags.

In the environment a setting is `OUTPOST_<SECTION>__<KEY>`, e.g. `OUTPOST_LIMITS__AUTHENTICATED_PER_MINUTE=2000`;
lists are comma-separated. An unknown key anywhere is an error that names the nearest known one.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args, get_type_hints

import msgspec

from edge.errors import ConfigError

ENV_PREFIX = "OUTPOST_"
CENTRE_PREFIX = "OUTPOST_CENTRE_"  # the central service's own; a machine may run both
ENV_NOT_SETTINGS = frozenset(
    {
        "OUTPOST_BIND_KEY",
        "OUTPOST_DATA_DIR",
        "OUTPOST_HUB",
        "OUTPOST_KEY_FILE",
        "OUTPOST_PASSWORD",
        "OUTPOST_SIGNING_PASSPHRASE",
        "OUTPOST_WIFI_PASSWORD",
    }
)
T = TypeVar("T", bound=msgspec.Struct)


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where this hub stands."""

    name: str = "site"
    timezone: str = ""  # IANA name; empty: the system's. Rules every count by day or shift


class Hub(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the hub listens on and whom it takes in."""

    listen: tuple[str, ...] = ("0.0.0.0:5000",)
    legacy_ports: bool = False  # adds :5001 and :8000, which some older clients have compiled in
    tls_cert: str = ""
    tls_key: str = ""
    auto_approve: bool = False  # take devices in without a technician: for a bench, not for a site


class Serial(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which serial ports the hub owns."""

    ports: tuple[str, ...] = ()  # PATH[=PROFILE][@BAUD]; each stays the hub's also while unplugged
    scan: bool = True  # take every USB serial port that appears
    lines: str = "keep"  # DTR/RTS when opening: keep, or deassert for boards whose RTS is wired to EN
    by_hand: tuple[str, ...] = ()  # paths of ports without DTR and RTS: to flash, a person presses BOOT and EN


class Discovery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How devices find the hub on the network."""

    enabled: bool = True
    udp_port: int = 12346  # what older machines have compiled in
    mdns: bool = True


class Bluetooth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The Bluetooth adapter: sensors are heard by it, and new boards get their WiFi over it."""

    enabled: str = "auto"  # on, off, or auto: used where there is one, and missed by nobody where there is none


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds on what a caller may ask."""

    authenticated_per_minute: int = 1000
    anonymous_per_minute: int = 100
    body_bytes: int = 10 * 1024 * 1024
    body_s: float = 15.0  # a body that trickles longer than this is cut off
    queue_per_device: int = 100


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Pictures on screens."""

    qr_ttl_s: float = 60.0  # a QR not on its screen by then is never shown
    qr_show_s: float = 300.0  # a QR nobody ended goes back to rotation by itself
    fetch_allow: tuple[str, ...] = ()  # networks in CIDR form that pictures and sources may be of though private
    pictures_mb: int = 256  # all uploaded pictures together


class Accounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Accounts of the people who use the older apps."""

    signup: str = "approve"  # who may make one for himself: closed, approve (an administrator opens it), open
    loggers_of: str = ""  # whose asset loggers are that nobody has claimed: an address or username; empty: nobody's


class Hooks(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Outgoing webhooks."""

    allow: tuple[str, ...] = ()  # networks in CIDR form that webhooks may reach though private


class Vending(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Vending machines."""

    # addresses, networks or origins whose old web pages may vend without a key; a page on the hub's own screen may
    pages: tuple[str, ...] = ("127.0.0.1", "::1")


class History(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long ended things are kept."""

    commands_days: int = 90
    readings_days: int = 31
    rollups_days: int = 1825  # hourly least, mean and greatest outlive the readings
    reports_per_pending_device: int = 100


class Sync(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Sending to the central service; a hub that is not enrolled sends nothing."""

    url: str = ""  # of the centre: https://HOST
    ca_file: str = ""  # the authority that signed the centre's certificate, where no public one did
    insecure: bool = False  # speak http:// to a centre that is not this machine: for a bench, not for a site
    max_kbit_s: int = 0  # what sending may take of the line; 0: all of it
    unsigned_firmware: bool = False  # take images that nobody signed from head office, for older devices


class Updates(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Firmware: what is kept of it, and how it is given out."""

    parallel_downloads: int = 8  # devices that fetch at the same time; others wait for their turn
    max_kbit_s: int = 0  # what all of them together may take of the network; 0: all of it
    artifact_mb: int = 16  # one file of firmware
    store_mb: int = 512  # all firmware together
    slot_bytes: int = 1_310_720  # what older devices' flash holds of an image


class PersonalCms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The older boards that update themselves over the air."""

    download_user: str = ""  # what they show for a download, as it was typed into their setup page; empty: nothing
    download_password: str = ""


class Disk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The hub's own space."""

    free_floor_mb: int = 64  # below this the hub takes nothing new and says so
    readings_mb: int = 2048  # the oldest readings go when their file holds more
    ballast_mb: int = 8  # freed when the disk is full, because then even DELETE fails


class Log(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is logged and how."""

    level: str = "info"
    format: str = "auto"  # json, text, or auto: json under systemd


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole tree."""

    site: Site = Site()
    hub: Hub = Hub()
    serial: Serial = Serial()
    discovery: Discovery = Discovery()
    bluetooth: Bluetooth = Bluetooth()
    limits: Limits = Limits()
    content: Content = Content()
    vending: Vending = Vending()
    accounts: Accounts = Accounts()
    hooks: Hooks = Hooks()
    sync: Sync = Sync()
    history: History = History()
    updates: Updates = Updates()
    personalcms: PersonalCms = PersonalCms()
    disk: Disk = Disk()
    log: Log = Log()


class Loaded(msgspec.Struct, Generic[T], frozen=True):
    """Settings and, per dotted key, where the value came from: default, a file, a variable or a flag."""

    settings: T
    origins: dict[str, str]


def load(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Loaded[Settings]:
    """The hub's settings, from the four sources; as load_tree."""
    return load_tree(Settings, ENV_PREFIX, file, environ, flags)


def load_tree(
    tree_type: type[T],
    prefix: str,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Loaded[T]:
    """Merge the four sources into a tree of sections; variables begin with `prefix`.

    `flags` has dotted keys (`hub.listen`) and values of the setting's type; None values are left out.
    Raises ConfigError naming the key and its source.
    """
    tree: dict[str, dict[str, object]] = {}
    kinds = known_keys(tree_type)
    origins = {key: "default" for key in kinds}
    for key, value, origin in [
        *_from_file(file),
        *_from_environ(os.environ if environ is None else environ, prefix, kinds),
        *((key, value, "flag") for key, value in (flags or {}).items() if value is not None),
    ]:
        if key not in origins:
            raise ConfigError(f"Unknown setting {key!r} in {origin}.{_nearest(key, origins)}")
        section, name = key.split(".", 1)
        tree.setdefault(section, {})[name] = value
        origins[key] = origin
    try:
        return Loaded(msgspec.convert(tree, tree_type, strict=False), origins)
    except msgspec.ValidationError as error:
        raise ConfigError(f"A setting has the wrong form: {error}.") from error


def known_keys(tree_type: type[msgspec.Struct] = Settings) -> dict[str, type]:
    """Every dotted key and its type."""
    return {
        f"{section}.{name}": kind
        for section, struct in get_type_hints(tree_type).items()
        for name, kind in get_type_hints(struct).items()
    }


def _from_file(file: Path | None) -> list[tuple[str, object, str]]:
    if file is None or not file.exists():
        return []
    try:
        data: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML: {error}.") from error
    items: list[tuple[str, object, str]] = []
    for section, values in data.items():
        if not isinstance(values, dict):
            raise ConfigError(f"Unknown setting {section!r} in {file}: settings stand in [sections].")
        items += [(f"{section}.{name}", value, str(file)) for name, value in values.items()]
    return items


def _from_environ(
    environ: Mapping[str, str], prefix: str, kinds: Mapping[str, type]
) -> list[tuple[str, object, str]]:
    items: list[tuple[str, object, str]] = []
    for variable, text in sorted(environ.items()):
        of_centre = variable.startswith(CENTRE_PREFIX)
        if (
            not variable.startswith(prefix)
            or variable in ENV_NOT_SETTINGS
            or of_centre != (prefix == CENTRE_PREFIX)
        ):
            continue
        key = variable.removeprefix(prefix).lower().replace("__", ".", 1)
        is_list = bool(get_args(kinds.get(key)))
        value: object = [part.strip() for part in text.split(",") if part.strip()] if is_list else text
        items.append((key, value, variable))
    return items


def _nearest(key: str, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""

"""Every setting of the central service: defaults < cloud.toml < OUTPOST_CENTRE_* environment < flags.

The hub's rules hold here too (edge/settings.py): `OUTPOST_CENTRE_<SECTION>__<KEY>`, and an unknown key is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from edge.settings import CENTRE_PREFIX, Loaded, load_tree


class Centre(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the centre listens on, and where it keeps what it is told."""

    name: str = "head office"
    listen: tuple[str, ...] = ("127.0.0.1:8600",)
    url: str = ""  # how hubs reach it, such as https://office.example: told to technicians with each code
    tls_cert: str = ""
    tls_key: str = ""
    trusted_proxies: tuple[str, ...] = ()  # addresses and networks whose X-Forwarded-For is believed
    database: str = ""  # empty: SQLite in the data directory; else postgresql+asyncpg://USER:PASSWORD@HOST/NAME


class Accounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """People who use an older system's app from anywhere."""

    signup: str = "closed"  # or approve: anybody may make an account, which opens when an administrator opens it


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds on what a caller may ask."""

    authenticated_per_minute: int = 1000
    anonymous_per_minute: int = 100
    body_bytes: int = 10 * 1024 * 1024
    body_s: float = 30.0  # a batch over a slow line takes a while
    connections: int = 20_000  # a hub has one that waits for the inbox, and up to three that send
    inbox_per_site: int = 1000  # items that may wait for a site that is away


class Updates(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Firmware: how much of it is kept for each tenant, and how it is handed out to hubs and people."""

    artifact_mb: int = 16  # of one file that is uploaded
    store_mb: int = 2048  # of all files of one tenant, pictures too
    slot_bytes: int = 1_310_720  # of an image for older devices: what their flash holds
    parallel_downloads: int = 64
    max_kbit_s: int = 0  # of all downloads together; 0: as fast as the line is


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long things are kept; facts, commands and vends are for good."""

    readings_days: int = 400
    rollups_days: int = 3650


class Log(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is logged and how."""

    level: str = "info"
    format: str = "auto"  # json, text, or auto: json under systemd


class CloudSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole tree."""

    centre: Centre = Centre()
    accounts: Accounts = Accounts()
    limits: Limits = Limits()
    retention: Retention = Retention()
    updates: Updates = Updates()
    log: Log = Log()


def load(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Loaded[CloudSettings]:
    """The centre's settings, from the four sources. Raises ConfigError naming the key and its source."""
    return load_tree(CloudSettings, CENTRE_PREFIX, file, environ, flags)

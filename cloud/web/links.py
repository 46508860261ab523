"""Addresses of pages: of things by their ids, and with what was asked that stays while somebody pages on."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

ROOT = "/office"
_MARK = "~"
_NOT_AT_END = (".csv", ".json")  # of a page's address: its tables as files
_NOT_ALONE = (".", "..")  # what browsers take for a way up


def link(path: str, asked: Mapping[str, object] | None = None, /, **more: object) -> str:
    """`path` with these parameters; those that say nothing are left out."""
    told = {name: value for name, value in {**(asked or {}), **more}.items() if value not in (None, "")}
    return f"{path}?{urlencode(told)}" if told else path


def site_page(site: str, act: str = "") -> str:
    """The page of a site, or one behind it."""
    return f"{ROOT}/sites/{_quoted(site)}" + (f"/{act}" if act else "")


def device_page(site: str, device: str) -> str:
    """The page of a device of a site."""
    return f"{ROOT}/sites/{_quoted(site)}/devices/{part_of(device)}"


def asset_page(site: str, asset: str, act: str = "") -> str:
    """The page of an asset of a site, or one behind it."""
    return f"{ROOT}/sites/{_quoted(site)}/assets/{part_of(asset)}" + (f"/{act}" if act else "")


def command_page(site: str, command: str, act: str = "") -> str:
    """The page of a command, or one behind it. An id is of one site, but for a hub that lies: the site stands with
    it."""
    return link(f"{ROOT}/commands/{part_of(command)}" + (f"/{act}" if act else ""), site=site)


def artifact_page(artifact: str, act: str = "") -> str:
    """The page of an artifact, or one behind it."""
    return f"{ROOT}/firmware/artifacts/{part_of(artifact)}" + (f"/{act}" if act else "")


def rollout_page(rollout: str, act: str = "") -> str:
    """The page of a rollout, or one behind it."""
    return f"{ROOT}/firmware/rollouts/{part_of(rollout)}" + (f"/{act}" if act else "")


def group_page(group: str, act: str = "") -> str:
    """The page of a group of devices, or one behind it."""
    return f"{ROOT}/firmware/groups/{part_of(group)}" + (f"/{act}" if act else "")


def part_of(name: str) -> str:
    """An id that hubs choose as part of a page's path. One that would mean something else there stands between two
    marks; so does one that has such marks itself."""
    marked = name.endswith(_NOT_AT_END) or name in _NOT_ALONE or _is_marked(name)
    return _quoted(f"{_MARK}{name}{_MARK}" if marked else name)


def name_of(part: str) -> str:
    """The id that `part_of` made a part of a path of, which the server has unquoted."""
    return part[1:-1] if _is_marked(part) else part


def _is_marked(text: str) -> bool:
    return len(text) > 1 and text.startswith(_MARK) and text.endswith(_MARK)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")

"""Where the hub is: a unix socket beside its data, or a URL."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from edge.errors import ConfigError

UNIX = "unix:"


@dataclass(frozen=True)
class Target:
    """`base` is what requests are addressed to; `path` the socket's, or empty."""

    base: str
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Target:
        """`unix:PATH` or `http(s)://HOST[:PORT]`; ConfigError for anything else."""
        if text.startswith(UNIX) and len(text) > len(UNIX):
            return cls("http://hub", text.removeprefix(UNIX))
        parts = urlsplit(text)
        if parts.scheme in {"http", "https"} and parts.netloc:
            return cls(f"{parts.scheme}://{parts.netloc}")
        raise ConfigError(f"{text!r} is no hub", hint="Give unix:PATH or http(s)://HOST:PORT.")

    def connector(self) -> aiohttp.BaseConnector:
        """What opens its connections."""
        return aiohttp.UnixConnector(self.path) if self.path else aiohttp.TCPConnector(limit=8)

    def __str__(self) -> str:
        return f"{UNIX}{self.path}" if self.path else self.base
